/** Puts tiles together: sums of values times weights, divided by the sums of the weights. */
import type { Range } from "./tiles.ts";

/** By frame, row or column the sum of the weights of all tiles that have it. Tiles are cut axis by axis, so their products are those of cells. */
interface TotalWeights {
  readonly frames: Float64Array;
  readonly rows: Float64Array;
  readonly columns: Float64Array;
}

/** Of the tiles of one axis, of `length` pixels or frames. */
export function totalWeights(tiles: readonly Range[], length: number): Float64Array {
  const totals = new Float64Array(length);
  for (const { start, weights } of tiles)
    for (const [i, weight] of weights.entries()) totals[start + i] = (totals[start + i] ?? 0) + weight;
  return totals;
}

/** `[channels, frames, rows, columns]`, of which frames are taken away in front as soon as they are complete. */
export class Blend {
  readonly #channels: number;
  readonly #totals: TotalWeights;
  readonly #rows: number;
  readonly #columns: number;
  /** The first frame that is still here. */
  #first = 0;
  #sums: Float32Array[] = [];

  constructor(channels: number, totals: TotalWeights) {
    [this.#channels, this.#totals] = [channels, totals];
    [this.#rows, this.#columns] = [totals.rows.length, totals.columns.length];
  }

  /** Adds a tile, `[channels, frames, rows, columns]` of its ranges. */
  add(data: ArrayLike<number>, frames: Range, rows: Range, columns: Range): void {
    const [count, height, width] = [frames.weights.length, rows.weights.length, columns.weights.length];
    for (let t = 0; t < count; t++) {
      const sums = this.#frame(frames.start + t);
      for (let c = 0; c < this.#channels; c++) {
        for (let y = 0; y < height; y++) {
          const inRow = (frames.weights[t] ?? 0) * (rows.weights[y] ?? 0);
          const from = ((c * count + t) * height + y) * width;
          const to = (c * this.#rows + rows.start + y) * this.#columns + columns.start;
          for (let x = 0; x < width; x++) {
            const value = data[from + x] ?? NaN;
            sums[to + x] = (sums[to + x] ?? 0) + inRow * (columns.weights[x] ?? 0) * value;
          }
        }
      }
    }
  }

  /** The frames before `end`, each `[channels, rows, columns]`: they are complete. */
  take(end: number): Float32Array[] {
    const taken = this.#sums.splice(0, end - this.#first);
    for (const [t, sums] of taken.entries()) this.#divide(sums, this.#totals.frames[this.#first + t] ?? 0);
    this.#first = end;
    return taken;
  }

  /** The sums of a frame, which is begun if it is a new one. */
  #frame(frame: number): Float32Array {
    const at = frame - this.#first;
    if (at < 0) throw new Error("a tile comes after its frames were taken");
    while (this.#sums.length <= at) this.#sums.push(new Float32Array(this.#channels * this.#rows * this.#columns));
    return this.#sums[at] as Float32Array;
  }

  #divide(sums: Float32Array, ofFrame: number): void {
    const { rows, columns } = this.#totals;
    for (let i = 0, at = 0; i < this.#channels * this.#rows; i++) {
      const inRow = ofFrame * (rows[i % this.#rows] ?? 0);
      for (let x = 0; x < this.#columns; x++, at++)
        sums[at] = (sums[at] ?? 0) / Math.max(inRow * (columns[x] ?? 0), 1e-8);
    }
  }
}
