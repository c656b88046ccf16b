/** The examples that come with the package; a new project starts from one of them. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { didYouMean } from "../../compiler/diagnostics/index.ts";
import { check } from "../../compiler/index.ts";
import { UsageError } from "../shell/exit.ts";
import { libraryAt } from "../project/library.ts";
import { packageRoot } from "../shell/package-root.ts";

const folder = join(packageRoot, "examples");

/** A strategy that compiles. */
export type Program = NonNullable<ReturnType<typeof check>["program"]>;

interface Example {
  readonly name: string;
  readonly program: Program;
  /** The strategy and what it imports or extends, without the run config. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

export async function exampleNames(): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
}

/** @throws UsageError for a name that no example has */
export async function readExample(name: string): Promise<Example> {
  const names = await exampleNames();
  if (!names.includes(name)) {
    const help = didYouMean(name, names) ?? `there are: ${names.join(", ")}`;
    throw new UsageError(`there is no example \`${name}\``, help);
  }
  const paths = (await readdir(join(folder, name))).filter((path) => /\.(strategy|ts|py)$/.test(path)).toSorted();
  const files = await Promise.all(
    paths.map(async (path) => ({ path, text: await readFile(join(folder, name, path), "utf8") })),
  );
  const path = join(folder, name, `${name}.strategy`);
  const text = files.find((file) => path.endsWith(file.path))?.text ?? "";
  const { program, diagnostics } = check({ path, text }, { library: libraryAt(folder, path) });
  if (program === null) throw new Error(`the example ${name} does not compile: ${diagnostics[0]?.message}`);
  return { name, program, files };
}
