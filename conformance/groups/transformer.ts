import { join } from "node:path";
import type { HostTensor, Tensor } from "../../runtime/contract.ts";
import { openSafetensors } from "../../runtime/files/safetensors/index.ts";
import type { Engine } from "../../runtime/engine/engine.ts";
import { readTransformerConfig, type TransformerConfig } from "../../runtime/model/config.ts";
import { transformerLayout } from "../../runtime/model/parameters.ts";
import { createTransformer, type Transformer } from "../../runtime/model/transformer.ts";
import { checkParts, loadPart } from "../../runtime/model/weights.ts";
import type { Case, Replay } from "../case.ts";
import { declared, type Checks } from "../checks.ts";
import type { Tolerance } from "../compare.ts";
import { keys, limits } from "../known.ts";
import { configErrors, modelTypeOf } from "./transformer/config-errors.ts";
import { inputNames, uploadInputs, type ReplayInputs } from "./transformer/inputs.ts";
import { ropeTableItems } from "./transformer/rope-tables.ts";

/** Cases of this group are of three kinds, told apart by what their manifest has. */
export const replay: Replay = async (golden, engine) => {
  const { items } = golden.manifest;
  if (items === undefined) return replayModel(golden, engine);
  return "configurator" in items[0] ? configErrors(golden, engine) : ropeTableItems(golden, engine);
};

/** Replays a forward pass with everything recorded inside it, and where recorded its gradients. */
const replayModel = declared(
  {
    manifest: {
      ...keys("configurator", "config", "weight_key_prefix", "num_parameters", "inputs_none", "null_gradients"),
      // What the configurator says already.
      model_type: true,
      scalars: keys("video.enabled", "audio.enabled"),
      tolerance: limits("out", "rope", "grad", "mid other"),
    },
    inputs: inputNames,
  },
  async (replayed, checks, engine) => {
    const { manifest } = replayed;
    const { config } = readTransformerConfig(manifest["config"].transformer, modelTypeOf(manifest));
    if (config === null) return checks.fail("its config is refused");
    checkStatic(replayed, checks, config);
    const { weights, findings } = await loadWeights(replayed, engine, config);
    checks.fail(...findings);
    const inputs = uploadInputs(replayed, engine);
    try {
      await replayForward(replayed, checks, engine, createTransformer(engine.ops, config, weights), weights, inputs);
    } finally {
      engine.dispose(...weights.values(), ...inputs.tensors.values());
    }
  },
);

/** What can be told without computing: the number of parameters, and that absent inputs are absent. */
function checkStatic({ manifest, tensors }: Case, checks: Checks, config: TransformerConfig): void {
  const sizes = transformerLayout(config).map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  const parameters = sizes.reduce((a, b) => a + b, 0);
  checks.same("the number of parameters", parameters, manifest["num_parameters"] ?? parameters);
  for (const name of (manifest["inputs_none"] ?? []) as string[]) {
    const given = [...tensors.keys()].filter((stored) => `${stored}.`.startsWith(`in.${name}.`));
    checks.fail(...given.map((stored) => `${stored}: stored, but listed as absent`));
  }
}

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
  checks: Checks,
  engine: Engine,
  model: Transformer,
  weights: ReadonlyMap<string, Tensor>,
  inputs: ReplayInputs,
): Promise<void> {
  const parameters = parametersOf(replayed, weights, inputs);
  const result = engine.differentiate(() => recordedForward(engine, model, inputs), [...parameters.values()]);
  const named: (readonly [string, Tensor | null])[] = [
    ["out.loss", result.loss],
    ...Object.entries(result.outputs),
    ...[...parameters.keys()].map((name, i) => [name, result.gradients[i] ?? null] as const),
  ];
  for (const [name, tensor] of named) await compareRecorded(replayed, checks, engine, name, tensor);
  engine.dispose(result.loss, ...Object.values(result.outputs), ...result.gradients);
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
  checks: Checks,
  engine: Engine,
  name: string,
  tensor: Tensor | null,
): Promise<void> {
  const isNone = (manifest["null_gradients"] ?? []).includes(name.slice("grad.w.".length));
  if (isNone && tensor !== null) checks.fail(`${name} is there, expected none`);
  if (tensor === null || !tensors.has(name)) return;
  checks.compare(name, await engine.read(tensor), toleranceOf(name, manifest["tolerance"]));
}

/** Additive masks hold numbers so large that a relative tolerance would check nothing; those of self-attention are logarithms. */
function toleranceOf(name: string, tolerance: Record<string, Tolerance | undefined>): Tolerance {
  if (name.endsWith(".context_bias")) return "exact";
  if (name.endsWith(".self_bias")) return { atol: 1e-5 };
  if (name.startsWith("grad.")) return tolerance["grad"] ?? {};
  if (name.includes("rope")) return tolerance["rope"] ?? {};
  return (name.startsWith("mid.") ? tolerance["mid other"] : tolerance["out"]) ?? {};
}
