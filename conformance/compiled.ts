import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
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

async function compileStep(path: string): Promise<Step> {
  const { artifacts, diagnostics } = await compile({ path, text: await readFile(path, "utf8") });
  const bundle = artifacts?.find((artifact) => artifact.name.endsWith(".mjs"));
  if (bundle === undefined)
    throw new Error(`${path} does not compile: ${diagnostics.map((d) => d.message).join("; ")}`);
  const url = `data:text/javascript;base64,${Buffer.from(bundle.text).toString("base64")}`;
  return (await import(url)) as Step;
}
