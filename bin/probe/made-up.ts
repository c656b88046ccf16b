/** Weights of networks that are not at hand. */
import type { Ops, Tensor } from "../../runtime/contract.ts";
import { philoxSource } from "../../runtime/index.ts";

/** Numbers that are held together; a trial asks for the same ones thousands of times, and drawing them takes longer than a step. */
const MOST = 2 ** 22;
const drawn = new Map<string, Float32Array>();
let held = 0;

/** Normal numbers of this standard deviation, the same whenever they are asked for. */
export function madeUp(
  ops: Ops,
  { name, seed }: { readonly name: string; readonly seed: number },
  shape: readonly number[],
  spread: number,
): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const normal = normals(name, seed, count);
  return ops.constant({ shape, dtype: "float32", data: normal.map((x) => spread * x) });
}

function normals(name: string, seed: number, count: number): Float32Array {
  const key = `${seed} ${count} ${name}`;
  const known = drawn.get(key);
  if (known !== undefined) return known;
  const made = philoxSource(seed, 0, 0).randn(name, count);
  if (held + count > MOST) {
    drawn.clear();
    held = 0;
  }
  if (count <= MOST) {
    drawn.set(key, made);
    held += count;
  }
  return made;
}
