import type { DrawSource } from "../../runtime/random/sampler.ts";
import { createDraws } from "../../runtime/random/draws.ts";
import { createSampler, type SamplerChoice } from "../../runtime/random/samplers.ts";
import { golden, type Case, type Replay } from "../case.ts";
import { compare } from "../compare.ts";

/** Draws noise levels with the recorded random numbers. */
export const replay: Replay = async (replayed, engine) => {
  const { batch_size, seq_length, tolerance } = replayed.manifest;
  const draws = createDraws(engine.ops, recorded(replayed), createSampler(choiceOf(replayed)));
  const sigma = draws.sampled("sigma", [batch_size], seq_length);
  const actual = await engine.read(sigma);
  engine.dispose(sigma);
  return compare("sigma", actual, golden(replayed.tensors, "out.sigma"), tolerance);
};

function choiceOf({ manifest }: Case): SamplerChoice {
  const config = manifest["effective_config"] ?? manifest["config"];
  return String(manifest["called"]).includes("UniformTimestepSampler")
    ? { mode: "uniform", params: { min_value: 0, max_value: 1, ...config } }
    : { mode: "shifted_logit_normal", params: { std: 1, eps: 1e-3, uniform_prob: 0.1, ...config } };
}

/** The reference draws the normal numbers first, then the uniform ones, then those that choose between the two. */
function recorded({ manifest, tensors }: Case): DrawSource {
  const parts = manifest["draws"].length === 1 ? ["uniform"] : ["normal", "uniform", "mix"];
  const read = (name: string) => {
    const index = parts.indexOf(name.slice(name.lastIndexOf(".") + 1));
    return Float32Array.from(golden(tensors, manifest["draws"][index].name).data);
  };
  return { randn: read, rand: read };
}
