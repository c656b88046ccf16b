import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { compile } from "../compiler/index.ts";
import type { Step } from "../runtime/contract.ts";

const compiled = new Map<string, Promise<Step>>();

/** The step of a built-in strategy, compiled from its `.strategy` file as `ltxc compile` does; once per process. */
export function builtinStep(name: string): Promise<Step> {
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const step = compileStep(fileURLToPath(new URL(`../compiler/builtin/${name}.strategy`, import.meta.url)));
  compiled.set(name, step);
  return step;
}

/** A module is imported from a file, as a run does, so that a stack trace can point into the strategy. */
async function compileStep(path: string): Promise<Step> {
  const { artifacts, diagnostics } = await compile({ path, text: await readFile(path, "utf8") });
  if (artifacts === null) throw new Error(`${path} does not compile: ${diagnostics.map((d) => d.message).join("; ")}`);
  const folder = await mkdtemp(join(tmpdir(), "ltxc-conformance-"));
  try {
    for (const { name, text } of artifacts) await writeFile(join(folder, name), text);
    const module = artifacts.find(({ name }) => name.endsWith(".mjs"))?.name ?? "";
    return (await import(pathToFileURL(join(folder, module)).href)) as Step;
  } finally {
    await rm(folder, { recursive: true });
  }
}
