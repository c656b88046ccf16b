import { statSync } from "node:fs";
import type { ScaleFactors, Tensor } from "../contract.ts";
import { judgeFile, takePublished } from "../files/kinds/index.ts";
import { openSafetensors, type SafetensorsFile } from "../files/safetensors/index.ts";
import type { Engine } from "../engine/engine.ts";
import { fail, FindingsError, together, type Finding } from "../findings.ts";
import type { ConfigSection } from "./config-reader.ts";
import { checkContextWidths, readTransformerConfig, type ModelType, type TransformerConfig } from "./config.ts";
import { readConnectorConfig, type ConnectorConfig } from "./connector-config.ts";
import { createConnector, type Connector } from "./connector.ts";
import { createEmbeddingsProcessor, type EmbeddingsProcessor } from "./embeddings.ts";
import { connectorLayout, keyframesEmbedding, transformerLayout, type Parameter } from "./parameters.ts";
import { isSection, isSplit, readConfigSections } from "./metadata.ts";
import { createModule } from "./module.ts";
import { checkScales, isFp8 } from "./fp8-weights.ts";
import { readScaleFactors } from "./scale-factors.ts";
import { blankQuantized, quantizedWeights, type OnInterrupt } from "./quantized-file.ts";
import type { Quantization } from "./quantize.ts";
import {
  checkParts,
  loadPart,
  refuse,
  transformerPrefix,
  unusedTensors,
  type Part,
  type QuantizedWeights,
} from "./weights.ts";

export interface LoadOptions {
  readonly modelPath: string;
  /** The file of the video VAE, where it is not part of the model's own. */
  readonly videoVaePath: string | null;
  /** What the strategy feeds to the model; tensors that only other streams read are left in the file. */
  readonly streams: { readonly video: boolean; readonly audio: boolean };
  /** Whether the transformer's weights are trained, and so have to be the engine's own; else they may stay in their file. */
  readonly isTrained?: boolean;
  /** How many of the transformer's blocks to load, from the first on; all if not given. */
  readonly blocks?: number;
  /** In how many bits the frozen weights of linear layers in blocks are; null for as they are stored. */
  readonly quantization?: Quantization | null;
  /** Nothing is computed with the weights, so none has to be quantized. */
  readonly isBlank?: boolean;
  /** Is told how far the quantization is, in words for the user. */
  readonly tell?: (text: string) => void;
  /** Stops the quantization, which then throws QuantizingStopped; the system's own handling if not given. */
  readonly onInterrupt?: OnInterrupt;
}

/** A checkpoint's transformer and connectors, on an engine. */
export interface LoadedModel {
  readonly config: TransformerConfig;
  /** By bare checkpoint name. */
  readonly weights: Map<string, Tensor>;
  readonly embeddings: EmbeddingsProcessor;
  readonly scaleFactors: ScaleFactors;
  readonly warnings: readonly Finding[];
  dispose(): void;
}

const modelPlace: Finding["path"] = ["model", "model_path"];
const vaePlace: Finding["path"] = ["model", "video_vae_path"];

/** What a checkpoint's header says, enough to judge a run's data and adapters by. */
export interface ExaminedModel {
  readonly config: TransformerConfig;
  /** Of the transformer, those that the run feeds. */
  readonly parameters: readonly Parameter[];
  /** What its connectors take; `audio` is null where the run feeds no audio. */
  readonly connectors: { readonly video: ConnectorConfig; readonly audio: ConnectorConfig | null };
  readonly scaleFactors: ScaleFactors;
  /** Whether weights are stored in 8 bits, so that they can neither be trained nor quantized. */
  readonly isFp8: boolean;
  readonly warnings: readonly Finding[];
}

/**
 * Checks all that `loadModel` would, without reading a single weight; of weights in 8 bits, their scales.
 * Errors: FindingsError, those of `loadModel`, LTX6197 and LTX6398 for scales.
 */
export async function examineModel(options: LoadOptions): Promise<ExaminedModel> {
  const { videoVaePath: vae } = options;
  // Another check reports what is no file.
  const isFile = vae !== null && statSync(vae, { throwIfNoEntry: false })?.isFile() === true;
  const ofVae = !isFile ? null : () => scaleFactorsOfVae(vae);
  const [{ examined, ownFactors }, factors] = await together([
    () => examineTransformer(options),
    ofVae ?? (() => null),
  ]);
  return { ...examined, scaleFactors: factors ?? ownFactors() };
}

/** What the header of the transformer's file says; the latent cell only where no other file is named for it. */
async function examineTransformer({ modelPath, streams, videoVaePath }: LoadOptions) {
  const file = await openWeights(modelPath, "transformer", modelPlace);
  try {
    const sections = readConfigSections(file.metadata, file.path, modelPlace);
    const { config, transformer, video, audio, warnings } = planLoading(file, sections, streams);
    refuse(await checkScales(file, modelPlace));
    const ownFactors = () => scaleFactorsIn(modelPath, sections);
    if (videoVaePath === null) ownFactors();
    return {
      examined: {
        config,
        parameters: transformer.parameters,
        connectors: { video: video.config, audio: audio?.config ?? null },
        isFp8: isFp8(file),
        warnings,
      },
      ownFactors,
    };
  } finally {
    await file.close();
  }
}

