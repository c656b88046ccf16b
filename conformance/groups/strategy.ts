import type {
  ModalityInputs,
  Prepared,
  Prediction,
  SourceInfo,
  Step,
  StepContext,
  Tensor,
} from "../../runtime/contract.ts";
import type { Engine } from "../../runtime/engine/engine.ts";
import { createPositions } from "../../runtime/model/positions.ts";
import { createDraws } from "../../runtime/training/draws.ts";
import { createSampler, type SamplerChoice } from "../../runtime/training/samplers.ts";
import { golden, Unsupported, type Case, type Manifest, type Replay } from "../case.ts";
import { compare, type Tolerance } from "../compare.ts";
import { builtinStep } from "../compiled.ts";
import { goldenBatch, toHost } from "../golden-batch.ts";
import { recordedDraws } from "../recorded-draws.ts";

/** Prepares a step's inputs and its loss from the case's batch, draws and predictions, and compares everything the reference made. */
export const replay: Replay = async (golden, engine) => {
  const chosen = chooseStrategy(golden.manifest);
  const step = await builtinStep(chosen.name);
  const made = engine.tidy(() => runStep(golden, engine, step, chosen.params));
  const reasons = await compareAll(golden, engine, made);
  engine.dispose(...made.tensors.map(([, tensor]) => tensor));
  return reasons;
};

/** The built-in strategy and the parameters that say the same as the reference's strategy config. */
export function chooseStrategy(manifest: Manifest): { name: string; params: Manifest } {
  const { class: trainingClass, config: trainingConfig } = (manifest["strategy"] ?? {}) as Manifest;
  const {
    with_audio,
    audio_latents_dir,
    first_frame_conditioning_p,
    name: _,
    ...rest
  } = (manifest["config"] ?? trainingConfig ?? {}) as Manifest;
  switch (manifest["strategy_class"] ?? trainingClass) {
    case "InpaintingStrategy":
      return { name: "inpainting", params: rest };
    case "TextToVideoStrategy":
      return with_audio
        ? { name: "text_to_video_with_audio", params: { first_frame_conditioning_p, audio_latents_dir } }
        : { name: "text_to_video", params: { first_frame_conditioning_p } };
    default:
      throw new Unsupported(`no built-in strategy stands for ${manifest["strategy_class"] ?? manifest["case"]}`);
  }
}

interface Made {
  /** Everything to compare, by the name of the golden tensor. */
  readonly tensors: readonly (readonly [name: string, tensor: Tensor])[];
  readonly positions: readonly (readonly [name: string, positions: ModalityInputs["positions"]])[];
  readonly absent: readonly string[];
}

function runStep({ manifest, tensors }: Case, engine: Engine, step: Step, params: Manifest): Made {
  const { ops } = engine;
  const [time = 8, height = 32, width = 32] = manifest["video_scale_factors"] as number[];
  const { type, ...samplerParams } = manifest["sampler"] as Manifest;
  const sampler = createSampler({ mode: type, params: samplerParams } as SamplerChoice);
  const draws = createDraws(
    ops,
    recordedDraws(manifest["draws"], manifest["sampler"], (name) => golden(tensors, name)),
    sampler,
  );
  const scaleFactors = { time, height, width };
  const ctx: StepContext<unknown> = {
    ops,
    draws,
    params,
    positions: createPositions(scaleFactors),
    scaleFactors,
    globalStep: 0,
    progress: 0,
  };

  const keys = new Map(manifest["data_sources"] as [string, string][]);
  const keyOf = (source: SourceInfo) => keys.get(directoryOf(source, params)) ?? source.name;
  const prepared = step.prepare(ctx, goldenBatch(tensors, step.strategy.sources, keyOf, ops));

  const predicted = (name: string) => (tensors.has(name) ? ops.input(name, toHost(golden(tensors, name))) : null);
  const prediction: Prediction = { video: predicted("pred.video"), audio: predicted("pred.audio"), outputs: {} };
  const terms = Object.values(step.loss(ctx, prepared, prediction));
  return collect(
    prepared,
    terms.reduce((total, term) => ops.add(total, term)),
  );
}

function directoryOf({ directory }: SourceInfo, params: Manifest): string {
  return directory.replace(/\$\{(\w+)\}/g, (_, name: string) => String(params[name]));
}

function collect({ inputs, video, audio }: Prepared, loss: Tensor): Made {
  const tensors: (readonly [string, Tensor | null])[] = [["out.loss", loss]];
  const positions: [string, ModalityInputs["positions"]][] = [];
  for (const name of ["video", "audio"] as const) {
    const [modality, generated] = [inputs[name], { video, audio }[name]];
    tensors.push(
      [`out.${name}_targets`, generated?.target ?? null],
      [`out.${name}_loss_mask`, generated?.generated ?? null],
    );
    if (modality === null) continue;
    positions.push([`out.${name}.positions`, modality.positions]);
    tensors.push(
      [`out.${name}.latent`, modality.latent],
      [`out.${name}.sigma`, modality.sigma],
      [`out.${name}.timesteps`, modality.timesteps],
      [`out.${name}.context`, modality.context],
      [`out.${name}.context_mask`, modality.contextMask],
      [`out.${name}.attention_mask`, modality.attentionMask],
    );
  }
  return {
    tensors: tensors.filter((entry): entry is readonly [string, Tensor] => entry[1] !== null),
    positions,
    absent: [inputs.video === null ? "video" : "", inputs.audio === null ? "audio" : ""].filter(Boolean),
  };
}

/** The manifest's tolerances; latents and targets of bf16 cases are held to the float32 one, since both sides round alike. */
function toleranceOf(name: string, manifest: Manifest): Tolerance {
  const tolerance = manifest["tolerance"] as Readonly<Record<string, Tolerance>>;
  if (name === "out.loss") return tolerance["loss"] ?? "exact";
  if (name.endsWith(".positions")) return tolerance["positions"] ?? "exact";
  if (/\.sigma$|\.timesteps$/.test(name)) return { atol: 1e-6 };
  if (/\.latent$|_targets$/.test(name)) return tolerance["latent/targets"] ?? "exact";
  return "exact";
}

async function compareAll({ manifest, tensors }: Case, engine: Engine, made: Made): Promise<string[]> {
  const reasons: string[] = [];
  const actual = new Map(
    made.positions.map(([name, value]) => [name, value as { shape: readonly number[]; data: ArrayLike<number> }]),
  );
  for (const [name, tensor] of made.tensors) actual.set(name, await engine.read(tensor));
  for (const [name, expected] of tensors) {
    if (!name.startsWith("out.")) continue;
    const found = actual.get(name);
    if (found === undefined) reasons.push(`${name}: missing`);
    else reasons.push(...compare(name, found, expected, toleranceOf(name, manifest)));
  }
  for (const name of (manifest["outputs_none"] ?? []) as string[]) {
    const present = actual.has(`out.${name}`) || (/^(video|audio)$/.test(name) && !made.absent.includes(name));
    if (present) reasons.push(`${name}: should be absent`);
  }
  return reasons;
}
