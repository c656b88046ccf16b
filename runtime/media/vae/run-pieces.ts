/**
 * Runs stages on a clip that comes piece by piece, in memory that does not depend on its length; the result is that of the whole clip. A convolution
 * looks one frame ahead, so what a stage gives comes later than what it is given, by its `lookahead`.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Tensor } from "../../contract.ts";
import type { Engine } from "../../engine/engine.ts";
import { History } from "./history.ts";
import { part, type Computing, type Stage } from "./layers.ts";
import { TIME } from "./space-to-depth.ts";
import { runStage, StageNoise, type Running } from "./run-stages.ts";

/** So many frames a stage is given at a time, whatever it makes of one: enough to keep an engine busy. */
export const PIECE = 8;

export type Pieces = AsyncGenerator<Tensor, void>;

/**
 * All stages, one behind the other: each asks the one before for what it needs.
 * @param pieces `[B, C, frames, rows, columns]`, which are freed here. The caller owns what comes out.
 */
export function runPieces(
  engine: Engine,
  stages: readonly Stage[],
  given: Omit<Running, "tap" | "history"> & Pick<Computing, "weight">,
  pieces: Pieces,
): Pieces {
  return stages.reduce((before, stage) => throughStage(engine, stage, given, before), pieces);
}

async function* throughStage(
  engine: Engine,
  stage: Stage,
  { weight, noise, timestep }: Parameters<typeof runPieces>[2],
  given: Pieces,
): Pieces {
  const queue = new FrameQueue(engine, given);
  const history = new History(engine);
  const drawn = new StageNoise(engine, noise);
  try {
    let isLast = false;
    for (let wanted = PIECE + (stage.lookahead ?? 0); !isLast; wanted = PIECE) {
      const piece = await queue.take(stage.needsWhole === true ? Infinity : wanted);
      isLast = piece.isLast;
      const made = runStage(engine, stage, { weight, timestep, noise: drawn, history, isLast }, piece.frames);
      history.advance();
      engine.dispose(piece.frames);
      // Engines may compute for minutes without a turn of the event loop, which Ctrl-C needs.
      await nextTurn();
      yield made;
    }
  } finally {
    drawn.dispose();
    history.dispose();
    await queue.dispose();
  }
}

/** Frames that wait for a stage. */
class FrameQueue {
  readonly #engine: Engine;
  readonly #given: Pieces;
  #waiting: Tensor | null = null;
  #isOver = false;

  constructor(engine: Engine, given: Pieces) {
    [this.#engine, this.#given] = [engine, given];
  }

  /** The next `count` frames, or what is left where that is less; the caller owns them. */
  async take(count: number): Promise<{ readonly frames: Tensor; readonly isLast: boolean }> {
    // One more than wanted: it tells whether anything follows.
    while (!this.#isOver && this.#length <= count) await this.#fetch();
    const waiting = this.#waiting;
    if (waiting === null) throw new Error("a clip has no frames");
    this.#waiting = null;
    if (this.#isOver && (waiting.shape[TIME] ?? 0) <= count) return { frames: waiting, isLast: true };
    const { ops } = this.#engine;
    const { frames, rest } = this.#engine.tidy(() => ({
      frames: part(ops, waiting, TIME, 0, count),
      rest: part(ops, waiting, TIME, count, -1),
    }));
    this.#engine.dispose(waiting);
    this.#waiting = rest;
    return { frames, isLast: false };
  }

  async dispose(): Promise<void> {
    this.#engine.dispose(this.#waiting);
    this.#waiting = null;
    await this.#given.return();
  }

  get #length(): number {
    return this.#waiting?.shape[TIME] ?? 0;
  }

  async #fetch(): Promise<void> {
    const next = await this.#given.next();
    if (next.done === true) {
      this.#isOver = true;
      return;
    }
    const before = this.#waiting;
    const { ops } = this.#engine;
    this.#waiting = before === null ? next.value : this.#engine.tidy(() => ops.concat([before, next.value], TIME));
    if (before !== null) this.#engine.dispose(before, next.value);
  }
}
