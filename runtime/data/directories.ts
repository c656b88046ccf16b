import { realpath, stat } from "node:fs/promises";
import { isAbsolute, join, posix, win32 } from "node:path";
import type { SourceInfo, SourceKind } from "../contract.ts";
import { DATA_ROOT, type Finding } from "../findings.ts";
import { foreignLink } from "./links.ts";

/** A directory of files, one per sample; or one file for all samples. */
export interface DataSource {
  /** The strategy's name for it; two sources may share a directory. */
  readonly role: string;
  /** Below the data root, with `/` between its parts. */
  readonly directory: string;
  /** Whether `directory` is the path of one file, whose value all samples share. */
  readonly shared?: boolean;
  /** Whether samples without a file of it are samples, too. */
  readonly optional?: boolean;
  readonly kind: SourceKind;
  /** Kind `tensor` only: the entry of the file and the names of its axes. */
  readonly key?: string;
  readonly axes?: readonly string[];
  /** Kind `tensor` only: the smallest and the largest number that it may hold. */
  readonly range?: readonly [number, number];
  /** Kind `tensor` only: heads and networks that have as many features. */
  readonly meets?: readonly string[];
  /** The place in the run config that chose the directory; without it, that of the data root. */
  readonly place?: Finding["path"];
}

/** A template with `${param}` replaced by the parameters' values. */
export const filledIn = (template: string, params: Readonly<Record<string, unknown>>): string =>
  template.replace(/\$\{(\w+)\}/g, (_, param: string) => String(params[param]));

/** A strategy's sources, with `${param}` in their directories replaced by the parameters' values. */
export function sourcesOf(infos: readonly SourceInfo[], params: Readonly<Record<string, unknown>>): DataSource[] {
  return infos.map(({ name, directory, ...info }) => {
    const used = [...directory.matchAll(/\$\{(\w+)\}/g)].map(([, param = ""]) => param);
    const resolved = filledIn(directory, params);
    const place = used.length === 0 ? {} : { place: ["training_strategy", used[0] ?? ""] };
    return { role: name, directory: normalize(resolved), ...place, ...info };
  });
}

/** As sources name it: without `.` and without a slash at the end. */
export const normalize = (directory: string): string => posix.normalize(directory).replace(/\/$/, "");

const isDirectory = async (path: string) => (await stat(path).catch(() => null))?.isDirectory() === true;
const isFile = async (path: string) => (await stat(path).catch(() => null))?.isFile() === true;

/** The directory that holds the sources: `.precomputed` in `root`, where there is one, else `root`; null if there is no `root`. */
export async function resolveRoot(root: string): Promise<string | null> {
  const nested = join(root, ".precomputed");
  if (await isDirectory(nested)) return nested;
  return (await isDirectory(root)) ? root : null;
}

/** What a path with `\\` in it is on a system that separates folders by `/`, if that is there; otherwise null. */
export async function withSlashes(path: string): Promise<string | null> {
  const meant = path.replaceAll("\\", "/");
  const isThere = meant !== path && (await stat(meant).catch(() => null)) !== null;
  return isThere ? meant : null;
}

/** Why `source` can not be used: it lies outside of `root`, behind a link that somebody else made, or is not there. Null if it can. */
export async function checkDirectory(root: string, source: DataSource): Promise<Finding | null> {
  const { role, directory, place = DATA_ROOT } = source;
  const refuse = (code: string, message: string, help: string): Finding => ({
    code,
    severity: "error",
    path: place,
    message: `the source \`${role}\`: ${message}`,
    help,
  });
  const inside = "write a path below the data root, such as `latents`";
  if (!isBelow(directory)) return refuse("LTX6122", `\`${directory}\` is not below the data root`, inside);
  const path = join(root, directory);
  if (source.shared === true && !(await isFile(path))) {
    const help = "put the one file of this source there, or correct the data root or the file's name";
    const message = (await isDirectory(path)) ? `${path} is a folder, not a file` : `there is no file ${path}`;
    return refuse("LTX6144", message, help);
  }
  if (source.shared !== true && !(await isDirectory(path))) {
    const what = await stat(path).catch(() => null);
    const isMeant = (await withSlashes(path)) !== null;
    const help = isMeant ? `write \`${directory.replaceAll("\\", "/")}\`` : helpForMissing(directory);
    const problem = what === null ? "does not exist" : "is not a directory";
    return refuse("LTX6121", `the directory ${path} ${problem}`, help);
  }
  const link = await foreignLink(root, normalize(directory));
  if (link === null) return null;
  return refuse("LTX6122", `${link} is a link that another user made, to ${await realpath(link)}`, "make it yourself");
}

/** What to do about a directory that is not there; `masks/*.pt` names files in place of their folder. */
function helpForMissing(directory: string): string {
  const folder = /^(.+?)\/[^/]*(?:\*|\.(?:pt|safetensors)$)/i.exec(directory)?.[1];
  return folder === undefined
    ? "preprocess the data for this strategy, or correct the data root or the directory's name"
    : `name the folder, not its files: write \`${folder}\``;
}

/** Absolute in the sense of any system, `..` in any place, the root itself: none of these is below the root. */
export function isBelow(directory: string): boolean {
  if (directory.includes("\0") || isAbsolute(directory) || win32.isAbsolute(directory)) return false;
  const parts = directory.split(/[\\/]/).filter((part) => part !== "" && part !== ".");
  return parts.length > 0 && !parts.includes("..") && !/^[A-Za-z]:/.test(directory);
}
