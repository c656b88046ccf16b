/** `--overwrite`: deletes what ltxc wrote into a run's folder, and nothing else. */
import { createHash } from "node:crypto";
import { lstat, readdir, readFile, realpath, rm } from "node:fs/promises";
import { join, sep } from "node:path";
import { mediaOf } from "../config/paths.ts";
import type { RunConfig } from "../config/run-config.ts";
import { keptFolder, keptList } from "../files/kept-sources.ts";
import { firstLineOf, isOwnConfig, isOwnPage } from "../files/written-by-us.ts";
import { fail, type Finding } from "../findings.ts";
import { isOurs, weightsIn } from "./contents.ts";
import { counted, size } from "./wording.ts";

const place: Finding["path"] = ["output_dir"];

/** A kind of files, as people know it, with the folder of a run that it lies in and the names that ltxc gives it. */
interface Kind {
  readonly noun: string;
  readonly folder: string;
  readonly names: RegExp;
}

const kinds: readonly Kind[] = [
  { noun: "training state", folder: "checkpoints", names: /^training_state_step_\d+\.state$/ },
  { noun: "heads file", folder: "checkpoints", names: /^heads_\d+\.safetensors$/ },
  { noun: "moving average", folder: "checkpoints", names: /^(lora|model|heads)_ema_\d+\.safetensors$/ },
  { noun: "metrics file", folder: "", names: /^metrics\.jsonl$/ },
  { noun: "saved config", folder: "", names: /^training_config\.yaml$/ },
  { noun: "report", folder: "", names: /^report\.html$/ },
  { noun: "TensorBoard file", folder: "tensorboard", names: /^events\.out\.tfevents\.\d+\..*\.\d+$/ },
  { noun: "sample file", folder: "samples", names: /^(step_\d{6,}|base)_\d+(_audio)?\.(safetensors|png|mp4)$/ },
  { noun: "sample file", folder: "samples/latents", names: /^(step_\d{6,}|base)_\d+\.pt$/ },
  { noun: "sample file", folder: "samples/audio_latents", names: /^(step_\d{6,}|base)_\d+\.pt$/ },
];

interface OwnFile {
  readonly path: string;
  readonly noun: string;
  readonly bytes: number;
}

/** What will be deleted, when everything else about the run is in order. */
export interface Removal {
  readonly files: readonly OwnFile[];
  /** `2 checkpoints and 2 training states (3.1 MiB), 1 metrics file (12.0 KiB)`; empty if nothing lies there. */
  readonly text: string;
}

/**
 * What `--overwrite` deletes of a run's folder. Links are left alone, and so is everything that ltxc did not write.
 * @throws FindingsError LTX6342 where a new run would overwrite what may not be deleted: weights that ltxc did not save, or what the run
 * itself reads
 */
export async function removalOf(config: RunConfig): Promise<Removal> {
  const folder = config.output_dir;
  const weights = await weightsIn(folder);
  const foreign = weights.filter((saved) => !isOurs(saved) || !isNamedByUs(saved.path));
  if (foreign.length > 0) {
    const [first, ...more] = foreign.map(({ path }) => path);
    const others = more.length === 0 ? "" : ` and ${more.length} more`;
    const message = `${first}${others} cannot be told to be of ltxc, so \`--overwrite\` does not delete them`;
    fail("LTX6342", message, "move them away, or train in another folder: `ltxc run --new`", place);
  }
  const own = weights.map(({ path }) => ({ path, noun: "checkpoint" }));
  const files = await sized([...own, ...(await named(folder)), ...(await keptSources(folder))]);
  await checkNotRead(config, files);
  return { files, text: textOf(files) };
}

const isNamedByUs = (path: string): boolean => /(lora|model)_weights_step_\d+\.safetensors$/.test(path);

/** Deletes the files of a removal, the states and heads before the weights that they belong to. */
export async function remove({ files }: Removal): Promise<void> {
  for (const { path } of files.toReversed()) await rm(path, { force: true });
}

type Named = Omit<OwnFile, "bytes">;

