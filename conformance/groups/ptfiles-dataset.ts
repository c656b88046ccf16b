import { join, relative } from "node:path";
import { discover, skippedLine, type Dataset } from "../../runtime/data/dataset.ts";
import type { DataSource } from "../../runtime/data/directories.ts";
import { withEntries, type Entries, type FileTensor } from "../../runtime/data/entries.ts";
import { readSource, type HostSource } from "../../runtime/data/sample.ts";
import { FindingsError } from "../../runtime/findings.ts";
import { golden, type Case, type Manifest, type Replay } from "../case.ts";
import { compare } from "../compare.ts";
import { storages } from "../golden-batch.ts";

/** Fields of one source of an item: a number, or the description of a tensor that the case stores. */
type Fields = Readonly<Record<string, Manifest>>;

/** Finds the samples of each query and reads every one of them. */
export const replayDataset: Replay = async (replayed) => {
  const queries = replayed.manifest["queries"] as readonly Manifest[];
  const reasons = await Promise.all(queries.map((query, q) => replayQuery(replayed, query, q)));
  return reasons.flat();
};

async function replayQuery(replayed: Case, query: Manifest, q: number): Promise<string[]> {
  const items = (query["items"] ?? []) as readonly Readonly<Record<string, Fields>>[];
  const sources = sourcesOf(query).map(([directory, role]): DataSource => {
    const fields = items.find((item) => item[role] !== undefined)?.[role];
    return { role, directory, ...declaration(directory, fields ?? {}) };
  });
  try {
    const found = await discover(join(replayed.directory, query["root"]), sources);
    const reasons = checkDiscovery(found, sources, query, replayed.directory);
    for (const [i, sample] of found.samples.entries()) {
      const expected = items[i] ?? {};
      for (const source of sources) {
        const label = `q${q}.item${i}.${source.role}`;
        const fields = expected[source.role] ?? {};
        const check = (entries: Entries) => checkItem(replayed, label, entries, source, fields);
        reasons.push(...(await withEntries(sample.files[source.role] ?? "", check)));
      }
    }
    return query["raises"] ? [`q${q}: accepted, expected ${query["raises"]}`] : reasons.map((why) => `q${q}: ${why}`);
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    return query["raises"] ? [] : [`q${q}: ${error.message}`];
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

function checkDiscovery(found: Dataset, sources: readonly DataSource[], query: Manifest, directory: string): string[] {
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
  return Object.keys(actual).flatMap((field) => {
    const [is, expected] = [JSON.stringify(actual[field]), JSON.stringify(query[field])];
    return is === expected || query[field] === undefined ? [] : [`${field} is ${is}, expected ${expected}`];
  });
}

function checkItem({ tensors }: Case, label: string, entries: Entries, source: DataSource, fields: Fields): string[] {
  const read = readSource(entries, source, null);
  return Object.entries(fields).flatMap(([name, field]) => {
    if (field["tensor"] === undefined) return checkNumber(`${label}.${name}`, entries.number(name), field["value"]);
    const actual = tensorOf(read, entries, name, field["tensor"].shape);
    const expected = golden(tensors, `${label}.${name}`);
    const storage = storages[expected.dtype];
    const kept = storage === actual.storage ? [] : [`${label}.${name} is stored as ${actual.storage}, not ${storage}`];
    return [...kept, ...compare(`${label}.${name}`, { shape: actual.shape, data: actual.values }, expected, "exact")];
  });
}

function checkNumber(label: string, actual: number | null, expected: unknown): string[] {
  return actual === expected ? [] : [`${label} is ${actual}, expected ${String(expected)}`];
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
