// Lion and Prodigy on every engine, against the papers' formulas in float64: vectors/make_vectors.py wrote vectors.json.
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { openEngine } from "../engine/index.ts";
import { torchEngines } from "../testing/test-torch.ts";
import { createLion, type LionParams } from "./lion.ts";
import type { Optimizer } from "./optimizer.ts";
import { createProdigy, type ProdigyParams } from "./prodigy.ts";

interface Case {
  readonly optimizer: "lion" | "prodigy";
  readonly params: LionParams & ProdigyParams;
  readonly decay: number;
  /** By step. */
  readonly rates: readonly number[];
  readonly starts: readonly (readonly number[])[];
  readonly after: readonly (readonly (readonly number[])[])[];
  /** The estimate d after each step; of Prodigy alone. */
  readonly estimates?: readonly number[];
}

const { shapes, gradients, cases } = JSON.parse(
  readFileSync(new URL("vectors/vectors.json", import.meta.url), "utf8"),
) as {
  readonly shapes: readonly (readonly number[])[];
  /** By step and parameter. */
  readonly gradients: readonly (readonly (readonly number[])[])[];
  readonly cases: readonly Case[];
};

const test = suite("Lion and Prodigy against NumPy");
const engines: readonly Engine[] = [
  ...(await Promise.all((["cpu", "wasm", "onnx"] as const).map(async (name) => (await openEngine(name)).engine))),
  ...(await torchEngines()),
];

function create(engine: Engine, { optimizer, params, decay }: Case): Optimizer {
  const decays = shapes.map(() => decay);
  return optimizer === "lion" ? createLion(engine, decays, params) : createProdigy(engine, decays, params);
}

const kept = (engine: Engine, values: readonly (readonly number[])[]): Tensor[] =>
  values.map((data, i) => engine.keep({ shape: shapes[i] ?? [], dtype: "float32", data: Float32Array.from(data) }));

const largest = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);

async function expectNear(engine: Engine, parameters: readonly Tensor[], wanted: Case["after"][number], what: string) {
  for (const [i, parameter] of parameters.entries()) {
    const { data } = await engine.read(parameter);
    const expected = wanted[i] ?? [];
    const off = largest(expected.map((x, k) => x - (data[k] ?? NaN)));
    assert.ok(off <= 1e-5 * largest(expected), `${what}: ${off} of ${largest(expected)}`);
  }
}

for (const engine of engines)
  for (const [number, one] of cases.entries())
    test(`${engine.name}: case ${number}, ${one.optimizer} with ${JSON.stringify(one.params)}`, async () => {
      const optimizer = create(engine, one);
      const before = engine.memory().tensors;
      let parameters = kept(engine, one.starts);
      for (const [step, given] of gradients.entries()) {
        const slopes = kept(engine, given);
        // Half of the gradients at twice the size: what clipping would do.
        const factor = engine.keep({ shape: [], dtype: "float32", data: Float32Array.of(0.5) });
        const doubled = kept(
          engine,
          given.map((values) => values.map((x) => 2 * x)),
        );
        const isClipped = step % 2 === 1;
        parameters = await optimizer.update(
          parameters,
          isClipped ? doubled : slopes,
          one.rates[step] ?? NaN,
          isClipped ? factor : null,
        );
        engine.dispose(factor, ...slopes, ...doubled);
        await expectNear(engine, parameters, one.after[step] ?? [], `step ${step}`);
        const wanted = one.estimates?.[step];
        if (wanted !== undefined) assert.ok(Math.abs((optimizer.stepSize?.() ?? NaN) / wanted - 1) < 1e-5);
      }
      engine.dispose(...parameters);
      optimizer.dispose();
      assert.is(engine.memory().tensors, before, "an optimizer leaves nothing behind");
    });

for (const one of [cases[1], cases[4]])
  test(`a restored ${one?.optimizer} goes on bit for bit, and others than its own moments are refused`, async () => {
    const [engine] = engines;
    if (engine === undefined || one === undefined) throw new Error("no case");
    const [a, b] = [create(engine, one), create(engine, one)];
    const steps = async (optimizer: Optimizer, from: Tensor[], first: number, count: number) => {
      let parameters = from;
      for (let step = first; step < first + count; step++)
        parameters = await optimizer.update(
          parameters,
          kept(engine, gradients[step] ?? []),
          one.rates[step] ?? 0,
          null,
        );
      return parameters;
    };
    const middle = await steps(a, kept(engine, one.starts), 0, 4);
    const copies = await Promise.all(middle.map(async (x) => engine.keep(await engine.read(x))));
    b.restore(await a.save(), a.numbers?.());
    const read = (parameters: readonly Tensor[]) => Promise.all(parameters.map((x) => engine.read(x)));
    assert.equal(await read(await steps(b, copies, 4, 4)), await read(await steps(a, middle, 4, 4)));
    assert.equal(await b.save(), await a.save());
    assert.equal(b.numbers?.(), a.numbers?.());
    assert.equal(
      (await a.save()).map((entry) => Object.keys(entry ?? {})),
      shapes.map(() => ["t", ...a.kinds]),
    );
    assert.throws(() => b.restore([{ t: 1 }]), /without m/);
  });

test("parameters with other rates and decays are updated apart; a rate of 0 leaves them as they are", async () => {
  const [engine] = engines;
  if (engine === undefined) throw new Error("no engine");
  const one = { beta1: 0.9, beta2: 0.99 };
  const optimizer = createLion(engine, [0, 0.5, 0], one);
  const vector = (x: number) => engine.keep({ shape: [1], dtype: "float32", data: Float32Array.of(x) });
  const updated = await optimizer.update(
    [vector(1), vector(1), vector(1)],
    [vector(3), vector(-3), vector(3)],
    [0.1, 0.2, 0],
    null,
  );
  const values = await Promise.all(updated.map(async (x) => (await engine.read(x)).data[0]));
  // 1 - 0.1; 1 (1 - 0.2 · 0.5) + 0.2; 1
  assert.equal(values, [Math.fround(0.9), Math.fround(1.1), 1]);
});

test.run();
