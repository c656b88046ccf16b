/** For tests: every strategy that comes with ltxc, built in or an example, whose emitted modules are on record in samples/. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Library } from "../1-parse/inherit.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const builtin = join(root, "compiler/builtin");

export const samples = join(root, "compiler/4-emit/samples");

const below = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".strategy"))
    .map((path) => join(folder, path));

const builtins = below(builtin);

/** Absolute paths. */
export const strategies: readonly string[] = [...builtins, ...below(join(root, "examples"))];

/** Examples that the target `ltx-trainer` refuses, each with the finding that says why. */
export const refusedInPython: ReadonlyMap<string, string> = new Map([
  ["consistency", "LTX6630"],
  ["latent_perceptual_loss", "LTX6616"],
  ["pixel_loss", "LTX6616"],
  ["prior_preservation", "LTX6389"],
  ["silent_clips", "LTX6389"],
  ["textual_inversion", "LTX6389"],
]);

/** Those of which there is a module in Python. */
export const pythonStrategies: readonly string[] = strategies.filter(
  (path) => !refusedInPython.has(basename(path, ".strategy")),
);

/** The file's folder and its name: an example may be named like a built-in strategy. */
export const recordOf = (path: string): string => `${basename(dirname(path))}-${basename(path, ".strategy")}`;

interface Source {
  readonly source: { readonly path: string; readonly text: string };
  readonly library: Library;
}

export function sourceAt(path: string): Source {
  return { source: { path: basename(path), text: readFileSync(path, "utf8") }, library: libraryBeside(path) };
}

/** Built-in strategies by their names, others by a path from the strategy's folder. */
function libraryBeside(path: string): Library {
  const names = builtins.map((each) => basename(each, ".strategy"));
  const read = (reference: string) => {
    const found = names.includes(reference) ? join(builtin, `${reference}.strategy`) : join(dirname(path), reference);
    return existsSync(found) ? { path: reference, text: readFileSync(found, "utf8") } : null;
  };
  const readPython = (reference: string) => {
    const found = join(dirname(path), reference);
    return existsSync(found) ? { path: reference, text: readFileSync(found, "utf8") } : null;
  };
  return { root: dirname(path), names, read, readPython };
}
