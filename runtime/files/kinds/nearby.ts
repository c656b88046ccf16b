import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { suggest } from "../../nearest-word.ts";

/** What programs add to the names of files that they have not downloaded as a whole. */
const UNFINISHED = /\.(incomplete|part|partial|crdownload|download|tmp|aria2|!qb)$/i;

/** The ending of weights, which people leave out. */
const ENDING = ".safetensors";

/** What to write in place of a path that leads nowhere, or what has become of that file; null where nothing near it looks like it. */
export async function helpForNearby(path: string): Promise<string | null> {
  const slashes = path.replaceAll("\\", "/");
  if (slashes !== path && existsSync(slashes)) return `write it with \`/\` in place of \`\\\`: ${slashes} is there`;
  const names = await readdir(dirname(path)).catch(() => []);
  const name = basename(path);
  const unfinished = names.find((other) => other.startsWith(name) && UNFINISHED.test(other));
  if (unfinished !== undefined) return `let the download finish: of this file only \`${unfinished}\` is there`;
  const weights = names.filter((other) => other.toLowerCase().endsWith(ENDING));
  const meant = weights.find((other) => other === name + ENDING) ?? suggest(name, weights);
  return meant === null ? null : `did you mean \`${meant}\`, which is in the same folder?`;
}
