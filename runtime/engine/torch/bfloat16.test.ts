import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor, Shape } from "../../contract.ts";
import type { Attribute, Graph, Value, ValueType } from "../../graph/graph.ts";
import { toBfloat16 } from "../../graph/passes/to-bfloat16.ts";
import { GraphBuilder } from "../../graph/record/builder.ts";
import { normal } from "../../random/philox.ts";
import { interpret } from "../../testing/interpret.ts";
import { testTorch } from "../../testing/test-torch.ts";
import { recordTinyStep } from "../../testing/tiny-step.ts";
import { loadTfjs } from "../load-tfjs.ts";
import { prepareGraph } from "./prepare-graph.ts";
import { TorchLibrary } from "./torch-library.ts";

const test = suite("bfloat16 with PyTorch");
const { tf, backend } = await loadTfjs("cpu");

const low = (...shape: number[]): ValueType => ({ shape, dtype: "bfloat16" });
const high = (...shape: number[]): ValueType => ({ shape, dtype: "float32" });

const found = await testTorch();
if (found !== null) testOn(new TorchLibrary({ folder: found.folder, device: "cpu" }));

/** Numbers between -0.5 and 0.5. */
function feedsOf({ inputs }: Graph): HostTensor[] {
  return inputs.map(({ shape }, seed) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return {
      shape,
      dtype: "float32",
      data: Float32Array.from({ length: size }, (_, i) => 0.5 * Math.sin(seed + 1.3 * i)),
    };
  });
}

/** Normal numbers of this standard deviation, that bfloat16 holds. */
function drawn(shape: Shape, name: string, size: number): HostTensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const data = normal({ seed: 1, step: 0, microBatch: 0, name }, count).map((x) => size * (Math.round(32 * x) / 32));
  return { shape, dtype: "float32", data };
}

/** What a graph computes in float32, and rounded where it says so, by the interpreter of the tests. */
function expected(graph: Graph, feeds: readonly HostTensor[]): HostTensor[] {
  void tf.setBackend(backend);
  return interpret(tf, graph, feeds);
}

/** |x - y| / |y| over all numbers of an output; 0 for two that are all zero. */
function distance(x: HostTensor, y: HostTensor): number {
  const norm = (list: ArrayLike<number>) => Math.sqrt(Array.from(list).reduce((sum, a) => sum + a * a, 0));
  const difference = norm(y.data.map((a, i) => a - (x.data[i] ?? NaN)));
  return difference === 0 ? 0 : difference / norm(y.data);
}

/** The operator on bfloat16 operands, with results in float32 again. */
function graphOf(
  op: string,
  shapes: readonly (Shape | "float32")[],
  made: readonly ValueType[],
  attributes: Readonly<Record<string, Attribute>> = {},
): (isNarrow: boolean) => Graph {
  return (isNarrow) => {
    const g = new GraphBuilder();
    const inputs: Value[] = [];
    shapes.forEach((shape, i) => {
      if (shape === "float32") return;
      const x = g.input(shape, "float32");
      inputs.push(isNarrow && shapes[i + 1] !== "float32" ? g.cast(x, "bfloat16") : x);
    });
    const types = made.map((x) => (isNarrow ? x : { ...x, dtype: "float32" as const }));
    const outputs = g.emitAll(op, inputs, types, attributes);
    return g.finish(outputs.map((x) => g.cast(x, "float32")));
  };
}

test("what PyTorch is compared with rounds operands and results to 8 bits", () => {
  const product = graphOf(
    "Mul",
    [
      [4, 8],
      [4, 8],
    ],
    [low(4, 8)],
  );
  const [x, y] = feedsOf(product(false)) as [HostTensor, HostTensor];
  const bits = new DataView(new ArrayBuffer(4));
  /** To the nearest number with the upper 16 bits of a float32; of two, to the even one. */
  const rounded = (value: number): number => {
    bits.setFloat32(0, value);
    const all = bits.getUint32(0);
    bits.setUint32(0, (all + 0x7fff + ((all >>> 16) & 1)) & 0xffff0000);
    return bits.getFloat32(0);
  };
  const byHand = Array.from(x.data, (a, i) => rounded(Math.fround(rounded(a) * rounded(y.data[i] ?? NaN))));
  assert.equal(Array.from(expected(product(true), [x, y])[0]?.data ?? []), byHand);
});

