import { readdir } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import { fail, FindingsError, type Finding, DATA_ROOT } from "../findings.ts";
import { recognise } from "../files/kinds/index.ts";
import { checkLinks } from "./links.ts";
import { failWithoutRoot, otherRoot } from "./data-root.ts";
import { checkDirectory, resolveRoot, type DataSource } from "./directories.ts";

export interface Sample {
  /** Path of its file below the primary source's directory, with `/` between the parts. */
  readonly name: string;
  /** Path of the file of each source, by role; without optional sources of which it has none. */
  readonly files: Readonly<Record<string, string>>;
  /** Where several data sets are mixed: the name of its own, with which its own name begins, too. */
  readonly set?: string;
}

export interface Dataset {
  /** The directory that holds the sources' directories. */
  readonly root: string;
  readonly samples: readonly Sample[];
  /** Samples that lack a file, and which. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  readonly warnings: readonly Finding[];
  /** Files that macOS made for its own notes (`._clip.pt`), which are no samples. */
  readonly notes: readonly string[];
}

/**
 * Finds the samples: every `.pt` file of the primary source, at any depth, whose counterpart exists in all other sources. Primary is
 * the source in the directory `latents`, else the first one with a directory that is not optional. Samples are in the order of their path's parts. Files of other sources
 * without a counterpart are ignored. A source that is one file has that file in every sample.
 * Errors: FindingsError LTX6120 (no root), LTX6121, LTX6122 and LTX6144 (all sources without a usable directory or file at once), LTX6123 (no file),
 * LTX6124 (no complete sample), LTX6383 (an optional source that no sample has), LTX6125 (not readable), LTX6126 (links of somebody else that lead out of the root).
 */
export async function discover(root: string, sources: readonly DataSource[]): Promise<Dataset> {
  const folders = sources.filter(({ shared }) => shared !== true);
  const certain = folders.filter(({ optional }) => optional !== true);
  const primary = certain.find(({ directory }) => directory === "latents") ?? certain[0];
  if (primary === undefined) throw new RangeError("a data set has a source with a directory that all samples have");
  const resolved = await resolveRoot(root);
  if (resolved === null) return failWithoutRoot(root);
  await checkDirectories(resolved, sources);
  const notes: string[] = [];
  const listings = await listAll(resolved, folders, notes);
  const names = listings.get(primary.directory)?.files ?? [];
  if (names.length === 0) failEmpty(join(resolved, primary.directory), primary);
  const paired = pair(resolved, sources, primary, listings, names);
  checkPresent(paired, sources);
  const warnings = [...namedAsSamples(resolved, listings), ...(await warningsOf(paired, listings))];
  return { ...paired, notes, warnings };
}

/** About folders with the name of a sample. */
function namedAsSamples(root: string, listings: Listings): readonly Finding[] {
  return [...listings].flatMap(([directory, { folders }]) =>
    folders.map((name): Finding => {
      const message = `${join(root, directory, name)} is a folder, not a file: it is no sample`;
      const help = "put the file there, or rename the folder; files in it count as samples of their own";
      return { code: "LTX6166", severity: "warning", path: DATA_ROOT, message, help };
    }),
  );
}

/** About files of samples that are links. */
async function warningsOf({ root, samples }: Paired, listings: Listings): Promise<readonly Finding[]> {
  const folders = [...listings.keys()].map((directory) => join(root, directory));
  const links = [...listings].flatMap(([directory, { links }]) => links.map((name) => join(root, directory, name)));
  if (links.length === 0) return [];
  const used = new Set(samples.flatMap(({ files }) => Object.values(files)));
  const findings = await checkLinks(
    root,
    folders,
    links.filter((link) => used.has(link)),
  );
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new FindingsError(errors);
  return findings;
}

/** The line that tells the user of skipped samples, null if there are none. */
export function skippedLine({ samples, skipped }: Paired): string | null {
  return skipped.length === 0
    ? null
    : `Skipped ${skipped.length} invalid samples from ${samples.length + skipped.length} total`;
}

async function checkDirectories(root: string, sources: readonly DataSource[]): Promise<void> {
  const elsewhere = await otherRoot(root, sources);
  if (elsewhere !== null) throw new FindingsError([elsewhere]);
  const findings: Finding[] = [];
  for (const source of sources) {
    const finding = await checkDirectory(root, source);
    if (finding !== null) findings.push(finding);
  }
  if (findings.length > 0) throw new FindingsError(findings);
}

/** Paths below a directory. */
interface Listing {
  /** All `.pt` files, those that are links among them. */
  readonly files: string[];
  readonly links: string[];
  /** Folders that have the name of a file. */
  readonly folders: string[];
}

type Listings = ReadonlyMap<string, Listing>;

/** The `.pt` files of each directory, once even where sources share it. */
async function listAll(root: string, sources: readonly DataSource[], notes: string[]): Promise<Listings> {
  // Of sources that share a directory, the first one's place is named where it can not be read.
  const places = new Map(sources.toReversed().map(({ directory, place = DATA_ROOT }) => [directory, place]));
  const listings = [...places].map(async ([directory, place]) => {
    const listing: Listing = { files: [], links: [], folders: [] };
    await listFiles(join(root, directory), "", place, listing);
    return [directory, await withoutNotes(join(root, directory), listing, notes)] as const;
  });
  return new Map(await Promise.all(listings));
}

/**
 * Adds the paths below `top` of all `.pt` files in `folder`, in the order of their parts: `a/x` comes before `a-b/x`. No file is looked
 * at, only the directories. Links to files count as files, links to directories are not followed.
 */
