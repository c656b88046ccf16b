import { join } from "node:path";
import type { Tensor } from "../../runtime/contract.ts";
import { openSafetensors } from "../../runtime/data/safetensors/index.ts";
import type { Engine } from "../../runtime/engine/engine.ts";
import type { StreamName } from "../../runtime/model/config.ts";
import { readConnectorConfig } from "../../runtime/model/connector-config.ts";
import { createConnector, type Connector } from "../../runtime/model/connector.ts";
import { createEmbeddingsProcessor } from "../../runtime/model/embeddings.ts";
import { connectorLayout } from "../../runtime/model/layout.ts";
import { createModule } from "../../runtime/model/module.ts";
import { validFirst } from "../../runtime/model/text-order.ts";
import { checkParts, loadPart, refuse } from "../../runtime/model/weights.ts";
import { golden, type Case, type Replay } from "../case.ts";
import { compare } from "../compare.ts";
import { toHost } from "../golden-batch.ts";

/** Replays the connectors from text features to contexts. */
export const replay: Replay = async (replayed, engine) => {
  const { tensors, manifest } = replayed;
  const weights: Tensor[] = [];
  const hasAudio = tensors.has("in.audio_features");
  const video = await loadConnector(replayed, engine, "video", weights);
  const audio = hasAudio ? await loadConnector(replayed, engine, "audio", weights) : null;
  const features = {
    video: toHost(golden(tensors, "in.video_features")),
    audio: hasAudio ? toHost(golden(tensors, "in.audio_features")) : null,
    mask: toHost(golden(tensors, "in.prompt_attention_mask")),
  };
  const contexts = engine.tidy(() => createEmbeddingsProcessor(engine.ops, video, audio).run(features));
  const reasons = compareOrder(replayed);
  for (const [name, tensor] of Object.entries(contexts) as [string, Tensor | null][]) {
    const tolerance = name === "mask" ? "exact" : manifest["tolerance"].out;
    if (tensor !== null)
      reasons.push(...compare(`out.${name}`, await engine.read(tensor), golden(tensors, `out.${name}`), tolerance));
    else if (tensors.has(`out.${name}`)) reasons.push(`out.${name} was not produced`);
  }
  engine.dispose(contexts.video, contexts.audio, contexts.mask, ...weights);
  return reasons;
};

/** The processor's own names stand in these files for a checkpoint's `video_embeddings_connector.`. */
async function loadConnector(
  { directory, manifest }: Case,
  engine: Engine,
  stream: StreamName,
  loaded: Tensor[],
): Promise<Connector> {
  const { config, findings } = readConnectorConfig(
    manifest["config"].transformer,
    stream,
    manifest["num_learnable_registers"],
  );
  if (config === null) throw new Error(findings.map(({ message }) => message).join("; "));
  const file = await openSafetensors(join(directory, "weights.safetensors"));
  try {
    const part = { prefix: `${stream}_connector.`, parameters: connectorLayout(config, stream) };
    refuse(checkParts(file, [part], new Set(), []));
    const weights = await loadPart(engine, file, part);
    loaded.push(...weights.values());
    return createConnector(createModule(engine.ops, weights), config);
  } finally {
    await file.close();
  }
}

/** The additive masks before and after the reorder, and the permutation between them. */
function compareOrder({ tensors }: Case): string[] {
  const mask = toHost(golden(tensors, "in.prompt_attention_mask"));
  const { index, bias } = validFirst(mask);
  const inOrder = additiveInOrder(mask.shape, index, bias.data);
  return [
    ...compare("mid.sort_index", { shape: mask.shape, data: index }, golden(tensors, "mid.sort_index"), "exact"),
    ...compare("mid.reordered_additive_mask", bias, golden(tensors, "mid.reordered_additive_mask"), "exact"),
    ...compare(
      "mid.additive_mask",
      { shape: bias.shape, data: inOrder },
      golden(tensors, "mid.additive_mask"),
      "exact",
    ),
  ];
}

/** Puts the reordered mask back into its own order. */
function additiveInOrder(
  [, tokens = 0]: readonly number[],
  index: Int32Array,
  reordered: ArrayLike<number>,
): Float32Array {
  const data = new Float32Array(index.length);
  index.forEach((from, to) => (data[Math.floor(to / tokens) * tokens + from] = reordered[to] ?? NaN));
  return data;
}
