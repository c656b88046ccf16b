/** Sets of samples that are mixed in every batch: where they lie, and how many samples of each a batch has. */
import { realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import type { DatasetInfo } from "../contract.ts";
import { DATA_ROOT, fail, FindingsError, type Finding } from "../findings.ts";
import { didYouMean } from "../nearest-word.ts";
import { failWithoutRoot } from "./data-root.ts";
import { discover, type Dataset, type Sample } from "./dataset.ts";
import { checkDirectory, filledIn, isBelow, normalize, resolveRoot, type DataSource } from "./directories.ts";
import { foreignLink } from "./links.ts";

/** What of a run config decides on data sets. */
interface Settings {
  readonly params: Readonly<Record<string, unknown>>;
  /** `data.preprocessed_data_root` */
  readonly root: string;
  /** `runtime.datasets`: folders in place of those that the strategy names. */
  readonly folders: Readonly<Record<string, string>>;
}

/** A data set of a run. */
export interface DataSet {
  readonly name: string;
  readonly root: string;
  /** Of a batch. */
  readonly share: number;
  /** Roles of the sources that it does not have. */
  readonly without: readonly string[];
  /** The setting that chose its folder. */
  readonly place: Finding["path"];
}

/** Rounding leaves this much of shares that are a whole batch together, or a whole number of samples. */
const tolerance = 1e-9;

/**
 * The data sets of a strategy with the folders and shares of this run; none where it has none.
 * Errors: FindingsError LTX6387 (folders of data sets that there are not), LTX6386 (shares), LTX6385 (no such folder, or one twice), LTX6122.
 */
export async function datasetsOf(infos: readonly DatasetInfo[], settings: Settings): Promise<readonly DataSet[]> {
  checkNames(infos, settings.folders);
  const shares = sharesOf(infos, settings.params);
  const sets: DataSet[] = [];
  for (const [i, info] of infos.entries()) {
    const { name, without = [] } = info;
    const own = settings.folders[name];
    const place = own === undefined ? DATA_ROOT : ["runtime", "datasets", name];
    const root = own ?? (await folderOf(info, settings));
    if ((await resolveRoot(root)) === null) await failWithoutFolder(name, root, place);
    const same = sets.find((other) => other.root === root);
    if (same !== undefined) {
      const message = `the data sets \`${same.name}\` and \`${name}\` have the same folder, ${root}`;
      const help = `name another one in the strategy, \`${name}: {root: …}\`, or in the run config: \`runtime: {datasets: {${name}: …}}\``;
      fail("LTX6385", message, help, place);
    }
    sets.push({ name, root, share: shares[i] ?? 0, without, place });
  }
  return sets;
}

function checkNames(infos: readonly DatasetInfo[], folders: Settings["folders"]): void {
  const names = infos.map(({ name }) => name);
  const unknown = Object.keys(folders).filter((name) => !names.includes(name));
  const findings = unknown.map((name): Finding => {
    const known = names.length === 0 ? "it has none" : `there are: ${names.map((each) => `\`${each}\``).join(", ")}`;
    const message = `the strategy has no data set \`${name}\``;
    const help = didYouMean(name, names) ?? known;
    return { code: "LTX6387", severity: "error", path: ["runtime", "datasets", name], message, help };
  });
  if (findings.length > 0) throw new FindingsError(findings);
}

/** The compiler has checked numbers; parameters are known only now. */
function sharesOf(infos: readonly DatasetInfo[], params: Settings["params"]): readonly number[] {
  if (infos.length === 0) return [];
  const given = infos.map(({ share }) => (typeof share === "string" ? Number(params[share]) : share));
  const sum = given.reduce((a: number, share) => a + (share ?? 0), 0);
  const open = infos.find(({ share }) => share === undefined);
  const isWrong = given.some((share) => share !== undefined && !(share > 0 && share < 1 + tolerance));
  const isWhole = open === undefined ? Math.abs(sum - 1) <= tolerance : sum < 1 - tolerance;
  if (!isWrong && isWhole) return given.map((share) => share ?? 1 - sum);
  const named = infos.flatMap(({ share }) => (typeof share === "string" ? [share] : []));
  const shown = infos.flatMap(({ name }, i) => (given[i] === undefined ? [] : [`\`${name}\` ${given[i]}`]));
  const message = `the shares of the data sets are no whole batch: ${shown.join(", ")}`;
  const help =
    open === undefined
      ? "shares lie between 0 and 1, and are 1 together"
      : `shares lie between 0 and 1, and together below 1: \`${open.name}\` gets what is left`;
  return fail("LTX6386", message, help, ["training_strategy", named[0] ?? "name"]);
}

