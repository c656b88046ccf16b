/** Runs the stages of a video VAE. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { HostTensor, Tensor } from "../../contract.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Computing, Past, Stage } from "./layers.ts";

/** What lies between the stages, for those who look at it; the tensor is freed afterwards. */
export type Tap = (name: string, value: Tensor) => Promise<void>;

/** What is drawn while decoding, by files that are conditioned on a noise level or inject noise. */
export type Noise = (shape: readonly number[]) => HostTensor;

interface Running {
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
    // An engine may run a stage twice, to record it: then it meets the same noise.
    const drawn: Tensor[] = [];
    const before = current;
    const { made, seen } = engine.tidy(() => {
      let draws = 0;
      const draw = (shape: readonly number[]) => (drawn[draws++] ??= engine.keep(noise(shape)));
      const seen: Record<string, Tensor> = {};
      const past = history?.past(seen);
      return { made: stage.run({ ops: engine.ops, weight, noise: draw, timestep, past }, before), seen };
    });
    current = made;
    history?.add(seen);
    engine.dispose(...drawn, before === x ? null : before);
    await tap?.(stage.name, current);
    // Engines may compute for minutes without a turn of the event loop, which Ctrl-C needs.
    await nextTurn();
  }
  history?.advance();
  return current;
}

/** What the causal convolutions of all stages have seen of a clip: two frames each, whatever its length. */
export class History {
  readonly #engine: Engine;
  #isFirst = true;
  /** Of the piece before, and of the one that is running. */
  #before = new Map<string, Tensor>();
  #now = new Map<string, Tensor>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** For a stage, which leaves in `seen` what it keeps. */
  past(seen: Record<string, Tensor>): Past {
    return {
      isFirst: this.#isFirst,
      before: (name) => this.#before.get(name) ?? null,
      keep: (name, frames) => (seen[name] = frames),
    };
  }

  add(seen: Readonly<Record<string, Tensor>>): void {
    for (const [name, frames] of Object.entries(seen)) this.#now.set(name, frames);
  }

  /** The piece is done. */
  advance(): void {
    this.#engine.dispose(...this.#before.values());
    [this.#before, this.#now, this.#isFirst] = [this.#now, new Map(), false];
  }

  dispose(): void {
    this.#engine.dispose(...this.#before.values(), ...this.#now.values());
    [this.#before, this.#now] = [new Map(), new Map()];
  }
}
