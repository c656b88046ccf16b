import { noNetworks, noPasses, noWeights } from "../../runtime/training/forward.ts";
import type {
  HostTensor,
  ModalityInputs,
  Positions,
  Prediction,
  Prepared,
  SourceBatch,
  SourceSizes,
  StepContext,
  Tensor,
} from "../../runtime/contract.ts";
import type { Engine } from "../../runtime/engine/engine.ts";
import { strategyOf, toOfficial } from "../../runtime/config/index.ts";
import { createPositions } from "../../runtime/model/positions.ts";
import { referenceMetadata } from "../../runtime/references.ts";
import { createDraws } from "../../runtime/random/draws.ts";
import { createSampler, type FlowMatching } from "../../runtime/random/samplers.ts";
import { golden, type Case, type GoldenTensor, type Manifest, type Replay } from "../case.ts";
import { declared, type Checks } from "../checks.ts";
import type { Numbers, Tolerance } from "../compare.ts";
import { strategyOfCase, type CaseStrategy } from "../compiled.ts";
import { batchNames, goldenBatch, toHost } from "../golden-batch.ts";
import { keys, limits } from "../known.ts";
import { recordedDraws } from "../recorded-draws.ts";

/** Cases of this group are steps, or lists of what is refused. */
export const replay: Replay = async (golden, engine) =>
  "items" in golden.manifest
    ? (await import("./strategy-refusals.ts")).replayRefusals(golden, engine)
    : replayStep(golden, engine);

/** Prepares a step's inputs and its loss from the case's batch, draws and predictions, and compares everything the reference made. */
const replayStep = declared(
  {
    manifest: {
      ...keys("strategy_class", "config", "effective_config", "sampler", "video_scale_factors", "data_sources"),
      ...keys("batch_size", "outputs_none", "checkpoint_metadata_after"),
      // There is no strategy here that has seen no batch yet.
      checkpoint_metadata_before: true,
      strategy_attributes: keys(
        "reference_spatial_scale_factor",
        "reference_temporal_scale_factor",
        "reference_downscale_factor",
      ),
      scalars: keys("video.enabled", "audio.enabled"),
      tolerance: { exact: true, ...limits("latent/targets", "positions", "loss", "bf16 outputs") },
    },
    inputs: /^(draw_\d+|pred\.(video|audio))$/,
  },
  async (golden, checks, engine) => {
    const strategy = await strategyOfCase(golden.manifest);
    checkStrategy(golden, checks, strategy);
    const made = engine.tidy(() => runStep(golden, engine, strategy));
    await compareAll(golden, checks, engine, made);
    engine.dispose(...made.tensors.map(([, tensor]) => tensor));
  },
);

/** The strategy reads the case's sources, and its section says the same once defaults are filled in. */
function checkStrategy({ manifest }: Case, checks: Checks, { section, step, params, keyOf }: CaseStrategy): void {
  checks.takes(batchNames(step.strategy.sources, keyOf).map((name) => `batch.${name}`));
  if (manifest["effective_config"] === undefined) return;
  const official = toOfficial(section, { name: strategyOf(section).name, params });
  const { with_audio, audio_latents_dir, ...expected } = manifest["effective_config"] as Manifest;
  // Without audio its directory means nothing, and the strategy has no such parameters.
  const audio = with_audio === false ? {} : { with_audio, audio_latents_dir };
  checks.same("the config with its defaults", ordered(official), ordered({ ...expected, ...audio }));
}

/** Plain data with its keys in order, without those that have no value. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined);
  return Object.fromEntries(entries.toSorted().map(([key, inner]) => [key, ordered(inner)]));
}

interface Made {
  /** Everything to compare, by the name of the golden tensor. */
  readonly tensors: readonly (readonly [name: string, tensor: Tensor])[];
  readonly positions: readonly (readonly [name: string, positions: ModalityInputs["positions"]])[];
  readonly absent: readonly string[];
  /** By modality, of those that are there. */
  readonly enabled: Readonly<Record<string, boolean>>;
  readonly size: number;
  readonly metadata: Readonly<Record<string, string>>;
}

function runStep({ manifest, tensors }: Case, engine: Engine, { section, step, params, keyOf }: CaseStrategy): Made {
  const { ops } = engine;
  const [time = 8, height = 32, width = 32] = manifest["video_scale_factors"] as number[];
  const { type, ...samplerParams } = manifest["sampler"] as Manifest;
  const sampler = createSampler({
    timestep_sampling_mode: type,
    timestep_sampling_params: samplerParams,
  } as FlowMatching);
  const source = recordedDraws(manifest["draws"], { section, sampler: manifest["sampler"] }, (name) =>
    golden(tensors, name),
  );
  const scaleFactors = { time, height, width };
  const positions = createPositions(scaleFactors);
  const ctx: StepContext<unknown> = {
    ops,
    draws: createDraws(ops, source, sampler),
    params,
    positions: knowsScale(manifest) ? positions : withoutScale(positions),
    scaleFactors,
    globalStep: 0,
    progress: 0,
    call: noPasses,
    weight: noWeights,
    network: noNetworks,
  };

  const batch = goldenBatch(tensors, step.strategy.sources, keyOf, ops);
  const prepared = step.prepare(ctx, batch);
  const predicted = (name: string) => (tensors.has(name) ? ops.input(name, toHost(golden(tensors, name))) : null);
  const prediction: Prediction = { video: predicted("pred.video"), audio: predicted("pred.audio"), outputs: {} };
  const terms = Object.values(step.loss(ctx, prepared, prediction));
  const loss = terms.reduce((total, term) => ops.add(total, term));
  const sizes = Object.fromEntries(Object.entries(batch.sources).map(([name, source]) => [name, sizesOf(source)]));
  const metadata = { ...referenceMetadata(step.strategy, sizes), ...step.metadata(params, sizes) };
  return { ...collect(prepared, loss), size: batch.size, metadata };
}

