/**
 * A clip flows through the decoder a few frames at a time: each part takes pieces from the one before, and gives pieces to the next. Those
 * that look at other frames hold back what they have not seen enough of. So memory depends on the size of a frame and not on their number.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Ops, Tensor } from "../../../contract.ts";
import type { Engine } from "../../../engine/engine.ts";
import { part } from "../layers.ts";

/** Consecutive frames, `[frames, rows, columns, channels]`; whoever gets a piece disposes of it. */
interface Piece {
  /** The number of its first frame. */
  readonly start: number;
  readonly x: Tensor;
}

/** Pieces in order, without gaps. */
export type Flow = AsyncGenerator<Piece>;

const framesOf = ({ x }: Piece): number => x.shape[0] ?? 0;
const endOf = (piece: Piece): number => piece.start + framesOf(piece);

/** What `f` makes of each piece, frame by frame. */
export async function* mapped(engine: Engine, input: Flow, f: (x: Tensor, start: number) => Tensor): Flow {
  for await (const { start, x } of input) {
    const made = engine.tidy(() => f(x, start));
    engine.dispose(x);
    // Engines may compute for minutes without a turn of the event loop, which Ctrl-C needs.
    await nextTurn();
    yield { start, x: made };
  }
}

/** Frames that are still needed. */
export class HeldFrames {
  readonly #engine: Engine;
  #pieces: Piece[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The number of the frame after the last. */
  get end(): number {
    const last = this.#pieces.at(-1);
    return last === undefined ? 0 : endOf(last);
  }

  add(piece: Piece): void {
    this.#pieces.push(piece);
  }

  /** Frames from `start` to before `end`, all of which must be here; to be called within a function of the engine. */
  range(ops: Ops, start: number, end: number): Tensor {
    const parts = this.#pieces
      .filter((piece) => piece.start < end && endOf(piece) > start)
      .map((piece) => {
        const from = Math.max(start, piece.start);
        const count = Math.min(end, endOf(piece)) - from;
        return count === framesOf(piece) ? piece.x : part(ops, piece.x, 0, from - piece.start, count);
      });
    const [first, ...others] = parts;
    if (first === undefined) throw new Error(`frames ${start} to ${end} are not held`);
    return others.length === 0 ? first : ops.concat(parts, 0);
  }

  /** Forgets frames before `start`. */
  drop(start: number): void {
    const gone = this.#pieces.filter((piece) => endOf(piece) <= start);
    this.#pieces = this.#pieces.filter((piece) => endOf(piece) > start);
    this.#engine.dispose(...gone.map(({ x }) => x));
  }

  dispose(): void {
    this.drop(Infinity);
  }
}