async function listFiles(top: string, folder: string, place: Finding["path"], listing: Listing): Promise<void> {
  const names: string[] = [];
  const folders = new Set<string>();
  for (const entry of await entriesOf(join(top, folder), place)) {
    const { name } = entry;
    const isFolder = entry.isDirectory();
    if (isFolder) folders.add(name);
    if (isFolder && name.endsWith(".pt")) listing.folders.push(folder + name);
    if (isFolder || name.endsWith(".pt")) names.push(name);
    if (entry.isSymbolicLink() && name.endsWith(".pt")) listing.links.push(folder + name);
  }
  for (const name of sortByCodePoints(names)) {
    if (folders.has(name)) await listFiles(top, `${folder}${name}/`, place, listing);
    else listing.files.push(folder + name);
  }
}

/** The files of `top` that are not notes of macOS, by their name and first bytes; the others are added to `notes`. */
async function withoutNotes(top: string, { files, links, folders }: Listing, notes: string[]): Promise<Listing> {
  const found = new Set<string>();
  for (const file of files.filter((name) => basename(name).startsWith("._"))) {
    const path = join(top, file);
    if ((await recognise(path)).kind !== "apple-double") continue;
    found.add(file);
    notes.push(path);
  }
  const isOwn = (file: string) => !found.has(file);
  return found.size === 0
    ? { files, links, folders }
    : { files: files.filter(isOwn), links: links.filter(isOwn), folders };
}

async function entriesOf(path: string, place: Finding["path"]) {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    const { code = "unknown" } = error as NodeJS.ErrnoException;
    return fail("LTX6125", `the directory ${path} can not be read (${code})`, "check its permissions", place);
  }
}

/** Strings compare by their halves of code points, which is another order where a name has both halves of one: an emoji, say. */
function sortByCodePoints(names: readonly string[]): readonly string[] {
  if (!names.some((name) => /[\ud800-\udfff]/.test(name))) return names.toSorted();
  // UTF-8 bytes sort as code points do.
  const keyed = names.map((name) => ({ name, key: Buffer.from(name) }));
  return keyed.toSorted((a, b) => Buffer.compare(a.key, b.key)).map(({ name }) => name);
}

type Paired = Omit<Dataset, "warnings" | "notes">;

function pair(
  root: string,
  sources: readonly DataSource[],
  primary: DataSource,
  listings: Listings,
  names: readonly string[],
): Paired {
  const samples: Sample[] = [];
  const skipped: { name: string; reason: string }[] = [];
  const columns = sources.map(({ role, directory, shared, optional = false }) => {
    if (shared === true) return { role, directory, optional, path: join(root, directory), has: null };
    // Not joined for every sample: that would take half of the time.
    const path = join(root, directory) + sep;
    const has = directory === primary.directory ? () => true : lookUp(listings.get(directory)?.files ?? []);
    return { role, directory, optional, path, has };
  });
  for (const name of names) {
    const files: [role: string, path: string][] = [];
    const missing: string[] = [];
    for (const { role, directory, optional, path, has } of columns) {
      if (has === null) {
        files.push([role, path]);
        continue;
      }
      const file = directory === primary.directory ? name : counterpart(name, directory);
      if (has(file)) files.push([role, path + file]);
      else if (!optional) missing.push(`${directory}/${file}`);
    }
    if (missing.length === 0) samples.push({ name, files: Object.fromEntries(files) });
    else skipped.push({ name, reason: `${missing.join(", ")} is missing` });
  }
  if (samples.length === 0) failIncomplete(root, primary, skipped);
  return { root, samples, skipped };
}

/** A source that no sample has is most likely another folder's. */
function checkPresent({ root, samples }: Paired, sources: readonly DataSource[]): void {
  const lacking = sources.filter(({ role, optional }) => {
    return optional === true && !samples.some(({ files }) => files[role] !== undefined);
  });
  const findings = lacking.map(({ role, directory, place = DATA_ROOT }): Finding => {
    const message = `the source \`${role}\` is optional, but none of the ${samples.length} samples has a file in ${join(root, directory)}`;
    const help = `the files of one sample have the same path below each source's directory, such as ${join(directory, samples[0]?.name ?? "")}`;
    return { code: "LTX6383", severity: "error", path: place, message, help };
  });
  if (findings.length > 0) throw new FindingsError(findings);
}

/** Whether a name is listed. Names are mostly asked for in the list's own order, where a look at the next one is enough. */
function lookUp(listed: readonly string[]): (name: string) => boolean {
  let [next, all]: [number, ReadonlySet<string> | null] = [0, null];
  return (name) => {
    if (listed[next] === name) {
      next++;
      return true;
    }
    all ??= new Set(listed);
    return all.has(name);
  };
}

/** Early preprocessing numbered its files `latents/latent_X.pt` and `conditions/condition_X.pt`, the latter without subfolders. */
function counterpart(name: string, directory: string): string {
  if (directory !== "conditions" || !name.includes("latent_")) return name;
  const file = basename(name);
  if (!file.startsWith("latent_")) return name;
  return `condition_${file.slice("latent_".length)}`;
}

function failEmpty(path: string, { role, place = DATA_ROOT }: DataSource): never {
  const help = "preprocess the data first; samples are files that end in `.pt`, in this directory or below it";
  fail("LTX6123", `the source \`${role}\`: ${path} holds no .pt file`, help, place);
}

function failIncomplete(root: string, primary: DataSource, skipped: Dataset["skipped"]): never {
  const [first] = skipped;
  const example = first === undefined ? "" : `; for ${first.name}, ${first.reason}`;
  const message = `none of the ${skipped.length} samples of ${join(root, primary.directory)} has a file in every source${example}`;
  const help = "the files of one sample have the same path below each source's directory";
  fail("LTX6124", message, help, DATA_ROOT);
}