/**
 * Loads what a run needs of a checkpoint in the official layout, as float32.
 * Errors: FindingsError with every mistake in its config (LTX6201 to LTX6204) or in its tensors (LTX6205, LTX6206) at once,
 * LTX6208 for an unknown latent cell, LTX618x for a broken file, LTX6222 to LTX6230 for a file of another kind.
 */
export async function loadModel(engine: Engine, options: LoadOptions): Promise<LoadedModel> {
  const file = await openWeights(options.modelPath, "transformer", modelPlace);
  try {
    const sections = readConfigSections(file.metadata, file.path, modelPlace);
    const plan = planLoading(file, sections, options.streams, options.blocks);
    const vae = options.videoVaePath;
    const scaleFactors = vae === null ? scaleFactorsIn(file.path, sections) : await scaleFactorsOfVae(vae);
    const quantized = await quantizedOf(file, plan.transformer, options);
    const loaded = await load(engine, file, plan, { isTrained: options.isTrained ?? false, quantized });
    return { ...loaded, scaleFactors, warnings: plan.warnings };
  } finally {
    await file.close();
  }
}

/** The transformer's weights once more, as they are in the file; where they are not trained, engines that can leave them there do. Errors: those of `loadModel`. */
export async function loadTransformer(engine: Engine, options: LoadOptions): Promise<Map<string, Tensor>> {
  const file = await openWeights(options.modelPath, "transformer", modelPlace);
  try {
    const sections = readConfigSections(file.metadata, file.path, modelPlace);
    const { transformer } = planLoading(file, sections, options.streams, options.blocks);
    const quantized = await quantizedOf(file, transformer, options);
    return await loadPart(engine, file, transformer, { isTrained: options.isTrained ?? false, quantized });
  } finally {
    await file.close();
  }
}

/** The weights that are quantized; null where none is. */
async function quantizedOf(
  file: SafetensorsFile,
  { prefix, parameters }: Part,
  {
    quantization: to = null,
    isTrained = false,
    isBlank = false,
    tell = () => {},
    onInterrupt = () => () => {},
  }: LoadOptions,
): Promise<QuantizedWeights | null> {
  // What is in 8 bits already is not rounded once more.
  if (to === null || isTrained || isFp8(file)) return null;
  if (isBlank) return blankQuantized(file, to);
  return quantizedWeights(file, { to, names: parameters.map(({ name }) => prefix + name), tell, onInterrupt });
}

/** Opens a file that holds what the setting at `place` asks for. Errors: FindingsError that says what it is if it does not. */
async function openWeights(path: string, role: "transformer" | "video-vae", place: Finding["path"]) {
  const unfit = await judgeFile(path, role, place);
  if (unfit !== null) throw new FindingsError([unfit]);
  try {
    return await openSafetensors(path);
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    throw new FindingsError(error.findings.map((finding) => ({ ...finding, path: place })));
  }
}

interface Plan {
  readonly config: TransformerConfig;
  readonly transformer: Part;
  readonly video: ConnectorPlan;
  readonly audio: ConnectorPlan | null;
  readonly warnings: readonly Finding[];
}

interface ConnectorPlan {
  readonly config: ConnectorConfig;
  readonly part: Part;
}

/** Reads the whole config before anything of its tensors, and checks all of them before any is loaded. */
function planLoading(
  file: SafetensorsFile,
  sections: ConfigSection,
  streams: LoadOptions["streams"],
  blocks = Infinity,
): Plan {
  const section = sections["transformer"];
  if (!isSection(section)) {
    const help = "name the checkpoint of the transformer; a VAE or text encoder is a file of its own";
    return fail("LTX6204", `the config in ${file.path} has no section \`transformer\``, help, modelPlace);
  }
  const transformer = readTransformerConfig(section, modelTypeFor(section, streams), modelPlace);
  const video = readConnectorConfig(section, "video", undefined, modelPlace);
  const audio = readConnectorConfig(section, "audio", undefined, modelPlace);
  if (transformer.config === null || video.config === null || audio.config === null) {
    // Both connectors fall back to the same keys.
    throw new FindingsError(distinct([...transformer.findings, ...video.findings, ...audio.findings]));
  }
  refuse([
    ...checkContextWidths(transformer.config, modelPlace),
    ...checkConnectorWidth(transformer.config, "video", video.config),
    ...(streams.audio ? checkConnectorWidth(transformer.config, "audio", audio.config) : []),
  ]);
  refuse(checkLayers(file, transformer.config.layers, [video.config.layers, audio.config.layers]));
  const prefix = transformerPrefix(file);
  const config = { ...transformer.config, layers: Math.min(transformer.config.layers, blocks) };
  const layout = transformerLayout(config);
  const plan = {
    config,
    transformer: { prefix, parameters: layout.filter((parameter) => isNeeded(parameter, streams)) },
    video: planConnector(file, prefix, video.config, "video"),
    audio: streams.audio ? planConnector(file, prefix, audio.config, "audio") : null,
  };
  checkConnectors(file);
  const parts = [plan.transformer, plan.video.part, ...(plan.audio === null ? [] : [plan.audio.part])];
  refuse(checkParts(file, parts, new Set([keyframesEmbedding]), modelPlace));
  const own = layout.map(({ name }) => prefix + name);
  const connectors = [...file.tensors.keys()].filter((name) => name.includes("embeddings_connector."));
  return { ...plan, warnings: unusedTensors(file, prefix, new Set([...own, ...connectors]), modelPlace) };
}