/** Below the data root, or below `.precomputed` in it; that root itself where the strategy names none. */
async function folderOf({ name, root: template }: DatasetInfo, { params, root }: Settings): Promise<string> {
  if (template === undefined) return root;
  const below = filledIn(template, params);
  if (!isBelow(below)) {
    const message = `the data set \`${name}\`: \`${below}\` is not below the data root`;
    fail("LTX6122", message, "write a path below the data root, or any path in `runtime.datasets`", DATA_ROOT);
  }
  const nested = (await resolveRoot(root)) ?? root;
  for (const base of new Set([root, nested])) {
    const found = (await stat(join(base, below)).catch(() => null))?.isDirectory() === true;
    if (!found) continue;
    const link = await foreignLink(base, normalize(below));
    if (link === null) return join(base, below);
    const message = `the data set \`${name}\`: ${link} is a link that another user made, to ${await realpath(link)}`;
    fail("LTX6122", message, "make it yourself", DATA_ROOT);
  }
  return join(root, below);
}

async function failWithoutFolder(name: string, root: string, place: Finding["path"]): Promise<never> {
  const what = (await stat(root).catch(() => null)) === null ? "there is no folder" : "it is no folder:";
  const help = `preprocess its clips into this folder, or name another one in the run config: \`runtime: {datasets: {${name}: …}}\``;
  return fail("LTX6385", `the data set \`${name}\`: ${what} ${root}`, help, place);
}

/**
 * Finds the samples of all data sets, in their order; names begin with that of the data set. Sources that are one file lie below `root`.
 * Errors: those of `discover`.
 */
export async function discoverAll(
  root: string,
  sets: readonly DataSet[],
  sources: readonly DataSource[],
): Promise<Dataset> {
  if (sets.length === 0) return discover(root, sources);
  const shared = await sharedFiles(root, sources);
  const folders = sources.filter((source) => source.shared !== true);
  const found: Dataset[] = [];
  for (const set of sets) {
    const own = folders.filter(({ role }) => !set.without.includes(role));
    const placed = set.place === DATA_ROOT ? own : own.map((source) => ({ ...source, place: set.place }));
    const { samples, skipped, ...rest } = await discover(set.root, placed);
    const nameOf = (name: string) => `${set.name}/${name}`;
    found.push({
      ...rest,
      samples: samples.map(({ name, files }): Sample => {
        return { name: nameOf(name), files: { ...files, ...shared }, set: set.name };
      }),
      skipped: skipped.map((sample) => ({ ...sample, name: nameOf(sample.name) })),
    });
  }
  return {
    root: found.map((dataset) => dataset.root).join(", "),
    samples: found.flatMap(({ samples }) => samples),
    skipped: found.flatMap(({ skipped }) => skipped),
    warnings: found.flatMap(({ warnings }) => warnings),
    notes: found.flatMap(({ notes }) => notes),
  };
}

async function sharedFiles(root: string, sources: readonly DataSource[]): Promise<Readonly<Record<string, string>>> {
  const shared = sources.filter((source) => source.shared === true);
  if (shared.length === 0) return {};
  const resolved = (await resolveRoot(root)) ?? (await failWithoutRoot(root));
  const findings = (await Promise.all(shared.map((source) => checkDirectory(resolved, source)))).filter(
    (finding) => finding !== null,
  );
  if (findings.length > 0) throw new FindingsError(findings);
  return Object.fromEntries(shared.map(({ role, directory }) => [role, join(resolved, directory)]));
}

/** How many samples of each data set a batch has. Errors: FindingsError LTX6384 where a share is no whole number of samples. */
export function perBatch(sets: readonly DataSet[], batchSize: number): readonly number[] {
  const counts = sets.map(({ share }) => share * batchSize);
  const isWhole = (count: number) => Math.abs(count - Math.round(count)) < tolerance * batchSize && count > 0.5;
  const broken = sets.find((_, i) => !isWhole(counts[i] ?? 0));
  if (broken === undefined) return counts.map(Math.round);
  const fitting = Array.from({ length: 64 }, (_, i) => i + 1).find((size) =>
    sets.every(({ share }) => isWhole(share * size)),
  );
  const [share, samples] = [broken.share, broken.share * batchSize].map((value) => Number(value.toFixed(6)));
  const message = `the data set \`${broken.name}\` has the share ${share} of a batch, and of ${batchSize} ${batchSize === 1 ? "sample" : "samples"} that is ${samples}`;
  const help =
    fitting === undefined
      ? "choose shares such as 0.5 or 0.25"
      : `write \`batch_size: ${fitting}\`, or a multiple of it; gradient accumulation does not help, as every batch has its shares`;
  return fail("LTX6384", message, help, ["optimization", "batch_size"]);
}
