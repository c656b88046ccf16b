/**
 * Face of the runtime, `ltxc/runtime`: everything that trains, for programs that do what the command line does. A run takes five calls:
 *
 *     const { config, findings } = resolveConfig(parsedYaml, { configDirectory });
 *     if (config === null) throw new Error(findings.map(({ message }) => message).join("\n"));
 *     const { engine } = await openEngine(config.runtime.engine, config.runtime);
 *     const { run, close } = await openRun(engine, config, step);   // `step`: the module that `ltxc compile` writes
 *     await train(run, { onEvent: console.log });
 *     await close();
 *
 * `openRun` locks the run's `output_dir` until `close`, and refuses one with the work of an earlier run unless `onWork` says otherwise.
 *
 * Types of steps, batches and tensors are in `contract.ts`, `ltxc/contract`. To check a program against the types here, TypeScript needs
 * only `lib: ["ES2023"]`: no types of Node.js, of browsers or of a tensor library.
 *
 * The rooms `config` and `files` and the file `findings.ts` are faces of their own as well; everything in them is repeated here. The
 * command line imports them where it needs no more, because a bundler loads whole files: a command that only reads a run config would
 * otherwise load the engines.
 */

// Run configs: from parsed YAML to settings, with a finding for each mistake.
export * from "./config/index.ts";
export { fail, FindingsError } from "./findings.ts";

// Engines: what computes.
export {
  foreseeEngine,
  openEngine,
  probeEngines,
  savedSpeed,
  takenByAuto,
  titleOf,
  type EngineProbe,
  type ForeseenEngine,
} from "./engine/index.ts";
export { measureEngine, type EngineSpeed } from "./engine/measure.ts";
export type { MeasuredSpeed } from "./engine/saved-speeds.ts";
export { cudaPlatform, fetchCuda, tryCuda } from "./engine/onnx/install-cuda.ts";
export { installTensorflow } from "./engine/tensorflow/install.ts";
export { installTorch } from "./engine/torch/install-torch.ts";
export { installedTorch } from "./engine/torch/install-folder.ts";
export { lookForTorch } from "./engine/torch/find-torch.ts";
export type { Engine, EngineEvent, EngineName } from "./engine/engine.ts";

export { layerTensors, runLayers } from "./networks/layers.ts";
export { vaeTensors } from "./media/vae/vae-tensors.ts";

// A run: looking at all that it needs, opening it, training, going on with it.
export { openRun, type OpenedRun, type OpenOptions } from "./opening/open-run.ts";
export { QuantizingStopped } from "./model/quantized-file.ts";
export { checkPlaces, preflight, type Preflight } from "./opening/preflight.ts";
export { train } from "./train.ts";
export { lockFolder } from "./run-folder/lock.ts";
export { newestRun } from "./run-folder/newest.ts";
export { engineWarnings } from "./checkpoints/resume.ts";
export { lastSaved } from "./checkpoints/last-saved.ts";
export { findWeights } from "./checkpoints/checkpoint-files.ts";
export type { Run } from "./training/run-inputs.ts";
export type * from "./metrics/events.ts";
export { environmentOf } from "./metrics/environment.ts";
export { openMetricsFile } from "./metrics/metrics-file.ts";
export { lostMetrics } from "./metrics/sink.ts";

// What a run will be like: its samples, the memory and time of its steps, the graphs that they run.
export { surveyOf, type Counted, type SizeOfLatents, type Survey } from "./forecast/survey.ts";
export { graphsOf, planOf, type PlanOptions } from "./forecast/step-plan.ts";
export {
  partsOfStep,
  recordingSeconds,
  memoryTolerance,
  planBytes,
  residentBytes,
  runSeconds,
  stepSeconds,
  type Plan,
  type PlannedEngine,
  type StepPlan,
} from "./forecast/plan.ts";
export { trainedBytes } from "./forecast/trained.ts";
export { cardToPlan, REACHED, speedOfCard, whyNoSpeed, type CardSpeed, type PlannedCard } from "./forecast/card.ts";
export { halved, smallerThatFits, type Smaller, type SmallerPlan } from "./forecast/smaller.ts";
export { printGraph } from "./graph/text.ts";
export type { Graph } from "./graph/graph.ts";

// Latents as pictures and videos.
export {
  nameOfDecoded,
  openDecoder,
  readLatents,
  writeDecoded,
  type Decoded,
  type Decoding,
} from "./media/decode-files.ts";
export { findFfmpeg, installFfmpeg } from "./media/ffmpeg.ts";

// Pictures and videos as latents.
export { encodeClip, openEncoder, type EncodedClip, type Encoding } from "./media/encode-clip.ts";
export { writeLatents } from "./media/latents-file.ts";
export { parseBuckets } from "./media/pixels/buckets.ts";
export { pictureEndings } from "./media/reading/clip.ts";
export { findMediaPrograms } from "./media/reading/programs.ts";
export { stillsOf } from "./media/stills.ts";
export { usualTiling } from "./media/vae/tiles.ts";

// Samples and batches, and the files that they come from.
export { isTensor, readPt, toFloat32, writePt, type EntryToWrite, type PtValue } from "./files/pt/index.ts";
export { openSafetensors, writeSafetensors } from "./files/safetensors/index.ts";
export { openData } from "./opening/open-data.ts";
export { collate, sizesOf, uploadBatch, type HostBatch } from "./data/batch.ts";
export type { HostSample, HostSource } from "./data/sample.ts";

// What a step is given besides its batch, to call one outside of a run.
export { createDraws, philoxSource } from "./random/draws.ts";
export { normal } from "./random/philox.ts";
export { createSampler, defaultFlowMatching } from "./random/samplers.ts";
export type { DrawSource, Sampler } from "./random/sampler.ts";
export { createPositions } from "./model/positions.ts";

// A checkpoint of random weights, to try things without a real one.
export { writeRandomModel, writeRandomTensors } from "./model/random-model.ts";
