import type { DrawSource } from "../../runtime/random/sampler.ts";
import { createDraws } from "../../runtime/random/draws.ts";
import { createSampler, samplerDefaults, type FlowMatching } from "../../runtime/random/samplers.ts";
import { golden, type Case } from "../case.ts";
import { declared } from "../checks.ts";
import { keys, limits } from "../known.ts";

/** Draws noise levels with the recorded random numbers. */
export const replay = declared(
  {
    manifest: {
      ...keys("config", "effective_config", "batch_size", "seq_length"),
      // How the reference came to its numbers.
      ...keys("derived", "fraction_uniform"),
      tolerance: limits(),
    },
    inputs: /^draw_\d+$/,
  },
  async (replayed, checks, engine) => {
    const { batch_size, seq_length, tolerance } = replayed.manifest;
    const draws = createDraws(engine.ops, recorded(replayed), createSampler(choiceOf(replayed)));
    const sigma = draws.sampled("sigma", [batch_size], seq_length);
    checks.compare("out.sigma", await engine.read(sigma), tolerance);
    engine.dispose(sigma);
  },
);

function choiceOf({ manifest }: Case): FlowMatching {
  const config = manifest["effective_config"] ?? manifest["config"];
  const called = String(manifest["called"]);
  if (called.includes("UniformTimestepSampler")) {
    return { timestep_sampling_mode: "uniform", timestep_sampling_params: { ...samplerDefaults.uniform, ...config } };
  }
  if (!called.includes("ShiftedLogitNormalTimestepSampler")) throw new Error(`no sampler stands for: ${called}`);
  return {
    timestep_sampling_mode: "shifted_logit_normal",
    timestep_sampling_params: { ...samplerDefaults.shifted_logit_normal, ...config },
  };
}

/** The reference draws the normal numbers first, then the uniform ones, then those that choose between the two. */
function recorded({ manifest, tensors }: Case): DrawSource {
  const parts = manifest["draws"].length === 1 ? ["uniform"] : ["normal", "uniform", "mix"];
  if (manifest["draws"].length !== parts.length) throw new Error(`${manifest["draws"].length} draws are recorded`);
  const read = (name: string) => {
    const index = parts.indexOf(name.slice(name.lastIndexOf(".") + 1));
    return Float32Array.from(golden(tensors, manifest["draws"][index].name).data);
  };
  return { randn: read, rand: read };
}
