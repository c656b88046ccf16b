import { join } from "node:path";
import type { HostTensor, Tensor } from "../../runtime/contract.ts";
import { openSafetensors } from "../../runtime/data/safetensors/index.ts";
import type { Engine } from "../../runtime/engine/engine.ts";
import { readTransformerConfig, type TransformerConfig } from "../../runtime/model/config.ts";
import { transformerLayout } from "../../runtime/model/layout.ts";
import { createTransformer, type Transformer } from "../../runtime/model/transformer.ts";
import { checkParts, loadPart } from "../../runtime/model/weights.ts";
import { golden, type Case, type Replay } from "../case.ts";
import { compare, type Tolerance } from "../compare.ts";
import { configErrors, modelTypeOf } from "./transformer/config-errors.ts";
import { uploadInputs, type ReplayInputs } from "./transformer/inputs.ts";
import { ropeTableItems } from "./transformer/rope-tables.ts";

/** Replays a forward pass with everything recorded inside it, and where recorded its gradients. */
export const replay: Replay = async (replayed, engine) => {
  const { items } = replayed.manifest;
  if (items !== undefined) return "configurator" in items[0] ? configErrors(replayed) : ropeTableItems(replayed);
  const { config } = readTransformerConfig(replayed.manifest["config"].transformer, modelTypeOf(replayed.manifest));
  if (config === null) return ["its config is refused"];
  const { weights, findings } = await loadWeights(replayed, engine, config);
  const inputs = uploadInputs(replayed, engine);
  try {
    return [...findings, ...(await replayForward(replayed, engine, config, weights, inputs))];
  } finally {
    engine.dispose(...weights.values(), ...inputs.tensors.values());
  }
};

async function loadWeights({ directory, manifest }: Case, engine: Engine, config: TransformerConfig) {
  const file = await openSafetensors(join(directory, "weights.safetensors"));
  try {
    const part = { prefix: String(manifest["weight_key_prefix"]), parameters: transformerLayout(config) };
    const findings = checkParts(file, [part], new Set(), []).map(({ message }) => message);
    return { weights: await loadPart(engine, file, part), findings };
  } finally {
    await file.close();
  }
}

async function replayForward(
  replayed: Case,
  engine: Engine,
  config: TransformerConfig,
  weights: Map<string, Tensor>,
  inputs: ReplayInputs,
): Promise<string[]> {
  const model = createTransformer(engine.ops, config, weights);
  const parameters = parametersOf(replayed, weights, inputs);
  const result = engine.differentiate(() => recordedForward(engine, model, inputs), [...parameters.values()]);
  const named: (readonly [string, Tensor | null])[] = [
    ["out.loss", result.loss],
    ...Object.entries(result.outputs),
    ...[...parameters.keys()].map((name, i) => [name, result.gradients[i] ?? null] as const),
  ];
  const reasons: string[] = [];
  for (const [name, tensor] of named) reasons.push(...(await compareRecorded(replayed, engine, name, tensor)));
  reasons.push(...missing(replayed, new Set(named.map(([name]) => name))));
  engine.dispose(result.loss, ...Object.values(result.outputs), ...result.gradients);
  return reasons;
}

/** The velocities, everything inside that taps show, and as loss the sum over modalities of mean(velocity^2). */
function recordedForward({ ops }: Engine, model: Transformer, { inputs }: ReplayInputs) {
  const outputs: Record<string, Tensor> = {};
  const prediction = model.forward(inputs, (name, value) => (outputs[`mid.${name}`] = value));
  let loss = ops.constant(zero);
  for (const [name, velocity] of Object.entries(prediction) as [string, Tensor | null][]) {
    if (velocity === null) continue;
    outputs[`out.${name}`] = velocity;
    loss = ops.add(loss, ops.mean(ops.square(velocity)));
  }
  return { loss, outputs };
}

const zero: HostTensor = { shape: [], dtype: "float32", data: Float32Array.of(0) };

/** What the case has gradients of, by their recorded name: latents and weights. */
function parametersOf({ tensors, manifest }: Case, weights: ReadonlyMap<string, Tensor>, inputs: ReplayInputs) {
  const prefix = manifest["weight_key_prefix"];
  const none = (manifest["null_gradients"] ?? []) as string[];
  const recorded = [...tensors.keys(), ...none.map((name) => `grad.w.${name}`)];
  return new Map(
    recorded.flatMap((name) => {
      const source = name.startsWith("grad.w.")
        ? weights.get(name.slice("grad.w.".length).replace(prefix, ""))
        : name.startsWith("grad.in.") && inputs.tensors.get(name.slice("grad.".length));
      return source ? [[name, source] as const] : [];
    }),
  );
}

/** Compares with the recorded tensor of that name, if there is one; a gradient recorded as absent must be. */
async function compareRecorded(
  { tensors, manifest }: Case,
  engine: Engine,
  name: string,
  tensor: Tensor | null,
): Promise<string[]> {
  const expected = tensors.get(name);
  const isNone = (manifest["null_gradients"] ?? []).includes(name.slice("grad.w.".length));
  if (isNone) return tensor === null ? [] : [`${name} is there, expected none`];
  if (expected === undefined) return [];
  if (tensor === null) return [`${name} is missing`];
  return compare(name, await engine.read(tensor), expected, toleranceOf(name, manifest["tolerance"]));
}

/** Additive masks hold numbers so large that a relative tolerance would check nothing; those of self-attention are logarithms. */
function toleranceOf(name: string, tolerance: Record<string, Tolerance | undefined>): Tolerance {
  if (name.endsWith(".context_bias")) return "exact";
  if (name.endsWith(".self_bias")) return { atol: 1e-5 };
  if (name.startsWith("grad.")) return tolerance["grad"] ?? {};
  if (name.includes("rope")) return tolerance["rope"] ?? {};
  return (name.startsWith("mid.") ? tolerance["mid other"] : tolerance["out"]) ?? {};
}

/** Recorded results that the model did not produce. */
function missing({ tensors, manifest }: Case, produced: ReadonlySet<string>): string[] {
  const results = [...Object.keys(manifest["outputs"]), ...Object.keys(manifest["intermediates"] ?? {})];
  return results
    .filter((name) => !produced.has(name) && golden(tensors, name))
    .map((name) => `${name} was not produced`);
}
