/** Puts tiles together: sums of values times weights, and of the weights. */
import type { Range } from "./tiles.ts";

/** `[channels, frames, rows, columns]`, of which frames are taken away in front as soon as they are complete. */
export class Blend {
  readonly #channels: number;
  readonly #rows: number;
  readonly #columns: number;
  /** The first frame that is still here. */
  #first = 0;
  #frames = 0;
  #sums: Float32Array[] = [];
  #weights: Float64Array[] = [];

  constructor(channels: number, rows: number, columns: number) {
    [this.#channels, this.#rows, this.#columns] = [channels, rows, columns];
  }

  /** Adds a tile, `[channels, frames, rows, columns]` of its ranges. */
  add(data: ArrayLike<number>, frames: Range, rows: Range, columns: Range): void {
    this.#extend(frames.start + frames.weights.length);
    const [count, height, width] = [frames.weights.length, rows.weights.length, columns.weights.length];
    for (let t = 0; t < count; t++) {
      const at = frames.start + t - this.#first;
      const [sums, weights] = [this.#sums[at], this.#weights[at]];
      if (sums === undefined || weights === undefined) throw new Error("a tile comes after its frames were taken");
      for (let y = 0; y < height; y++) {
        const inRow = (frames.weights[t] ?? 0) * (rows.weights[y] ?? 0);
        const row = (rows.start + y) * this.#columns + columns.start;
        for (let x = 0; x < width; x++) {
          const weight = inRow * (columns.weights[x] ?? 0);
          weights[row + x] = (weights[row + x] ?? 0) + weight;
          for (let c = 0; c < this.#channels; c++) {
            const to = c * this.#rows * this.#columns + row + x;
            sums[to] = (sums[to] ?? 0) + weight * (data[((c * count + t) * height + y) * width + x] ?? NaN);
          }
        }
      }
    }
  }

  /** The frames before `end`, each `[channels, rows, columns]`: they are complete. */
  take(end: number): Float32Array[] {
    const count = end - this.#first;
    const weights = this.#weights.splice(0, count);
    const taken = this.#sums.splice(0, count);
    for (const [t, sums] of taken.entries()) {
      const own = weights[t] as Float64Array;
      for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) / Math.max(own[i % own.length] ?? 0, 1e-8);
    }
    this.#first = end;
    this.#frames -= count;
    return taken;
  }

  #extend(end: number): void {
    while (this.#first + this.#frames < end) {
      const size = this.#rows * this.#columns;
      this.#sums.push(new Float32Array(this.#channels * size));
      this.#weights.push(new Float64Array(size));
      this.#frames++;
    }
  }
}
