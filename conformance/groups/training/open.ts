import { join } from "node:path";
import type { RunConfig } from "../../../runtime/config/run-config.ts";
import type { ScaleFactors } from "../../../runtime/contract.ts";
import { openSafetensors } from "../../../runtime/files/safetensors/index.ts";
import type { Engine } from "../../../runtime/engine/engine.ts";
import { readTransformerConfig, type TransformerConfig } from "../../../runtime/model/config.ts";
import { transformerLayout } from "../../../runtime/model/parameters.ts";
import { createLora, matchTargets } from "../../../runtime/model/lora.ts";
import { createPositions } from "../../../runtime/model/positions.ts";
import { createTransformer } from "../../../runtime/model/transformer.ts";
import { loadPart } from "../../../runtime/model/weights.ts";
import { createAdamW } from "../../../runtime/optimizer/adamw.ts";
import type { ForwardContext } from "../../../runtime/training/forward.ts";
import type { OptimizerContext } from "../../../runtime/training/optimizer-step.ts";
import { createSampler } from "../../../runtime/random/samplers.ts";
import { createTextContexts, type TextContexts } from "../../../runtime/opening/text-contexts.ts";
import { golden, type Case } from "../../case.ts";
import type { CaseStrategy } from "../../compiled.ts";
import { loadConnectors } from "../../connectors.ts";
import { toHost } from "../../golden-batch.ts";

/** What a case trains, ready to take steps. */
interface OpenedCase {
  readonly context: OptimizerContext;
  /** The linear layers with adapters. */
  readonly modules: readonly string[];
  /** Null where the prompt embeddings are the context as they are. */
  readonly contexts: TextContexts | null;
  dispose(): void;
}

export async function openCase(
  replayed: Case,
  engine: Engine,
  strategy: CaseStrategy,
  config: RunConfig,
): Promise<OpenedCase> {
  const model = modelOf(replayed);
  const file = await openSafetensors(join(replayed.directory, "weights.safetensors"));
  const weights = await loadPart(engine, file, { prefix: "", parameters: transformerLayout(model) });
  await file.close();
  const { adapters, modules } = adaptersOf(replayed, engine, model, config);
  const connectors = await connectorsOf(replayed, engine);
  const transformer = createTransformer(engine.ops, model, weights, adapters);
  const forward = forwardOf(engine, strategy, config, (inputs) => ({ ...transformer.forward(inputs), outputs: {} }));
  const optimizer = createAdamW(engine, adapters.names.length);
  return {
    context: {
      engine,
      forward,
      trainable: adapters,
      optimizer,
      dropout: config.lora?.dropout ?? 0,
      maxGradNorm: config.optimization.max_grad_norm,
    },
    modules,
    contexts: connectors?.contexts ?? null,
    dispose() {
      optimizer.dispose();
      connectors?.contexts.dispose();
      engine.dispose(...adapters.tensors(), ...weights.values(), ...(connectors?.weights ?? []));
    },
  };
}

function modelOf({ manifest }: Case): TransformerConfig {
  const section: object = manifest["model_config"].transformer;
  const type = "audio_num_attention_heads" in section ? "audio-video" : "video-only";
  const { config, findings } = readTransformerConfig(manifest["model_config"].transformer, type);
  if (config === null) throw new Error(findings.map(({ message }) => message).join("; "));
  return config;
}

/** The adapters with the case's initial values. */
function adaptersOf({ tensors }: Case, engine: Engine, model: TransformerConfig, { lora }: RunConfig) {
  if (lora === null) throw new Error("the case has no adapters");
  const { targets } = matchTargets(transformerLayout(model), lora);
  const adapters = createLora(engine, targets, lora, (_, count) => new Float32Array(count));
  engine.dispose(...adapters.tensors());
  adapters.replace(adapters.names.map((name) => engine.keep(toHost(golden(tensors, `lora.init.${name}`)))));
  return { adapters, modules: targets.map(({ module }) => module) };
}

/** The case's connectors, run as in training: for each sample once. Text instead of settings says that there are none. */
async function connectorsOf({ manifest, directory }: Case, engine: Engine) {
  const settings = manifest["embeddings_processor"] ?? null;
  if (settings === null || (typeof settings === "string" && settings.startsWith("none"))) return null;
  if (typeof settings !== "object") throw new Error(`no embeddings processor stands for: ${settings}`);
  const { embeddings, weights } = await loadConnectors(engine, join(directory, settings.weights), {
    config: settings.config,
    registers: settings.num_learnable_registers,
  });
  return { contexts: createTextContexts(engine, embeddings), weights };
}

function forwardOf(
  { ops }: Engine,
  { step, params }: CaseStrategy,
  { flow_matching }: RunConfig,
  model: ForwardContext["model"],
): ForwardContext {
  const scaleFactors: ScaleFactors = { time: 8, height: 32, width: 32 };
  const sampler = createSampler(flow_matching);
  return { ops, step, params, model, sampler, positions: createPositions(scaleFactors), scaleFactors };
}
