/**
 * Neighbourhood attention, prepared on the host: each query sees a box of keys around it. Queries are grouped in tiles; all of a tile attend to
 * one box of keys, in which a mask leaves to each query its own. What comes out is plain attention, of which every engine has a fast form.
 */

/** Along one axis: where the window of each query begins, among `keys` keys; all windows have the same width. */
export interface AxisWindows {
  readonly starts: readonly number[];
  readonly width: number;
  readonly keys: number;
}

type Axes<T> = readonly [time: T, rows: T, columns: T];

/** Where the windows of all places of an axis begin: around the place, moved inwards at both ends. A window is no wider than the axis. */
export function windowsOf(length: number, kernel: number): AxisWindows {
  const width = Math.min(kernel, length);
  const start = (i: number) => Math.min(Math.max(i - Math.floor(kernel / 2), 0), length - width);
  return { starts: Array.from({ length }, (_, i) => start(i)), width, keys: length };
}

/** Tiles that are computed at once: their queries and keys by number, row-major in their volumes, and what their queries see. */
export interface TileGroup {
  /** `[tiles][queries of a tile]` and `[tiles][keys of a tile]` */
  readonly queries: readonly Int32Array[];
  readonly keys: readonly Int32Array[];
  /** `[queries * keys of a tile]`: 1 where a query sees a key; null if each sees all. */
  readonly visible: Uint8Array | null;
}

/** All tiles, grouped by what their queries see. */
export function groupTiles(axes: Axes<AxisWindows>): TileGroup[] {
  const tiled = tileAxes(axes);
  const counts = axes.map(({ starts }) => starts.length);
  const keys = axes.map((axis) => axis.keys);
  const groups = new Map<string, { queries: Int32Array[]; keys: Int32Array[]; visible: Uint8Array | null }>();
  for (const tile of product(tiled.map(({ tiles }) => tiles))) {
    const pattern = tile.map((each) => each.starts.join()).join("|");
    let group = groups.get(pattern);
    if (group === undefined)
      groups.set(pattern, (group = { queries: [], keys: [], visible: visibleIn(axes, tiled, tile) }));
    group.queries.push(
      placesIn(
        counts,
        tile.map(({ first }) => first),
        tiled.map(({ size }) => size),
      ),
    );
    group.keys.push(
      placesIn(
        keys,
        tile.map(({ begin }) => begin),
        tiled.map(({ span }) => span),
      ),
    );
  }
  return [...groups.values()];
}

interface AxisTile {
  /** The first query, and the first key of the box. */
  readonly first: number;
  readonly begin: number;
  /** Where the windows of the queries begin in the box. */
  readonly starts: readonly number[];
}

interface TiledAxis {
  /** Queries of a tile, and keys of its box. */
  readonly size: number;
  readonly span: number;
  readonly tiles: readonly AxisTile[];
}

/** The last tile is moved inwards where it would stand out: some queries are then in two tiles. */
function tileAxis({ starts, width, keys }: AxisWindows, most: number): TiledAxis {
  const size = Math.min(most, starts.length);
  const firsts = Array.from({ length: Math.ceil(starts.length / size) }, (_, i) =>
    Math.min(i * size, starts.length - size),
  );
  const at = (i: number): number => starts[i] ?? 0;
  const span = Math.min(keys, Math.max(...firsts.map((first) => at(first + size - 1) + width - at(first))));
  const tiles = firsts.map((first) => {
    const begin = Math.min(at(first), keys - span);
    return { first, begin, starts: starts.slice(first, first + size).map((start) => start - begin) };
  });
  return { size, span, tiles };
}

/** Sizes of tiles that are tried along each axis, and the most queries in one. */
const SIZES = [1, 2, 4, 8, 16];
const MOST_QUERIES = 256;
/** What gathering a key costs, in queries that are compared with it. */
const GATHERING = 16;

/** Larger tiles compare queries with more keys that they do not see, smaller ones gather the same keys more often. */
function tileAxes(axes: Axes<AxisWindows>): Axes<TiledAxis> {
  const choices = axes.map((axis) => SIZES.map((size) => tileAxis(axis, size)));
  let best: { readonly cost: number; readonly tiled: readonly TiledAxis[] } | null = null;
  for (const tiled of product(choices)) {
    const times = (of: (axis: TiledAxis) => number) => tiled.reduce((all, axis) => all * of(axis), 1);
    const queries = times(({ size }) => size);
    if (queries > MOST_QUERIES) continue;
    const cost = times(({ tiles }) => tiles.length) * times(({ span }) => span) * (queries + GATHERING);
    if (best === null || cost < best.cost) best = { cost, tiled };
  }
  if (best === null) throw new Error("no size of tiles was tried");
  return best.tiled as unknown as Axes<TiledAxis>;
}

/** Queries by keys; a key is seen where its frame, row and column are in the query's windows. */
function visibleIn(axes: Axes<AxisWindows>, tiled: Axes<TiledAxis>, tile: readonly AxisTile[]): Uint8Array | null {
  const [frames, rows, columns] = axes.map(({ width }, i) => {
    const keys = [...Array(tiled[i]?.span ?? 0).keys()];
    return (tile[i]?.starts ?? []).map((start) => keys.map((key) => key >= start && key < start + width));
  }) as [boolean[][], boolean[][], boolean[][]];
  const visible = new Uint8Array(axes.reduce((all, _, i) => all * (tiled[i]?.size ?? 0) * (tiled[i]?.span ?? 0), 1));
  let at = 0;
  for (const frame of frames)
    for (const row of rows)
      for (const column of columns)
        for (const inTime of frame)
          for (const inRows of row)
            for (const inColumns of column) visible[at++] = inTime && inRows && inColumns ? 1 : 0;
  return visible.every((x) => x === 1) ? null : visible;
}

/** The numbers of a box's places in a volume. */
function placesIn(volume: readonly number[], begins: readonly number[], sizes: readonly number[]): Int32Array {
  const [, rows = 0, columns = 0] = volume;
  const [t = 0, y = 0, x = 0] = begins;
  const [frames = 0, height = 0, width = 0] = sizes;
  const places = new Int32Array(frames * height * width);
  let at = 0;
  for (let i = t; i < t + frames; i++)
    for (let j = y; j < y + height; j++)
      for (let k = x; k < x + width; k++) places[at++] = (i * rows + j) * columns + k;
  return places;
}

function* product<T>(lists: readonly (readonly T[])[]): Generator<T[]> {
  const [first, ...others] = lists;
  if (first === undefined) return yield [];
  for (const item of first) for (const more of product(others)) yield [item, ...more];
}
