/** Calculates what consists of written numbers alone, as `3.5449 * 1` after a `let` with arguments is put in. */
import { literal, withChildren, type Core, type Elementwise } from "../../2-check/core.ts";
import type { Program } from "../program.ts";

export function fold(program: Program): Program {
  const foldAll = <Valued extends { readonly core: Core }>(values: readonly Valued[]): Valued[] =>
    values.map((value) => ({ ...value, core: folded(value.core) }));
  return {
    ...program,
    prepare: foldAll(program.prepare),
    loss: foldAll(program.loss),
    terms: foldAll(program.terms),
  };
}

function folded(core: Core): Core {
  const inner = withChildren(core, folded);
  if (inner.op !== "map") return inner;
  const values = inner.args.flatMap((arg) => (arg.op === "literal" ? [arg.value] : []));
  if (values.length < inner.args.length) return chosen(inner.fn, inner.args) ?? inner;
  const value = functions[inner.fn](...(values as [number, number, number]));
  return isWritable(value) ? { ...literal(value), span: inner.span } : inner;
}

/** `if true then a else b` is `a`, where both are plain numbers. */
function chosen(fn: Elementwise, [condition, a, b]: readonly Core[]): Core | null {
  if (fn !== "where" || condition?.op !== "literal" || a === undefined || b === undefined) return null;
  const isPlain = a.type.stage === "host" && b.type.stage === "host";
  return isPlain ? (condition.value === true ? a : b) : null;
}

/** Neither infinite, nor NaN, nor -0, which would print as 0. */
function isWritable(value: number | boolean): boolean {
  return typeof value === "boolean" || (Number.isFinite(value) && !Object.is(value, -0));
}

type Calculate = (a: number, b: number, c: number) => number | boolean;

const functions: Readonly<Record<Elementwise, Calculate>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: (a, b) => a ** b,
  maximum: (a, b) => Math.max(a, b),
  minimum: (a, b) => Math.min(a, b),
  less: (a, b) => a < b,
  lessEqual: (a, b) => a <= b,
  greater: (a, b) => a > b,
  greaterEqual: (a, b) => a >= b,
  equal: (a, b) => a === b,
  notEqual: (a, b) => a !== b,
  and: (a, b) => Boolean(a) && Boolean(b),
  or: (a, b) => Boolean(a) || Boolean(b),
  not: (a) => !a,
  where: (a, b, c) => (a ? b : c),
  float: (a) => (a ? 1 : 0),
  neg: (a) => -a,
  abs: (a) => Math.abs(a),
  sqrt: (a) => Math.sqrt(a),
  square: (a) => a ** 2,
  exp: (a) => Math.exp(a),
  log: (a) => Math.log(a),
  tanh: (a) => Math.tanh(a),
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
  sin: (a) => Math.sin(a),
  cos: (a) => Math.cos(a),
  floor: (a) => Math.floor(a),
};