function testOn(library: TorchLibrary): void {
  /** The outputs of a graph. Fails if anything is left behind. */
  function run(graph: Graph, feeds: readonly HostTensor[]): HostTensor[] {
    const before = library.torch.alive;
    const session = library.open(graph);
    const sent = feeds.map((x) => library.upload(x));
    const results = library.run(session, sent);
    const read = results.map((x) => library.read(x));
    for (const x of [...sent, ...results]) library.free(x);
    library.close(session);
    assert.is(library.torch.alive, before);
    return read;
  }

  const heads = [1, 2, 6, 8] as const;
  const rows = [
    [2, 3, 8],
    [2, 3, 8],
  ] as const;
  const scale = { scale: 8 ** -0.5 };
  /** Operators with calls of their own for bfloat16; "float32" follows an operand that keeps float32. */
  const cases: readonly (readonly [string, (isNarrow: boolean) => Graph])[] = [
    ["Linear", graphOf("Linear", [[2, 3, 8], [5, 8], [5]], [low(2, 3, 5)])],
    [
      "LinearGradInput",
      graphOf(
        "LinearGradInput",
        [
          [2, 3, 5],
          [5, 8],
        ],
        [low(2, 3, 8)],
      ),
    ],
    [
      "LinearGradWeight",
      graphOf(
        "LinearGradWeight",
        [
          [2, 3, 5],
          [2, 3, 8],
        ],
        [low(5, 8)],
      ),
    ],
    ["Gelu", graphOf("Gelu", [[4, 8]], [low(4, 8)])],
    [
      "GeluGrad",
      graphOf(
        "GeluGrad",
        [
          [4, 8],
          [4, 8],
        ],
        [low(4, 8)],
      ),
    ],
    ["Attention", graphOf("Attention", [heads, heads, heads], [low(...heads)], scale)],
    [
      "Attention with bias",
      graphOf("Attention", [heads, heads, heads, [1, 1, 6, 6], "float32"], [low(...heads)], scale),
    ],
    ["Add", graphOf("Add", [[4, 8], [8]], [low(4, 8)])],
    [
      "Mul",
      graphOf(
        "Mul",
        [
          [4, 8],
          [4, 1],
        ],
        [low(4, 8)],
      ),
    ],
    ["Sigmoid", graphOf("Sigmoid", [[4, 8]], [low(4, 8)])],
    ["RmsNorm", graphOf("RmsNorm", [[2, 3, 8]], [low(2, 3, 8), high(2, 3, 1)], { eps: 1e-5 })],
    ["RmsNorm with weights", graphOf("RmsNorm", [[2, 3, 8], [8]], [low(2, 3, 8)], { eps: 1e-5 })],
    ["RmsNormGrad", graphOf("RmsNormGrad", [...rows, [2, 3, 1], "float32"], [low(2, 3, 8)])],
    ["RmsNormGrad with weights", graphOf("RmsNormGrad", [...rows, [2, 3, 1], "float32", [8]], [low(2, 3, 8), low(8)])],
    ["Modulate", graphOf("Modulate", [...rows, [2, 3, 8]], [low(2, 3, 8)])],
    [
      "Modulate by one row",
      graphOf(
        "Modulate",
        [
          [2, 3, 8],
          [2, 1, 8],
          [2, 1, 8],
        ],
        [low(2, 3, 8)],
      ),
    ],
    ["ModulateGrad", graphOf("ModulateGrad", [...rows, [2, 3, 8]], [low(2, 3, 8), low(2, 3, 8), low(2, 3, 8)])],
    ...[0, 1].flatMap((inverse): (readonly [string, (isNarrow: boolean) => Graph])[] => [
      [
        `Rotate halves, inverse ${inverse}`,
        graphOf("Rotate", [heads, [1, 2, 6, 4], "float32", [1, 2, 6, 4], "float32"], [low(...heads)], {
          pairs: "halves",
          inverse,
        }),
      ],
      [
        `Rotate neighbours, inverse ${inverse}`,
        graphOf("Rotate", [[2, 3, 8], [2, 3, 8], "float32", [2, 3, 8], "float32"], [low(2, 3, 8)], {
          pairs: "neighbours",
          inverse,
        }),
      ],
    ]),
    ["Widen", graphOf("Widen", [[4, 8]], [high(4, 8)])],
    ["ReduceMean", graphOf("ReduceMean", [[4, 8]], [high(1, 1)])],
    ["ReduceMax", graphOf("ReduceMax", [[4, 8]], [high(1, 1)])],
  ];

  for (const [name, graph] of cases)
    test(`${name} is float32's result, but for the roundings of operands and result`, () => {
      const feeds = feedsOf(graph(false));
      const results = run(prepareGraph(tf, graph(true), "cpu", "float32"), feeds);
      expected(graph(false), feeds).forEach((y, i) => {
        const off = distance(results[i] as HostTensor, y);
        // A rounding is off by 2^-9 at most: three operands, what attention rounds between its two products, and the result.
        assert.ok(off < 5 * 2 ** -9, `off by ${off}`);
      });
    });

  for (const shape of [[2, 1, 8], [8]])
    test(`gradients of rows of [${shape.join(", ")}] that are added to many are rounded once they are summed up`, () => {
      const made = [low(2, 3, 8), low(...shape), low(...shape)];
      const graph = graphOf("ModulateGrad", [...rows, shape], made)(true);
      const feeds = feedsOf(graph);
      const results = run(prepareGraph(tf, graph, "cpu", "float32"), feeds);
      expected(graph, feeds).forEach((y, i) => {
        const off = distance(results[i] as HostTensor, y);
        // The first is a product with 1 + scale, which is rounded as well.
        assert.ok(off < (i === 0 ? 3 * 2 ** -9 : 1e-6), `${i} is off by ${off}`);
      });
    });

  /** Adds products of layers to a product; `isShared`: what the first one is added to is an output as well. */
  function sums(isNarrow: boolean, isShared: boolean): Graph {
    const g = new GraphBuilder();
    const cast = (x: Value) => (isNarrow ? g.cast(x, "bfloat16") : x);
    const [x, w, b] = [g.input([2, 3, 8], "float32"), g.input([4, 8], "float32"), g.input([8, 4], "float32")].map(
      cast,
    ) as [Value, Value, Value];
    const emit = (op: string, inputs: readonly Value[], width: number) => g.emit(op, inputs, [2, 3, width], x.dtype);
    const first = emit("Linear", [x, w], 4);
    const second = emit("LinearAdd", [x, w, first], 4);
    const third = emit("LinearGradInputAdd", [x, b, second], 4);
    return g.finish([third, ...(isShared ? [first] : [])].map((y) => g.cast(y, "float32")));
  }

  for (const isShared of [false, true])
    test(`products are added to a product, ${isShared ? "which others read" : "in its memory"}`, () => {
      const feeds = feedsOf(sums(false, isShared));
      const exact = expected(sums(false, isShared), feeds);
      for (const [isNarrow, most] of [
        [false, 1e-6],
        [true, 5 * 2 ** -9],
      ] as const)
        run(sums(isNarrow, isShared), feeds).forEach((y, i) => {
          const off = distance(y, exact[i] as HostTensor);
          assert.ok(off < most, `${i} is off by ${off}`);
        });
    });

  /** Gradients of attention. `made` is what the types of bfloat16 become. */
  function attentionGrads(queries: Shape, keys: Shape, isNarrow: boolean): Graph {
    const g = new GraphBuilder();
    const [dO, q, k, v] = [queries, queries, keys, keys].map((shape) => {
      const x = g.input(shape, "float32");
      return isNarrow ? g.cast(x, "bfloat16") : x;
    }) as [Value, Value, Value, Value];
    const [{ dtype }, type] = [q, (shape: Shape): ValueType => ({ shape, dtype: q.dtype })];
    const [o, sums] = g.emitAll("Attention", [q, k, v], [type(queries), high(...queries.slice(0, 3))], scale) as [
      Value,
      Value,
    ];
    const made = g.emitAll("AttentionGrad", [dO, q, k, v, o, sums], [queries, keys, keys].map(type), scale);
    assert.is(o.dtype, dtype);
    return g.finish(made.map((x) => g.cast(x, "float32")));
  }

  test("gradients of attention are float32's, but for the roundings", () => {
    const feeds = feedsOf(attentionGrads(heads, heads, false));
    const results = run(prepareGraph(tf, attentionGrads(heads, heads, true), "cpu", "float32"), feeds);
    expected(attentionGrads(heads, heads, false), feeds).forEach((y, i) => {
      const off = distance(results[i] as HostTensor, y);
      assert.ok(off < 10 * 2 ** -9, `${i} is off by ${off}`);
    });
  });

  // Queries this many times as large: each attends to many keys, or to few.
  for (const size of [1, 8])
    test(`gradients of several heads of queries of size ${size} are as exact`, () => {
      const [queries, keys] = [
        [2, 3, 512, 16],
        [2, 3, 700, 16],
      ] as const;
      const [wide, narrow] = [false, true].map((isNarrow) => attentionGrads(queries, keys, isNarrow)) as [Graph, Graph];
      const feeds = wide.inputs.map(({ shape }, i) => drawn(shape, `${i}`, i === 1 ? size : 1));
      const exact = run(prepareGraph(tf, wide, "cpu", "float32"), feeds);
      run(prepareGraph(tf, narrow, "cpu", "float32"), feeds).forEach((x, i) => {
        const off = distance(x, exact[i] as HostTensor);
        assert.ok(off < 10 * 2 ** -9, `${i} is off by ${off}`);
      });
    });

  test("a step in bfloat16 is as near to float32 as rounding by hand is, and float32 is float32", async () => {
    const step = await recordTinyStep(1);
    const feeds = feedsOf(step);
    const exact = expected(step, feeds);
    const byHand = expected(toBfloat16(step), feeds);
    const distances = (results: readonly HostTensor[]) => exact.map((y, i) => distance(results[i] as HostTensor, y));
    const median = (list: readonly number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN;
    const wide = distances(run(prepareGraph(tf, step, "cpu", "float32"), feeds));
    assert.ok(Math.max(...wide.slice(0, 1)) < 1e-5 && median(wide) < 1e-4, `${wide[0]}, ${median(wide)}`);
    const [narrow, rounded] = [distances(run(prepareGraph(tf, step, "cpu", "bfloat16"), feeds)), distances(byHand)];
    assert.ok((narrow[0] ?? NaN) < 2 ** -9 * 10, `loss ${narrow[0]}`);
    assert.ok(median(narrow) > 2 ** -11, "nothing was rounded");
    assert.ok(median(narrow) < 2 * median(rounded), `median ${median(narrow)}, by hand ${median(rounded)}`);
  });
}

test.run();
