/** Runs the stages of a video VAE. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { HostTensor, Tensor } from "../../contract.ts";
import type { Engine } from "../../engine/engine.ts";
import type { History } from "./history.ts";
import type { Computing, Stage } from "./layers.ts";

/** What lies between the stages, for those who look at it; the tensor is freed afterwards. */
export type Tap = (name: string, value: Tensor) => Promise<void>;

/** What is drawn while decoding, by files that are conditioned on a noise level or inject noise. */
export type Noise = (shape: readonly number[]) => HostTensor;

export interface Running {
  readonly noise: Noise;
  readonly timestep: Tensor | null;
  readonly tap?: Tap | undefined;
  /** For a clip that comes piece by piece. */
  readonly history?: History | undefined;
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
  { noise, timestep, tap, history }: Running,
): Promise<Tensor> {
  let current = x;
  for (const stage of stages) {
    const drawn = new StageNoise(engine, noise);
    const before = current;
    current = runStage(engine, stage, { weight, timestep, noise: drawn, history, isLast: false }, before);
    drawn.dispose();
    if (before !== x) engine.dispose(before);
    await tap?.(stage.name, current);
    // Engines may compute for minutes without a turn of the event loop, which Ctrl-C needs.
    await nextTurn();
  }
  history?.advance();
  return current;
}

interface StageRun extends Pick<Running, "timestep" | "history"> {
  readonly weight: Computing["weight"];
  readonly noise: StageNoise;
  /** Whether the clip ends with `x`, where there is a history. */
  readonly isLast: boolean;
}

/** One stage; the caller owns the result. */
export function runStage(
  engine: Engine,
  stage: Stage,
  { weight, timestep, noise, history, isLast }: StageRun,
  x: Tensor,
): Tensor {
  const { made, seen } = engine.tidy(() => {
    const seen: Record<string, Tensor> = {};
    const past = history?.past(seen, isLast);
    return { made: stage.run({ ops: engine.ops, weight, noise: noise.fromStart(), timestep, past }, x), seen };
  });
  history?.add(seen);
  return made;
}

/** The noise of one stage. It meets the same whenever it runs: an engine may run it twice, to record it, and pieces of a clip share it. */
export class StageNoise {
  readonly #engine: Engine;
  readonly #noise: Noise;
  readonly #drawn: Tensor[] = [];

  constructor(engine: Engine, noise: Noise) {
    [this.#engine, this.#noise] = [engine, noise];
  }

  /** For a run. */
  fromStart(): Computing["noise"] {
    let draws = 0;
    return (shape) => (this.#drawn[draws++] ??= this.#engine.keep(this.#noise(shape)));
  }

  dispose(): void {
    this.#engine.dispose(...this.#drawn);
  }
}
