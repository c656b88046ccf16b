/** Attention in which each cell sees a box of cells around it, with positions turned into queries and keys. */
import type { HostTensor, Ops, Tensor } from "../../../contract.ts";
import type { Engine } from "../../../engine/engine.ts";
import { part } from "../layers.ts";
import { partsOfHead, type Triple } from "./config.ts";
import { groupTiles, type AxisWindows, type TileGroup } from "./windows.ts";

/** Tiles that one attention computes, on the engine. */
interface Chunk {
  /** int32 `[tiles, heads, queries or keys of a tile]`: rows of `[heads * cells, head_dim]`. */
  readonly queries: Tensor;
  readonly keys: Tensor;
  /** `[1, 1, queries, keys]`, or null where each query sees all. */
  readonly bias: Tensor | null;
}

/** The windows of a volume of queries, on the engine. */
export interface Windows {
  readonly chunks: readonly Chunk[];
  /** int32 `[cells]`: where each query's result lies among those of all chunks. */
  readonly order: Tensor;
}

/** 64 MiB in float32. */
const MOST_GATHERED = 2 ** 24;

const UNSEEN = -1e30;

/**
 * Uploads what `attend` needs to know of the windows; `disposeWindows` frees it.
 * @param mostGathered numbers that are gathered at once for the keys of a chunk
 */
export function keepWindows(
  engine: Engine,
  axes: readonly [time: AxisWindows, rows: AxisWindows, columns: AxisWindows],
  { heads, headDim }: { readonly heads: number; readonly headDim: number },
  mostGathered = MOST_GATHERED,
): Windows {
  const count = (of: (axis: AxisWindows) => number) => axes.reduce((product, axis) => product * of(axis), 1);
  const [queries, keys] = [count(({ starts }) => starts.length), count((axis) => axis.keys)];
  const order = new Int32Array(queries);
  let row = 0;
  const chunks = groupTiles(axes).flatMap((group) => {
    for (const tile of group.queries) for (const query of tile) order[query] = row++;
    const own = group.keys[0]?.length ?? 1;
    const most = Math.max(1, Math.floor(mostGathered / (own * heads * headDim)));
    const bias = biasOf(engine, group);
    return Array.from({ length: Math.ceil(group.keys.length / most) }, (_, i) => ({
      queries: keepRows(engine, group.queries.slice(i * most, (i + 1) * most), heads, queries),
      keys: keepRows(engine, group.keys.slice(i * most, (i + 1) * most), heads, keys),
      bias,
    }));
  });
  return { chunks, order: engine.keep({ shape: [queries], dtype: "int32", data: order }) };
}

export function disposeWindows(engine: Engine, { chunks, order }: Windows): void {
  const biases = new Set(chunks.map(({ bias }) => bias));
  engine.dispose(order, ...biases, ...chunks.flatMap(({ queries, keys }) => [queries, keys]));
}

function keepRows(engine: Engine, tiles: readonly Int32Array[], heads: number, cells: number): Tensor {
  const size = tiles[0]?.length ?? 0;
  const data = new Int32Array(tiles.length * heads * size);
  tiles.forEach((tile, i) => {
    for (let head = 0; head < heads; head++)
      for (let j = 0; j < size; j++) data[(i * heads + head) * size + j] = head * cells + (tile[j] ?? 0);
  });
  return engine.keep({ shape: [tiles.length, heads, size], dtype: "int32", data });
}

function biasOf(engine: Engine, { visible, queries, keys }: TileGroup): Tensor | null {
  if (visible === null) return null;
  const shape = [1, 1, queries[0]?.length ?? 0, keys[0]?.length ?? 0];
  return engine.keep({ shape, dtype: "float32", data: Float32Array.from(visible, (x) => (x === 1 ? 0 : UNSEEN)) });
}

/** A volume of keys and the frames of it that ask, all with the volume's rows and columns. */
interface Asking {
  /** `[cells of the volume, 3 * heads * head_dim]`: queries, keys and values. */
  readonly qkv: Tensor;
  /** Frames, rows and columns of the volume. */
  readonly volume: Triple;
  /** The first frame that asks, and how many do. */
  readonly first: number;
  readonly count: number;
  /** The weights of the norms of queries and keys, `[head_dim]`. */
  readonly norms: readonly [queries: Tensor, keys: Tensor];
}

/** Of the norms. */
export const EPS = 1e-6;

/** `[cells that ask, heads * head_dim]` */
export function attend(ops: Ops, windows: Windows, { qkv, volume, first, count, norms }: Asking): Tensor {
  const [headDim = 0] = norms[0].shape;
  const width = (qkv.shape[1] ?? 0) / 3;
  const heads = width / headDim;
  const [frames, rows, columns] = volume;
  const [cells, asked] = [frames * rows * columns, count * rows * columns];
  const tables = rotations(ops, volume, headDim);
  // `[heads, cells, head_dim]`, turned.
  const perHead = (x: Tensor) => ops.transpose(ops.reshape(x, [-1, heads, headDim]), [1, 0, 2]);
  const turned = (x: Tensor, norm: Tensor, from: number, size: number) => {
    const [cos, sin] = tables.map((table) => part(ops, table, 1, from, size)) as [Tensor, Tensor];
    return ops.rotate(perHead(ops.rmsNorm(ops.reshape(x, [-1, heads, headDim]), EPS, norm)), cos, sin, "neighbours");
  };
  const [begin, all] = [first * rows * columns, (i: number) => part(ops, qkv, 1, i * width, width)];
  const q = turned(part(ops, all(0), 0, begin, asked), norms[0], begin, asked);
  const [qRows, kRows, vRows] = [q, turned(all(1), norms[1], 0, cells), perHead(all(2))].map((x) =>
    ops.reshape(x, [-1, headDim]),
  ) as [Tensor, Tensor, Tensor];
  const made = windows.chunks.map((chunk) => {
    const [k, v] = [ops.gather(kRows, chunk.keys), ops.gather(vRows, chunk.keys)];
    const seen = ops.attention(ops.gather(qRows, chunk.queries), k, v, chunk.bias);
    return ops.reshape(ops.transpose(seen, [0, 2, 1, 3]), [-1, width]);
  });
  return ops.gather(made.length === 1 ? (made[0] as Tensor) : ops.concat(made, 0), windows.order);
}

/**
 * Cosines and sines of all cells of a volume, `[1, cells, head_dim]`, each twice. Only differences of positions count, so frames are numbered
 * from the volume's first.
 */
function rotations(ops: Ops, volume: Triple, headDim: number): Tensor[] {
  const widths = partsOfHead(headDim) ?? [0, 0, headDim];
  return [Math.cos, Math.sin].map((f) => {
    const parts = widths.flatMap((width, axis) =>
      width === 0
        ? []
        : [ops.broadcastTo(ops.constant(tableOf(f, volume[axis] ?? 0, axis, width)), [...volume, width])],
    );
    return ops.reshape(ops.concat(parts, 3), [1, -1, headDim]);
  });
}

/** Of the places along one axis; the i-th pair of channels turns by place * 10000^(-2i / width). */
function tableOf(f: (angle: number) => number, length: number, axis: number, width: number): HostTensor {
  const data = Float32Array.from({ length: length * width }, (_, at) => {
    const pair = Math.floor((at % width) / 2);
    return f(Math.floor(at / width) * 10000 ** ((-2 * pair) / width));
  });
  return { shape: [1, 1, 1, width].with(axis, length), dtype: "float32", data };
}
