import { join, relative } from "node:path";
import { discover, skippedLine, type Dataset } from "../../../runtime/data/dataset.ts";
import type { DataSource } from "../../../runtime/data/directories.ts";
import { withEntries, type Entries, type FileTensor } from "../../../runtime/data/entries.ts";
import { readPt, type PtValue } from "../../../runtime/files/pt/index.ts";
import { readSource, type HostSource } from "../../../runtime/data/sample.ts";
import { FindingsError } from "../../../runtime/findings.ts";
import type { Case, Manifest } from "../../case.ts";
import { declared, type Checks } from "../../checks.ts";
import { storages } from "../../golden-batch.ts";
import { keys } from "../../known.ts";
import { checkValue } from "./value.ts";

/** Fields of one source of an item: a number, or the description of a tensor that the case stores. */
type Fields = Readonly<Record<string, Manifest>>;

/** An item: fields by role, and the item's number. */
type Item = Readonly<Record<string, Fields>>;

/** Finds the samples of each query and reads every one of them. */
export const replayDataset = declared(
  {
    manifest: {
      files: true,
      queries: {
        ...keys("data_sources", "data_sources_normalised", "root", "resolved_root", "length", "sample_files"),
        ...keys("log", "skipped", "items", "raises", "message"),
      },
      tolerance: {},
    },
  },
  async (replayed, checks) => {
    const queries = replayed.manifest["queries"] as readonly Manifest[];
    for (const [q, query] of queries.entries()) await replayQuery(replayed, checks, query, `q${q}`);
  },
);

async function replayQuery(replayed: Case, checks: Checks, query: Manifest, label: string): Promise<void> {
  const items = (query["items"] ?? []) as readonly Item[];
  const pairs = sourcesOf(query);
  checks.same(`${label}: sources`, pairs, query["data_sources_normalised"] ?? pairs);
  const sources = pairs.map(([directory, role]): DataSource => {
    const fields = items.find((item) => item[role] !== undefined)?.[role];
    return { role, directory, ...declaration(directory, fields ?? {}) };
  });
  try {
    const found = await discover(join(replayed.directory, query["root"]), sources);
    checkDiscovery(checks, found, sources, query, replayed.directory, label);
    for (const [i, { files }] of found.samples.entries()) {
      const item = `${label}.item${i}`;
      checks.same(`${item}: parts`, Object.keys(items[i] ?? {}), [...pairs.map(([, role]) => role), "idx"]);
      checks.same(`${item}: number`, i, items[i]?.["idx"]);
      for (const source of sources) {
        const file = files[source.role] ?? "";
        const fields = items[i]?.[source.role] ?? {};
        const whole = await readPt(file);
        await withEntries(file, (entries) => checkTensors(checks, `${item}.${source.role}`, entries, source, fields));
        checkOthers(replayed, checks, `${item}.${source.role}`, whole, fields);
      }
    }
    if (query["raises"]) checks.fail(`${label}: accepted, expected ${query["raises"]}`);
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    if (!query["raises"]) checks.fail(`${label}: ${error.message}`);
  }
}

/** Directory and role of each source; the reference knows a mapping, a list, and a default for neither. */
function sourcesOf({ data_sources: given }: Manifest): readonly (readonly [directory: string, role: string])[] {
  if (Array.isArray(given)) return given.map((directory: string) => [directory, directory]);
  return Object.entries(given ?? { latents: "latent_conditions", conditions: "text_conditions" });
}

/** The reference goes by names and contents, a strategy declares kinds: the kind that reads these fields. */
function declaration(directory: string, fields: Fields): Pick<DataSource, "kind" | "key" | "axes"> {
  const rank = (key: string): number => fields[key]?.["tensor"]?.shape.length ?? 0;
  if (rank("latents") === 4) return { kind: "video_latents" };
  if (rank("latents") === 3) return { kind: "audio_latents" };
  if (rank("prompt_attention_mask") > 0) return { kind: "text_embeddings" };
  if (rank("mask") > 0) return { kind: "video_mask" };
  const [key] = Object.keys(fields).filter((name) => rank(name) > 0);
  if (key !== undefined) return { kind: "tensor", key, axes: Array.from({ length: rank(key) }, (_, i) => `axis${i}`) };
  return { kind: directory.toLowerCase().includes("latent") ? "video_latents" : "text_embeddings" };
}

function checkDiscovery(
  checks: Checks,
  found: Dataset,
  sources: readonly DataSource[],
  query: Manifest,
  directory: string,
  label: string,
): void {
  const line = skippedLine(found);
  const files = Object.fromEntries(
    sources.map((source) => {
      const top = join(found.root, source.directory);
      return [source.role, found.samples.map((sample) => relative(top, sample.files[source.role] ?? ""))];
    }),
  );
  const actual: Manifest = {
    resolved_root: relative(directory, found.root),
    length: found.samples.length,
    skipped: found.skipped.length,
    log: line === null ? [] : [line],
    sample_files: files,
  };
  for (const [field, value] of Object.entries(actual)) {
    if (query[field] !== undefined) checks.same(`${label}: ${field}`, value, query[field]);
  }
}

/** As a data set gives them. Their strides are not looked at: the project lays them out anew. */
function checkTensors(checks: Checks, label: string, entries: Entries, source: DataSource, fields: Fields): void {
  const read = readSource(entries, source, null);
  for (const [name, { tensor, value }] of Object.entries(fields)) {
    const at = `${label}.${name}`;
    if (typeof value === "number") checks.same(at, entries.number(name), value);
    if (tensor === undefined) continue;
    const actual = tensorOf(read, entries, name, tensor.shape);
    checks.same(`${at}: storage`, actual.storage, storages[tensor.dtype]);
    checks.compare(at, { shape: actual.shape, data: actual.values }, "exact");
  }
}

/** What is no tensor, as the file has it. */
function checkOthers(replayed: Case, checks: Checks, label: string, whole: PtValue, fields: Fields): void {
  const entries: ReadonlyMap<PtValue, PtValue> = whole instanceof Map ? whole : new Map();
  for (const [name, field] of Object.entries(fields)) {
    if (field["tensor"] !== undefined) continue;
    if (entries.has(name)) checkValue(replayed, checks, `${label}.${name}`, entries.get(name) ?? null, field);
    else checks.fail(`${label}.${name}: missing`);
  }
}

/** A field of an item as the data set gives it; entries that no source reads come as the file has them. */
function tensorOf(read: HostSource, entries: Entries, name: string, shape: readonly number[]): FileTensor {
  const { storage, ...raw } = entries.tensor(name);
  const taken = fieldOf(read, name);
  if (taken === null) return { storage, ...raw };
  // Masks are read as one value per token, whatever their shape in the file.
  const isFlat = read.kind === "video_mask" || read.kind === "audio_mask";
  return { storage, shape: isFlat ? shape : taken.shape, values: Float32Array.from(taken.data) };
}

function fieldOf(read: HostSource, name: string) {
  switch (read.kind) {
    case "video_latents":
    case "audio_latents":
      return name === "latents" ? read.latents : null;
    case "video_mask":
    case "audio_mask":
      return name === "mask" ? read.mask : null;
    case "text_embeddings":
      if (name === "prompt_attention_mask") return read.mask;
      if (name === "audio_prompt_embeds") return read.audio;
      return name === "video_prompt_embeds" || name === "prompt_embeds" ? read.video : null;
    case "tensor":
      return read.value;
  }
}
