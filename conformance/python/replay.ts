import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compilePython } from "../../compiler/index.ts";
import { folders, loadCase, type Case, type Manifest } from "../case.ts";
import { strategyOfCase } from "../compiled.ts";
import { knowsScale, toleranceOf } from "../groups/strategy.ts";
import { isSizeRefused } from "../groups/strategy-refusals.ts";
import { recordedNames } from "../recorded-draws.ts";

/** What the official strategies say of the sizes of references, see strategy-refusals.ts; of sections the compiler judges, for every target. */
export async function recordSizes(root: string, pattern: RegExp): Promise<readonly unknown[]> {
  const names = (await folders(join(root, "strategy"))).filter((name) => pattern.test(name));
  const cases = await Promise.all(names.map((name) => loadCase(root, "strategy", name)));
  return cases.flatMap(({ name, manifest }) => {
    const items = (manifest["items"] ?? []) as readonly Manifest[];
    const ofSizes = items.filter(({ what }) => !String(what).endsWith("Config"));
    return ofSizes.map((item) => ({ ...item, name: `${name}, ${item["name"]}`, isRefused: isSizeRefused(item) }));
  });
}

/**
 * Compiles the strategy of each step of the group `strategy` into `folder`, and says what replay.py needs to know of the case.
 * @param root a folder of vectors
 */
export async function recordCases(root: string, pattern: RegExp, folder: string): Promise<readonly unknown[]> {
  const names = (await folders(join(root, "strategy"))).filter((name) => pattern.test(name));
  const cases = [];
  for (const name of names) {
    const golden = await loadCase(root, "strategy", name);
    // Lists of what is refused are no steps.
    if (!("items" in golden.manifest)) cases.push(await recordCase(golden, join(folder, `${name}.py`)));
  }
  return cases;
}

async function recordCase({ name, directory, manifest, tensors }: Case, module: string): Promise<unknown> {
  const { section, text, step, params, keyOf } = await strategyOfCase(manifest);
  const { artifacts, diagnostics } = compilePython({ path: `${step.strategy.name}.strategy`, text });
  const [made] = artifacts;
  if (made === undefined) throw new Error(`${name} does not compile: ${diagnostics.map((d) => d.message).join("; ")}`);
  await writeFile(module, made.text);
  const outputs = [...tensors.keys()].filter((key) => key.startsWith("out."));
  return {
    name,
    module,
    params,
    tensors: join(directory, "tensors.safetensors"),
    scale: manifest["video_scale_factors"],
    sampler: manifest["sampler"],
    keys: Object.fromEntries(step.strategy.sources.map((source) => [source.name, keyOf(source)])),
    draws: Object.fromEntries(recordedNames(manifest["draws"], { section, sampler: manifest["sampler"] })),
    knowsScale: knowsScale(manifest),
    tolerances: Object.fromEntries(outputs.map((key) => [key, limits(toleranceOf(key, manifest))])),
    absent: manifest["outputs_none"] ?? [],
    metadata: manifest["checkpoint_metadata_after"] ?? {},
  };
}

const limits = (tolerance: ReturnType<typeof toleranceOf>) => (tolerance === "exact" ? {} : tolerance);