async function named(folder: string): Promise<readonly Named[]> {
  const found: Named[] = [];
  for (const { noun, folder: part, names } of kinds) {
    for (const path of await filesIn(folder, part))
      if (names.test(nameOf(path)) && (await isWrittenByUs(path))) found.push({ path, noun });
  }
  return found;
}

/** Files whose names others give, too. */
const marked: Readonly<Record<string, (beginning: string) => boolean>> = {
  "report.html": isOwnPage,
  "training_config.yaml": isOwnConfig,
};

async function isWrittenByUs(path: string): Promise<boolean> {
  const isOwn = marked[nameOf(path)];
  return isOwn === undefined || ((await firstLineOf(path, isOwn))?.isOwn ?? true);
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf(sep) + 1);

/** Regular files of a folder within the run's; none where a part of the way is a link. */
async function filesIn(folder: string, part: string): Promise<readonly string[]> {
  let inner = folder;
  for (const name of part.split("/").filter((each) => each !== "")) {
    inner = join(inner, name);
    if ((await lstat(inner).catch(() => null))?.isDirectory() !== true) return [];
  }
  const entries = await readdir(inner, { withFileTypes: true }).catch(() => []);
  return entries.flatMap((entry) => (entry.isFile() ? [join(inner, entry.name)] : []));
}

/** Sources that a run kept and that nobody has changed since: the folder may be one of the user's own. */
async function keptSources(folder: string): Promise<readonly Named[]> {
  const files = await filesIn(folder, keptFolder);
  const list = files.find((path) => nameOf(path) === keptList);
  if (list === undefined) return [];
  const kept = await readKept(list);
  const found: Named[] = [{ path: list, noun: "list of sources" }];
  for (const path of files) {
    const hash = kept[nameOf(path)];
    if (
      hash !== undefined &&
      hash ===
        createHash("sha256")
          .update(await readFile(path))
          .digest("hex")
    )
      found.push({ path, noun: "kept source" });
  }
  return found;
}

async function readKept(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

async function sized(files: readonly Named[]): Promise<readonly OwnFile[]> {
  return Promise.all(
    files.map(async (file) => ({ ...file, bytes: (await lstat(file.path).catch(() => null))?.size ?? 0 })),
  );
}

/** The run's own model, start, data and samples may lie in its folder. */
async function checkNotRead(config: RunConfig, files: readonly OwnFile[]): Promise<void> {
  const output = await real(config.output_dir);
  const own = await Promise.all(files.map(async ({ path }) => ({ path, real: await real(path) })));
  for (const [setting, name] of readBy(config)) {
    const input = name === null ? null : await real(name);
    if (input === null || (input !== output && !input.startsWith(`${output}${sep}`))) continue;
    const clash = own.find((file) => file.real === input || file.real.startsWith(`${input}${sep}`));
    if (clash === undefined) continue;
    const message = `the run reads ${name}, and \`--overwrite\` would delete ${clash.path}`;
    fail("LTX6342", message, "train in another folder: `ltxc run --new`", setting);
  }
}

const real = async (path: string): Promise<string> => realpath(path).catch(() => path);

/** The settings that name files and folders which the run reads. */
function readBy({ model, data, validation }: RunConfig): readonly (readonly [Finding["path"], string | null])[] {
  const samples = validation.samples.flatMap(({ conditions_file, conditions }, i) => {
    const files = [conditions_file, ...conditions.flatMap(mediaOf).map(({ path }) => path)];
    return files.map((file) => [["validation", "samples", i], file] as const);
  });
  return [
    [["model", "model_path"], model.model_path],
    [["model", "load_checkpoint"], model.load_checkpoint],
    [["data", "preprocessed_data_root"], data.preprocessed_data_root],
    [["validation", "negative_conditions_file"], validation.negative_conditions_file],
    ...samples,
  ];
}

function textOf(files: readonly OwnFile[]): string {
  const groups = new Map<string, OwnFile[]>();
  for (const file of files) groups.set(file.noun, [...(groups.get(file.noun) ?? []), file]);
  const parts = Array.from(groups, ([noun, group]) => {
    const bytes = group.reduce((sum, file) => sum + file.bytes, 0);
    return `${counted(group.length, noun)} (${size(bytes)})`;
  });
  return parts.join(", ");
}
