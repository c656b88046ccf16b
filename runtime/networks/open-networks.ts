/** Loads the networks of a strategy, whose weights are not trained, and calls them within its steps. */
import type { NetworkInfo, Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import type { SafetensorsFile } from "../files/safetensors/index.ts";
import { decodeIn, encodeIn, type RunStage } from "../media/vae/as-function.ts";
import { examineDecoder, examineEncoder } from "../media/vae/video-vae.ts";
import type { TransformerConfig } from "../model/config.ts";
import { loadPart } from "../model/weights.ts";
import { examineNetwork, withFile } from "./examine-networks.ts";
import type { FoundNetwork } from "./find-networks.ts";
import { runLayers } from "./layers.ts";

interface Networks {
  /** What a network makes of `x`, see `StepContext.network`. */
  readonly call: (name: string, x: Tensor) => Tensor;
  dispose(): void;
}

interface Loading {
  readonly model: TransformerConfig;
  /** Whether stages of a VAE keep nothing of what they compute for the backward pass. */
  readonly isCheckpointed: boolean;
}

/** Errors: FindingsError, those of `examineNetwork` and of files that can not be read. */
export async function openNetworks(
  engine: Engine,
  networks: readonly FoundNetwork[],
  loading: Loading,
): Promise<Networks> {
  const opened = new Map<string, Called>();
  const dispose = () => {
    for (const { weights } of opened.values()) engine.dispose(...weights.values());
  };
  try {
    for (const network of networks)
      opened.set(network.info.name, await withFile(network, (file) => openOne(engine, file, network, loading)));
  } catch (error) {
    dispose();
    throw error;
  }
  return {
    call(name, x) {
      const network = opened.get(name);
      if (network === undefined) throw new Error(`there is no network ${name}`);
      return network.call(x);
    },
    dispose,
  };
}

interface Called {
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly call: (x: Tensor) => Tensor;
}

async function openOne(
  engine: Engine,
  file: SafetensorsFile,
  network: FoundNetwork,
  { model, isCheckpointed }: Loading,
): Promise<Called> {
  const weights = new Map<string, Tensor>();
  try {
    for (const part of examineNetwork(file, network, model))
      for (const [name, tensor] of await loadPart(engine, file, part)) weights.set(name, tensor);
  } catch (error) {
    engine.dispose(...weights.values());
    throw error;
  }
  const run: RunStage = isCheckpointed
    ? (stage, x) => engine.checkpoint(([y]) => stage(y as Tensor), { inputs: [x], constants: [], parameters: [] })
    : (stage, x) => stage(x);
  return { weights, call: functionOf(engine, file, network, weights, run) };
}

function functionOf(
  { ops }: Engine,
  file: SafetensorsFile,
  { info, place }: FoundNetwork,
  weights: ReadonlyMap<string, Tensor>,
  run: RunStage,
): Called["call"] {
  const { architecture, prefix = "" } = info;
  const given = { ops, run, weight: (name: string) => named(weights, name, info) };
  if (architecture === "ltx_video_decoder") {
    const { stages } = examineDecoder(file, place);
    return (x) => decodeIn(given, stages, x);
  }
  if (architecture === "ltx_video_encoder") {
    const { stages, scaleFactors } = examineEncoder(file, place);
    return (x) => encodeIn(given, stages, scaleFactors.time, x);
  }
  const weightOf = (i: number, kind: string) => weights.get(`${prefix}${i}.${kind}`) ?? null;
  return (x) => runLayers(ops, architecture, weightOf, x);
}

function named(weights: ReadonlyMap<string, Tensor>, name: string, info: NetworkInfo): Tensor {
  const found = weights.get(name);
  if (found === undefined) throw new Error(`the network ${info.name} has no parameter ${name}`);
  return found;
}
