/** Runs the stages of a video VAE. */
import type { HostTensor, Tensor } from "../../contract.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Computing, Stage } from "./layers.ts";

/** What lies between the stages, for those who look at it; the tensor is freed afterwards. */
export type Tap = (name: string, value: Tensor) => Promise<void>;

/** What is drawn while decoding, by files that are conditioned on a noise level or inject noise. */
export type Noise = (shape: readonly number[]) => HostTensor;

interface Running {
  readonly noise: Noise;
  readonly timestep: Tensor | null;
  readonly tap?: Tap | undefined;
}

/** Parameters by name. Throws where the VAE has none of that name, which checks of its file exclude. */
export function weightsOf(weights: ReadonlyMap<string, Tensor>): Computing["weight"] {
  return (name) => {
    const found = weights.get(name);
    if (found === undefined) throw new Error(`the VAE has no parameter ${name}`);
    return found;
  };
}

/** One stage after another, so that no more than one's values are held. `x` stays the caller's, who owns the result. */
export async function runStages(
  engine: Engine,
  stages: readonly Stage[],
  weight: Computing["weight"],
  x: Tensor,
  { noise, timestep, tap }: Running,
): Promise<Tensor> {
  let current = x;
  for (const stage of stages) {
    // An engine may run a stage twice, to record it: then it meets the same noise.
    const drawn: Tensor[] = [];
    const before = current;
    current = engine.tidy(() => {
      let draws = 0;
      const draw = (shape: readonly number[]) => (drawn[draws++] ??= engine.keep(noise(shape)));
      return stage.run({ ops: engine.ops, weight, noise: draw, timestep }, before);
    });
    engine.dispose(...drawn, before === x ? null : before);
    await tap?.(stage.name, current);
  }
  return current;
}