/** Layers whose tensors are listed without a look at the file; published models have 48. */
const FEW_LAYERS = 1000;

/** All tensors of the layers that the config speaks of are listed next, which must be few enough. Each layer has several. */
function checkLayers(file: SafetensorsFile, blocks: number, connectors: readonly number[]): Finding[] {
  const layers = Math.max(blocks, ...connectors);
  if (layers <= Math.max(FEW_LAYERS, file.tensors.size)) return [];
  const message = `the checkpoint's config speaks of ${layers} layers, and ${file.path} has only ${file.tensors.size} tensors`;
  const help = "the file's metadata was damaged or written by hand; name an LTX-2 checkpoint as it was published";
  return [{ code: "LTX6203", severity: "error", path: modelPlace, message, help }];
}

/** Without any connector, one finding says more than a list of all their tensors. */
function checkConnectors({ path, tensors }: SafetensorsFile): void {
  if ([...tensors.keys()].some((name) => name.includes("embeddings_connector."))) return;
  const what = "holds the transformer without its connectors, which turn captions into what it reads";
  fail("LTX6228", `${path} ${what}`, takePublished, modelPlace);
}

/** What a connector gives must be what its stream, or the caption projection before it, takes. */
function checkConnectorWidth(
  config: TransformerConfig,
  stream: "video" | "audio",
  { width }: ConnectorConfig,
): Finding[] {
  const wanted = config.captionChannels ?? config[stream]?.width ?? width;
  if (width === wanted) return [];
  const message = `the checkpoint's config gives the ${stream} connector ${width} channels, but its stream takes ${wanted}`;
  const help = "name an LTX-2 checkpoint as it was published; there both are equal";
  return [{ code: "LTX6203", severity: "error", path: modelPlace, message, help }];
}

function distinct(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [finding.message, finding])).values()];
}

/** A file that says nothing of audio heads holds the video stream alone. */
function modelTypeFor(section: ConfigSection, streams: LoadOptions["streams"]): ModelType {
  return streams.audio || "audio_num_attention_heads" in section ? "audio-video" : "video-only";
}

function isNeeded({ stream }: Parameter, streams: LoadOptions["streams"]): boolean {
  return stream === "cross" ? streams.video && streams.audio : streams[stream];
}

/** A pack for video alone may call its only connector `embeddings_connector`. */
function planConnector(
  file: SafetensorsFile,
  prefix: string,
  config: ConnectorConfig,
  stream: "video" | "audio",
): ConnectorPlan {
  const single = `${prefix}embeddings_connector.`;
  const isSingle = stream === "video" && [...file.tensors.keys()].some((name) => name.startsWith(single));
  const own = isSingle ? single : `${prefix}${stream}_embeddings_connector.`;
  return { config, part: { prefix: own, parameters: connectorLayout(config, stream) } };
}

/** From the file that holds the video VAE: the model's own, or one that the run config names. */
function scaleFactorsIn(modelPath: string, sections: ConfigSection): ScaleFactors {
  if (!isSplit(sections)) return readScaleFactors(sections, modelPath, modelPlace);
  const help = "add `video_vae_path: <the pack's video VAE>` below `model`";
  return fail(
    "LTX6208",
    `${modelPath} holds the transformer alone, its video VAE is a file of its own`,
    help,
    modelPlace,
  );
}

async function scaleFactorsOfVae(path: string): Promise<ScaleFactors> {
  const file = await openWeights(path, "video-vae", vaePlace);
  try {
    return readScaleFactors(readConfigSections(file.metadata, path, vaePlace), path, vaePlace);
  } finally {
    await file.close();
  }
}

async function load(engine: Engine, file: SafetensorsFile, plan: Plan, how: Parameters<typeof loadPart>[3]) {
  const weights = await loadPart(engine, file, plan.transformer, how);
  const loaded: Tensor[] = [...weights.values()];
  const connector = async ({ config, part }: ConnectorPlan): Promise<Connector> => {
    const own = await loadPart(engine, file, part);
    loaded.push(...own.values());
    return createConnector(createModule(engine.ops, own), config);
  };
  try {
    const video = await connector(plan.video);
    const audio = plan.audio === null ? null : await connector(plan.audio);
    const processor = createEmbeddingsProcessor(engine.ops, video, audio);
    // Features of a stream that the run does not feed are not its concern.
    const run: EmbeddingsProcessor["run"] = (x) => processor.run(audio === null ? { ...x, audio: null } : x);
    return { config: plan.config, weights, embeddings: { run }, dispose: () => engine.dispose(...loaded) };
  } catch (error) {
    engine.dispose(...loaded);
    throw error;
  }
}
