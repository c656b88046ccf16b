import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor } from "../../contract.ts";
import type { Graph, Initializer, Node, Value } from "../../graph/graph.ts";
import { temporaryFolders } from "../../testing/temporary-folders.ts";
import { testTorch } from "../../testing/test-torch.ts";
import { blockNeeds } from "./block-needs.ts";
import { planOf, type Constant } from "./plan.ts";
import { TorchLibrary } from "./torch-library.ts";

const test = suite("weights that wait on the host");
const folder = temporaryFolders(test, "ltxc-offload");

const [BLOCKS, WIDTH] = [5, 64];
const value = (name: string): Value => ({ name, shape: [WIDTH, WIDTH], dtype: "float32" });

/** x W0 W1 … and back again: W4ᵀ … W0ᵀ, as a forward and a backward pass read them. The weights are views where they are transposed. */
function thereAndBack(path: string): Graph {
  const bytes = 4 * WIDTH * WIDTH;
  const initializers = Array.from({ length: BLOCKS }, (_, i): Initializer => ({
    ...value(`w${i}`),
    bytes: { path, offset: i * bytes, length: bytes, block: `transformer_blocks.${i}` },
  }));
  const nodes: Node[] = [];
  let x = "x";
  const push = (op: string, inputs: readonly string[], name: string, attributes: Node["attributes"] = {}) => {
    nodes.push({ op, inputs, outputs: [value(name)], attributes });
    return name;
  };
  for (let i = 0; i < BLOCKS; i++) {
    push("Transpose", [`w${i}`], `t${i}`, { perm: [1, 0] });
    x = push("MatMul", [x, `w${i}`], `y${i}`);
  }
  for (let i = BLOCKS - 1; i >= 0; i--) x = push("MatMul", [x, `t${i}`], `z${i}`);
  return { inputs: [value("x")], initializers, nodes, outputs: [x] };
}

async function weights(): Promise<string> {
  const path = join(await folder(), "weights");
  const numbers = Float32Array.from({ length: BLOCKS * WIDTH * WIDTH }, (_, i) => Math.sin(i) / Math.sqrt(WIDTH));
  await writeFile(path, new Uint8Array(numbers.buffer));
  return path;
}

/** A weight of a block that is read from a file. */
const weightOf = (block: number): Constant => ({
  ...value(`w${block}`),
  readAs: "float32",
  bytes: { path: "weights", offset: 0, length: 4 * WIDTH * WIDTH, block: `transformer_blocks.${block}` },
});

test("weights of two blocks that one call needs and that would share a buffer stay on the device", () => {
  const call = (reads: readonly number[], write: number) => ({ reads, writes: [write], mayShare: false });
  const constants = new Map([0, 1, 2, 3].map((slot) => [slot, weightOf(slot)]));
  const calls = [call([0, 8], 9), call([1, 9], 10), call([2, 0, 10], 11), call([3, 11], 12)];
  const { blocks, needs } = blockNeeds({ constants, calls, outputs: [{ slot: 12 }] });
  assert.equal(
    blocks.map(({ name }) => name),
    ["transformer_blocks.1", "transformer_blocks.3"],
  );
  assert.equal(needs, [undefined, [0], undefined, [1]]);
});

const found = await testTorch();
if (found !== null) testStream(new TorchLibrary({ folder: found.folder, device: "cpu" }));

function testStream(library: TorchLibrary): void {
  const { torch } = library;
  const x: HostTensor = {
    shape: [WIDTH, WIDTH],
    dtype: "float32",
    data: Float32Array.from({ length: WIDTH * WIDTH }, (_, i) => Math.cos(i)),
  };

  function results(graph: Graph, runs: number): (readonly number[])[] {
    const session = library.open(graph);
    const fed = library.upload(x);
    const made: (readonly number[])[] = [];
    const alive: number[] = [];
    for (let i = 0; i < runs; i++) {
      const [result] = library.run(session, [fed]);
      if (result === undefined) throw new Error("no result");
      made.push([...library.read(result).data]);
      library.free(result);
      alive.push(torch.alive);
    }
    assert.is(new Set(alive).size, 1, "as many handles after each run");
    library.free(fed);
    library.close(session);
    return made;
  }

  test("every block comes back for the way back, with the same numbers as if all weights were there", async () => {
    const graph = thereAndBack(await weights());
    const [expected] = results(graph, 1);
    library.offload(true);
    try {
      results(graph, 1);
      const before = torch.alive;
      // Again, so that what an earlier run has left in the buffers is there.
      assert.equal(results(graph, 3), [expected, expected, expected]);
      assert.is(torch.alive, before, "nothing is left but the buffers");
    } finally {
      library.offload(false);
    }
  });

  test("an opening that fails at a later weight leaves no handle, and the graph opens when the weight is there", async () => {
    const path = await weights();
    const graph = thereAndBack(path);
    const last = graph.initializers.at(-1) as Initializer;
    const beyond = { ...(last.bytes as object), offset: 4 * WIDTH * WIDTH * BLOCKS } as Initializer["bytes"];
    const broken = { ...graph, initializers: [...graph.initializers.slice(0, -1), { ...last, bytes: beyond }] };
    library.offload(true);
    try {
      results(graph, 1);
      const before = torch.alive;
      assert.throws(() => library.open(broken), /ends before the weight at/);
      assert.is(torch.alive, before);
      results(graph, 1);
      assert.is(torch.alive, before);
    } finally {
      library.offload(false);
    }
  });

  test("a view of a weight counts as the weight, and each turn names the block after it", async () => {
    const plan = planOf(torch, thereAndBack(await weights()));
    const { blocks, needs, next } = blockNeeds(plan);
    assert.equal(
      blocks.map(({ name }) => name),
      [0, 1, 2, 3, 4].map((i) => `transformer_blocks.${i}`),
    );
    const products = plan.calls.flatMap(({ node }, i) => (/^[yz]/.test(node) ? [needs[i]] : []));
    assert.equal(products.flat(), [0, 1, 2, 3, 4, 4, 3, 2, 1, 0]);
    const turns = [...next.values()];
    assert.is(turns.at(-1), null);
    assert.ok(turns.slice(0, -1).every((block) => block !== null));
  });

  test("a weight that an output is a view of stays on the device", async () => {
    const graph = thereAndBack(await weights());
    const { blocks } = blockNeeds(planOf(torch, { ...graph, outputs: [...graph.outputs, "t2"] }));
    assert.equal(
      blocks.map(({ name }) => name.at(-1)),
      ["0", "1", "3", "4"],
    );
  });
}

test.run();
