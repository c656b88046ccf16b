/** Options and arguments that several commands have. */
import { InvalidArgumentError, Option } from "commander";

/** Settings of a run config, given on the command line. */
export const setOption = (): Option =>
  new Option(
    "--set <key=value>",
    "a setting that replaces the run config's, e.g. optimization.steps=100; repeatable",
  ).argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]);

/** Another TypeScript for `--types`. */
export const typescriptOption = (): Option =>
  new Option(
    "--typescript <path>",
    "--types with this TypeScript, the folder of its package, in place of the one installed next to ltxc",
  );

/** Reads a count. */
export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("it is a whole number, 0 or more");
}
