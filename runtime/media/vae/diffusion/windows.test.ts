import { suite } from "uvu";
import * as assert from "uvu/assert";
import { groupTiles, windowsOf, type AxisWindows } from "./windows.ts";

const test = suite("windows of neighbourhood attention");

test("a window is around its place, and moved inwards at the ends", () => {
  assert.equal(windowsOf(6, 3), { starts: [0, 0, 1, 2, 3, 3], width: 3, keys: 6 });
  assert.equal(windowsOf(5, 4), { starts: [0, 0, 0, 1, 1], width: 4, keys: 5 });
  assert.equal(windowsOf(2, 5), { starts: [0, 0], width: 2, keys: 2 });
});

/** The keys that each query sees, from its windows alone. */
function expected([time, rows, columns]: readonly [AxisWindows, AxisWindows, AxisWindows]): string[] {
  const made: string[] = [];
  for (const t of time.starts)
    for (const y of rows.starts)
      for (const x of columns.starts) {
        const keys: number[] = [];
        for (let i = t; i < t + time.width; i++)
          for (let j = y; j < y + rows.width; j++)
            for (let k = x; k < x + columns.width; k++) keys.push((i * rows.keys + j) * columns.keys + k);
        made.push(keys.join());
      }
  return made;
}

/** The same from the tiles; each query is in at least one. */
function tiled(axes: readonly [AxisWindows, AxisWindows, AxisWindows]): string[] {
  const made: string[] = [];
  for (const { queries, keys, visible } of groupTiles(axes)) {
    queries.forEach((tile, i) => {
      const box = [...(keys[i] ?? [])];
      tile.forEach((query, j) => {
        const own = box.filter((_, k) => visible === null || visible[j * box.length + k] === 1).join();
        assert.ok(made[query] === undefined || made[query] === own, `query ${query} sees one thing`);
        made[query] = own;
      });
    });
  }
  return made;
}

test("tiles leave to each query the keys of its window, whatever the sizes", () => {
  for (const [sizes, kernels] of [
    [
      [1, 1, 1],
      [1, 1, 1],
    ],
    [
      [1, 9, 7],
      [1, 5, 3],
    ],
    [
      [6, 5, 11],
      [3, 4, 11],
    ],
    [
      [13, 6, 3],
      [11, 2, 7],
    ],
    [
      [3, 17, 18],
      [3, 7, 7],
    ],
  ] as const) {
    const axes = [0, 1, 2].map((i) => windowsOf(sizes[i] ?? 1, kernels[i] ?? 1)) as unknown as Parameters<
      typeof tiled
    >[0];
    assert.equal(tiled(axes), expected(axes), `${sizes.join("x")} by ${kernels.join("x")}`);
  }
});

test("some frames of a clip ask among more", () => {
  const inTime = windowsOf(20, 5);
  const own = { starts: inTime.starts.slice(15, 20).map((start) => start - 13), width: 5, keys: 7 };
  const axes = [own, windowsOf(6, 3), windowsOf(5, 3)] as const;
  assert.equal(tiled(axes), expected(axes));
});

test("queries that see the same are computed together", () => {
  const groups = groupTiles([windowsOf(1, 1), windowsOf(64, 7), windowsOf(64, 7)]);
  assert.ok(groups.length <= 9, `${groups.length} groups`);
  assert.ok(groups.some(({ queries }) => queries.length > 10));
  assert.equal(
    groupTiles([windowsOf(3, 5), windowsOf(4, 7), windowsOf(4, 4)]).map(({ visible }) => visible),
    [null],
  );
});

test.run();
