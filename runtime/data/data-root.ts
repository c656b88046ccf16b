/** Why a data root is none, or which folder near it was meant. */
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { otherKind } from "../files/regular-file.ts";
import { DATA_ROOT, fail, type Finding } from "../findings.ts";
import { resolveRoot, withSlashes, type DataSource } from "./directories.ts";

/** @throws FindingsError LTX6120: there is no folder of this name */
export async function failWithoutRoot(root: string): Promise<never> {
  const info = await stat(root).catch(() => null);
  if (info !== null) {
    const what = otherKind(info) ?? "a file";
    const help = "name the folder in which the folders of the sources lie: `latents`, `conditions` and others";
    return fail("LTX6120", `the data root ${root} is ${what}, not a folder`, help, DATA_ROOT);
  }
  const meant = await withSlashes(root);
  const help =
    meant === null
      ? "correct `preprocessed_data_root`; relative paths start at the folder of the run config"
      : `write it with \`/\` in place of \`\\\`: ${meant} is there`;
  return fail("LTX6120", `the data root ${root} does not exist`, help, DATA_ROOT);
}

/** LTX6165 where a data root holds no source's folder, and the folder above it or one in it holds all of them; otherwise null. */
export async function otherRoot(root: string, sources: readonly DataSource[]): Promise<Finding | null> {
  const directories = [...new Set(sources.map(({ directory }) => directory))];
  const held = async (folder: string) => {
    const all = await Promise.all(directories.map((directory) => stat(join(folder, directory)).catch(() => null)));
    return all.filter((info) => info !== null).length;
  };
  if ((await held(root)) > 0) return null;
  for (const folder of [dirname(root), join(root, "data"), join(root, "preprocessed")]) {
    const resolved = await resolveRoot(folder);
    if (resolved === null || resolved === root || (await held(resolved)) < directories.length) continue;
    const names = directories.map((directory) => `\`${directory}\``).join(", ");
    const message = `the data root ${root} holds none of the folders that the strategy reads (${names}), and ${folder} holds all of them`;
    const help = `write \`preprocessed_data_root: ${folder}\``;
    return { code: "LTX6165", severity: "error", path: DATA_ROOT, message, help };
  }
  return null;
}
