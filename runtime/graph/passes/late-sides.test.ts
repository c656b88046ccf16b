import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Graph, Node } from "../graph.ts";
import { memoryOf } from "../memory.ts";
import { executionOrder } from "../order.ts";
import { sidesLate } from "./late-sides.ts";
import { verifyFully } from "./verify.ts";

const test = suite("values of the beginning, late");

const value = (name: string) => ({ name, shape: [1024], dtype: "float32" as const });
const SIZE = 4 * 1024;
const BLOCK = 80;

/** Blocks of many nodes, each of which adds what it makes of the timestep alone. */
function blocks(count: number): Graph {
  const nodes: Node[] = [];
  const add = (op: string, ...inputs: string[]): string => {
    const name = `v${nodes.length}`;
    nodes.push({ op, inputs, outputs: [value(name)], attributes: {} });
    return name;
  };
  const timestep = add("Exp", "t");
  let x = add("Exp", "x");
  for (let block = 0; block < count; block++) {
    for (let i = 0; i < BLOCK; i++) x = add("Add", x, "x");
    x = add("Add", x, add("Mul", timestep, `w${block}`));
  }
  const weights = Array.from({ length: count }, (_, block) => value(`w${block}`));
  return { inputs: [value("t"), value("x"), ...weights], initializers: [], nodes, outputs: [x] };
}

test("what each block makes of the timestep is made in its turn, and freed there", () => {
  const [two, eight] = [blocks(2), blocks(8)];
  const grown = (graph: (of: Graph) => Graph) => (memoryOf(graph(eight)).peak - memoryOf(graph(two)).peak) / SIZE;
  assert.is(
    grown((graph) => graph),
    6,
  );
  assert.is(grown(sidesLate), 0);
});

test("the nodes are the same, in an order in which each follows its operands", () => {
  const graph = blocks(4);
  const late = sidesLate(graph);
  assert.equal(verifyFully(late), []);
  assert.equal(new Set(late.nodes), new Set(graph.nodes));
  assert.is(executionOrder(late).length, graph.nodes.length);
  assert.equal(sidesLate(late).nodes, late.nodes);
});

test("graphs without a long way stay as they are", () => {
  for (const graph of [blocks(0), { inputs: [], initializers: [], nodes: [], outputs: [] }])
    assert.equal(sidesLate(graph).nodes, graph.nodes);
});

test.run();
