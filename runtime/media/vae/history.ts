import type { Tensor } from "../../contract.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Past } from "./layers.ts";

/** What stages keep of a clip that comes piece by piece: a few frames for each convolution, whatever the clip's length. */
export class History {
  readonly #engine: Engine;
  #isFirst = true;
  /** Of the piece before, and of the one that is running. */
  #before = new Map<string, Tensor>();
  #now = new Map<string, Tensor>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** For a stage, which leaves in `seen` what it keeps. `isLast`: nothing follows this piece. */
  past(seen: Record<string, Tensor>, isLast: boolean): Past {
    return {
      isFirst: this.#isFirst,
      isLast,
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
