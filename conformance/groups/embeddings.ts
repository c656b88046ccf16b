import { join } from "node:path";
import type { Tensor } from "../../runtime/contract.ts";
import { validFirst } from "../../runtime/model/text-order.ts";
import { golden, type Case } from "../case.ts";
import { declared, type Checks } from "../checks.ts";
import { loadConnectors } from "../connectors.ts";
import { toHost } from "../golden-batch.ts";
import { keys, limits } from "../known.ts";

/** Replays the connectors from text features to contexts. */
export const replay = declared(
  {
    manifest: {
      ...keys("config", "num_learnable_registers", "outputs_none"),
      // How the reference was called.
      ...keys("built_with", "register_dtype"),
      tolerance: limits("out", "mid"),
    },
    inputs: /^in\.(video_features|audio_features|prompt_attention_mask)$/,
  },
  async (replayed, checks, engine) => {
    const { tensors, manifest, directory } = replayed;
    const { embeddings, weights } = await loadConnectors(engine, join(directory, "weights.safetensors"), {
      config: manifest["config"],
      registers: manifest["num_learnable_registers"],
    });
    const contexts = engine.tidy(() =>
      embeddings.run({
        video: toHost(golden(tensors, "in.video_features")),
        audio: tensors.has("in.audio_features") ? toHost(golden(tensors, "in.audio_features")) : null,
        mask: toHost(golden(tensors, "in.prompt_attention_mask")),
      }),
    );
    compareOrder(replayed, checks);
    for (const [name, tensor] of Object.entries(contexts) as [string, Tensor | null][]) {
      if (tensor === null) continue;
      if (manifest["outputs_none"]?.includes(`out.${name}`)) checks.fail(`out.${name}: should be absent`);
      const tolerance = name === "mask" ? "exact" : manifest["tolerance"].out;
      checks.compare(`out.${name}`, await engine.read(tensor), tolerance);
    }
    engine.dispose(contexts.video, contexts.audio, contexts.mask, ...weights);
  },
);

/** The additive masks before and after the reorder, and the permutation between them. */
function compareOrder({ tensors }: Case, checks: Checks): void {
  const mask = toHost(golden(tensors, "in.prompt_attention_mask"));
  const { index, bias } = validFirst(mask);
  const inOrder = additiveInOrder(mask.shape, index, bias.data);
  checks.compare("mid.sort_index", { shape: mask.shape, data: index }, "exact");
  checks.compare("mid.reordered_additive_mask", bias, "exact");
  checks.compare("mid.additive_mask", { shape: bias.shape, data: inOrder }, "exact");
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