/** `strategy_attributes` has the reference scale factors of the flexible strategy, null where it found no files to tell. */
export function knowsScale({ strategy_attributes: attributes }: Manifest): boolean {
  return attributes?.["reference_spatial_scale_factor"] !== null;
}

/** The reference's positions where it does not know a scale: every video on its own grid, whatever its size. */
function withoutScale(positions: Positions): Positions {
  return {
    ...positions,
    video(grid, fps, references = []) {
      const parts = [...references, { ...grid, fps }].map((video) => positions.video(video, video.fps));
      const rows = fps.length * 3;
      const data = Array.from({ length: rows }, (_, row) => parts.flatMap((part) => rowOf(part, row, rows))).flat();
      return { shape: [fps.length, 3, data.length / rows / 2, 2], dtype: "float32", data: Float32Array.from(data) };
    },
  };
}

function rowOf({ data }: HostTensor, row: number, rows: number): number[] {
  const length = data.length / rows;
  return Array.from(data.subarray(row * length, (row + 1) * length));
}

function sizesOf(source: SourceBatch): SourceSizes {
  const none = { frames: 0, height: 0, width: 0, steps: 0 };
  if (source.kind === "audio_latents") return { ...none, steps: source.steps };
  if (source.kind !== "video_latents") return none;
  return { frames: source.frames, height: source.height, width: source.width, steps: 0 };
}

function collect({ inputs, video, audio }: Prepared, loss: Tensor): Omit<Made, "metadata" | "size"> {
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
    enabled: Object.fromEntries(
      (["video", "audio"] as const).flatMap((name) =>
        inputs[name] === null ? [] : [[`${name}.enabled`, inputs[name].enabled]],
      ),
    ),
  };
}

/** The manifest's tolerances; latents and targets of bf16 cases are held to the float32 one, since both sides round alike. */
export function toleranceOf(name: string, manifest: Manifest): Tolerance {
  const tolerance = manifest["tolerance"] as Readonly<Record<string, Tolerance>>;
  if (name === "out.loss") return tolerance["loss"] ?? "exact";
  if (name.endsWith(".positions")) return tolerance["positions"] ?? "exact";
  if (/\.sigma$|\.timesteps$/.test(name)) return { atol: 1e-6 };
  if (/\.latent$|_targets$/.test(name)) return tolerance["latent/targets"] ?? "exact";
  return "exact";
}

async function compareAll({ manifest, tensors }: Case, checks: Checks, engine: Engine, made: Made): Promise<void> {
  const actual = new Map<string, Numbers>(made.positions);
  for (const [name, tensor] of made.tensors) actual.set(name, await engine.read(tensor));
  for (const [name, found] of actual) {
    const expected = tensors.get(name);
    checks.compare(name, expected ? overSequence(name, found, expected) : found, toleranceOf(name, manifest));
  }
  for (const name of (manifest["outputs_none"] ?? []) as string[]) {
    const present = actual.has(`out.${name}`) || (/^(video|audio)$/.test(name) && !made.absent.includes(name));
    if (present) checks.fail(`${name}: should be absent`);
  }
  checks.same("the batch size", made.size, manifest["batch_size"] ?? made.size);
  checks.same("what is enabled", ordered(made.enabled), ordered(manifest["scalars"] ?? made.enabled));
  // More may be there: a downscale factor is written under the names of both strategies that have one.
  for (const [key, value] of Object.entries(manifest["checkpoint_metadata_after"] ?? {})) {
    checks.same(`metadata ${key}`, made.metadata[key] ?? null, String(value));
  }
}

/** The reference's loss masks run over the references, too, where they are false. */
function overSequence(name: string, found: Numbers, { shape: [, tokens = 0] }: GoldenTensor): Numbers {
  const [batch = 0, own = 0] = found.shape;
  if (!name.endsWith("_loss_mask") || own >= tokens) return found;
  const data = new Float64Array(batch * tokens);
  for (let sample = 0; sample < batch; sample++) {
    const row = Array.from(found.data).slice(sample * own, (sample + 1) * own);
    data.set(row, (sample + 1) * tokens - own);
  }
  return { shape: [batch, tokens], data };
}
