// Small functions stand in the test that they serve.
/* oxlint-disable unicorn/consistent-function-scoping */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Tensor } from "../contract.ts";
import { openEngine } from "../engine/index.ts";
import { attention } from "./attention.ts";
import { createModule } from "./module.ts";
import { ropeTables } from "./rope.ts";
import { host, numbers } from "../testing/tiny-model.ts";

const test = suite("attention");
const { engine: cpu } = await openEngine("cpu");
const { engine: wasm } = await openEngine("wasm");

/** Three heads of four channels, five queries, two keys; an eps that no published model has. */
const [heads, dim, width, queries, keys, eps] = [3, 4, 12, 5, 2, 0.3];
const spec = { type: "split" as const, width, heads, theta: 50, maxPos: [3], double: true };
const shapes: Record<string, number[]> = {
  "to_q.weight": [width, 7],
  "to_q.bias": [width],
  "to_k.weight": [width, 6],
  "to_k.bias": [width],
  "to_v.weight": [width, 6],
  "to_v.bias": [width],
  "q_norm.weight": [width],
  "k_norm.weight": [width],
  "to_out.0.weight": [7, width],
  "to_out.0.bias": [7],
  "to_gate_logits.weight": [heads, 7],
  "to_gate_logits.bias": [heads],
};

/** Rows of a matrix times the transposed weight, in float64. */
function linear(name: string, x: readonly number[][]): number[][] {
  const [rows = 0, inputs = 0] = shapes[`${name}.weight`] ?? [];
  const [w, b] = [numbers(`${name}.weight`, rows * inputs), numbers(`${name}.bias`, rows)];
  const dot = (row: number[], o: number) => row.reduce((sum, v, i) => sum + v * (w[o * inputs + i] ?? 0), b[o] ?? 0);
  return x.map((row) => Array.from({ length: rows }, (_, o) => dot(row, o)));
}

function normed(x: readonly number[][], name: string): number[][] {
  const w = numbers(`${name}.weight`, width);
  return x.map((row) => {
    const r = 1 / Math.sqrt(row.reduce((sum, v) => sum + v * v, 0) / width + eps);
    return row.map((v, i) => v * r * (w[i] ?? 0));
  });
}

/** Turns the pairs (i, i + 2) of each head by the angles in time order; one axis, so entry k of the row of tables is frequency k. */
function rotated(x: readonly number[][]): number[][] {
  const angle = (token: number, entry: number) =>
    50 ** (entry / (width / 2 - 1)) * (Math.PI / 2) * (2 * ((token + 0.5) / 3) - 1);
  return x.map((row, token) =>
    row.map((v, i) => {
      const [head, j] = [Math.floor(i / dim), i % dim];
      const a = angle(token, head * (dim / 2) + (j % 2));
      const other = row[j < 2 ? i + 2 : i - 2] ?? 0;
      return v * Math.cos(a) + (j < 2 ? -other : other) * Math.sin(a);
    }),
  );
}

/** The whole attention in plain loops. */
function reference(x: readonly number[][], context: readonly number[][]): number[] {
  const q = rotated(normed(linear("to_q", x), "q_norm"));
  const k = rotated(normed(linear("to_k", context), "k_norm"));
  const v = linear("to_v", context);
  const gate = linear("to_gate_logits", x).map((row) => row.map((l) => 2 / (1 + Math.exp(-l))));
  const merged = q.map((row, t) =>
    row.map((_, i) => {
      const head = Math.floor(i / dim);
      const channels = Array.from({ length: dim }, (_, c) => head * dim + c);
      const scores = k.map(
        (key) => channels.reduce((sum, c) => sum + (row[c] ?? 0) * (key[c] ?? 0), 0) / Math.sqrt(dim),
      );
      const weights = scores.map(Math.exp);
      const total = weights.reduce((a, b) => a + b, 0);
      const attended = weights.reduce((sum, w, s) => sum + (w / total) * (v[s]?.[i] ?? 0), 0);
      return attended * (gate[t]?.[head] ?? 0);
    }),
  );
  return linear("to_out.0", merged).flat();
}

function rows(name: string, count: number, columns: number): number[][] {
  const values = Array.from(numbers(name, count * columns));
  return Array.from({ length: count }, (_, i) => values.slice(i * columns, (i + 1) * columns));
}

function bounds(tokens: number) {
  const data = Float32Array.from({ length: 2 * tokens }, (_, i) => Math.ceil(i / 2));
  return { shape: [1, 1, tokens, 2], dtype: "float32" as const, data };
}

for (const engine of [cpu, wasm]) {
  test(`three heads, its own eps, two rotary tables and gates, on ${engine.name}`, async () => {
    const { ops } = engine;
    const y = engine.tidy(() => {
      const weights = new Map<string, Tensor>(
        Object.entries(shapes).map(([name, shape]) => [`a.${name}`, ops.constant(host(name, shape))]),
      );
      const table = (tokens: number) => {
        const { cos, sin } = ropeTables(spec, bounds(tokens));
        return { cos: ops.constant(cos), sin: ops.constant(sin) };
      };
      return attention(createModule(ops, weights).at("a."), heads, eps, {
        x: ops.constant(host("x", [1, queries, 7])),
        context: ops.constant(host("context", [1, keys, 6])),
        rope: table(queries),
        keyRope: table(keys),
      });
    });
    const { shape, data } = await engine.read(y);
    engine.dispose(y);
    assert.equal(shape, [1, queries, 7]);
    const expected = reference(rows("x", queries, 7), rows("context", keys, 6));
    expected.forEach((e, i) => assert.ok(Math.abs((data[i] ?? NaN) - e) < 5e-5, `[${i}] ${data[i]}, expected ${e}`));
  });
}

test.run();
