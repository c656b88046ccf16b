/** A block of the diffusion decoder: attention among neighbours and an MLP, each added to what comes in. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Ops, Tensor } from "../../../contract.ts";
import type { Engine } from "../../../engine/engine.ts";
import { part } from "../layers.ts";
import type { Triple } from "./config.ts";
import { HeldFrames, type Flow } from "./flow.ts";
import { attend, disposeWindows, EPS, keepWindows, type Windows } from "./neighbourhood.ts";
import { windowsOf } from "./windows.ts";

/** What all parts of the decoder compute with. */
export interface Running {
  readonly engine: Engine;
  /** A parameter by its name in the half. */
  weight(name: string): Tensor;
  readonly headDim: number;
  /** Numbers that a part computes at once, in frames as whole ones as it can. */
  readonly most: number;
}

/** What all blocks of a stage have in common. */
export interface StageShape {
  readonly channels: number;
  readonly kernel: Triple;
  /** Of the whole clip. */
  readonly frames: number;
  readonly windows: WindowCache;
}

/** `[channels]` each, of x (1 + scale) + shift after a norm; null where nothing is modulated. */
export interface Modulation {
  readonly attention: readonly [scale: Tensor, shift: Tensor];
  readonly mlp: readonly [scale: Tensor, shift: Tensor];
}

/** The block `at` on each frame of a clip; it waits until it has seen the frames that a window reaches. */
export async function* blockFlow(
  running: Running,
  input: Flow,
  {
    at,
    stage,
    modulation,
  }: { readonly at: string; readonly stage: StageShape; readonly modulation: Modulation | null },
): Flow {
  const { engine, most } = running;
  const inTime = windowsOf(stage.frames, stage.kernel[0]);
  const windowOf = (frame: number) => inTime.starts[frame] ?? 0;
  const held = new HeldFrames(engine);
  let done = 0;
  try {
    for await (const piece of input) {
      held.add(piece);
      const [, rows = 0, columns = 0, channels = 1] = piece.x.shape;
      const atOnce = Math.max(1, Math.floor(most / (rows * columns * channels)));
      for (;;) {
        let end = done;
        while (end < Math.min(stage.frames, done + atOnce) && windowOf(end) + inTime.width <= held.end) end++;
        if (end === done) break;
        const [start, first] = [done, windowOf(done)];
        const last = windowOf(end - 1) + inTime.width;
        const starts = inTime.starts.slice(start, end).map((each) => each - first);
        const volume: Triple = [last - first, rows, columns];
        const windows = stage.windows.of({ ...inTime, starts, keys: volume[0] }, volume, stage.kernel);
        const x = engine.tidy(() =>
          block(running, at, held.range(engine.ops, first, last), {
            windows,
            modulation,
            volume,
            asking: { first: start - first, count: end - start },
          }),
        );
        done = end;
        held.drop(windowOf(done));
        await nextTurn();
        yield { start, x };
      }
    }
  } finally {
    held.dispose();
  }
}

interface BlockInputs {
  readonly windows: Windows;
  readonly modulation: Modulation | null;
  readonly volume: Triple;
  readonly asking: { readonly first: number; readonly count: number };
}

/** Of a volume `[frames, rows, columns, channels]` the frames that ask. */
function block({ engine, weight, most }: Running, at: string, x: Tensor, inputs: BlockInputs): Tensor {
  const { ops } = engine;
  const { windows, modulation, volume, asking } = inputs;
  const channels = x.shape[3] ?? 0;
  const cells = ops.reshape(x, [-1, channels]);
  const normed = modulated(ops, ops.rmsNorm(cells, EPS, weight(`${at}.norm1.weight`)), modulation?.attention);
  const qkv = linear(ops, weight, `${at}.attn.qkv`, normed);
  const norms = [weight(`${at}.attn.q_norm.weight`), weight(`${at}.attn.k_norm.weight`)] as const;
  const seen = attend(ops, windows, { qkv, volume, norms, ...asking });
  const own = ops.reshape(part(ops, x, 0, asking.first, asking.count), [-1, channels]);
  const sum = ops.add(own, linear(ops, weight, `${at}.attn.proj`, seen));
  const again = modulated(ops, ops.rmsNorm(sum, EPS, weight(`${at}.norm2.weight`)), modulation?.mlp);
  const parts = Math.ceil((4 * again.shape.reduce((a, b) => a * b, 1)) / most);
  const made = inParts(ops, again, parts, (rows) => mlp(ops, weight, `${at}.mlp`, rows));
  return ops.reshape(ops.add(sum, made), [asking.count, ...x.shape.slice(1)]);
}

const modulated = (ops: Ops, x: Tensor, rows: readonly [Tensor, Tensor] | undefined): Tensor =>
  rows === undefined ? x : ops.modulate(x, ...rows);

export function linear(ops: Ops, weight: Running["weight"], name: string, x: Tensor): Tensor {
  return ops.linear(x, weight(`${name}.weight`), weight(`${name}.bias`));
}

function mlp(ops: Ops, weight: Running["weight"], at: string, x: Tensor): Tensor {
  const half = (name: string) => ops.linear(x, weight(`${at}.${name}.weight`), null);
  return ops.linear(ops.mul(ops.silu(half("w_gate")), half("w_up")), weight(`${at}.w_down.weight`), null);
}

/** Rows a part at a time, so that what is wider in between takes less memory. */
function inParts(ops: Ops, x: Tensor, parts: number, f: (rows: Tensor) => Tensor): Tensor {
  const [rows = 0] = x.shape;
  const each = Math.ceil(rows / Math.max(1, parts));
  if (each >= rows) return f(x);
  const made = Array.from({ length: Math.ceil(rows / each) }, (_, i) =>
    f(part(ops, x, 0, i * each, Math.min(each, rows - i * each))),
  );
  return ops.concat(made, 0);
}

/** Kept of the windows of a stage: those inside a clip are all the same, and few at its ends differ. */
const KEPT = 3;

export class WindowCache {
  readonly #engine: Engine;
  readonly #heads: { readonly heads: number; readonly headDim: number };
  readonly #kept = new Map<string, Windows>();

  constructor(engine: Engine, heads: { readonly heads: number; readonly headDim: number }) {
    [this.#engine, this.#heads] = [engine, heads];
  }

  /** Valid until the next call. */
  of(inTime: Parameters<typeof keepWindows>[1][0], [, rows, columns]: Triple, kernel: Triple): Windows {
    const key = JSON.stringify([inTime, rows, columns]);
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    for (const [oldest, windows] of this.#kept) {
      if (this.#kept.size < KEPT) break;
      this.#kept.delete(oldest);
      disposeWindows(this.#engine, windows);
    }
    const axes = [inTime, windowsOf(rows, kernel[1]), windowsOf(columns, kernel[2])] as const;
    const made = keepWindows(this.#engine, axes, this.#heads);
    this.#kept.set(key, made);
    return made;
  }

  dispose(): void {
    for (const windows of this.#kept.values()) disposeWindows(this.#engine, windows);
    this.#kept.clear();
  }
}
