/**
 * Calculates what consists of written numbers alone, as `3.5449 * 1` after a `let` with arguments is put in, and leaves out what changes no
 * bit of a number, as `x * 1` and the `0 +` of `uniform(0, 1)`, or units.
 */
import { literal, withChildren, type Core, type Elementwise, type Term } from "../../2-check/core.ts";
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
  const inner = withoutUnit(withChildren(core, folded));
  if (inner.op !== "map") return inner;
  const values = inner.args.flatMap((arg) => (arg.op === "literal" ? [arg.value] : []));
  if (values.length < inner.args.length) return chosen(inner.fn, inner.args) ?? unchanged(inner) ?? inner;
  const value = functions[inner.fn](...(values as [number, number, number]));
  return isWritable(value) ? { ...literal(value), span: inner.span } : inner;
}

/** Units have been checked: with and without them, values are the same. */
function withoutUnit(core: Core): Core {
  if (core.type.unit === undefined) return core;
  const { unit: _, ...type } = core.type;
  return { ...core, type };
}

/** `if true then a else b` is `a`, where both are plain numbers. */
function chosen(fn: Elementwise, [condition, a, b]: readonly Core[]): Core | null {
  if (fn !== "where" || condition?.op !== "literal" || a === undefined || b === undefined) return null;
  const isPlain = a.type.stage === "host" && b.type.stage === "host";
  return isPlain ? (condition.value === true ? a : b) : null;
}

/**
 * `x` of `x * 1`, `x / 1`, `x - 0` and `(size + 1) - 1`, and of `x + 0` where x is not -0, of which that makes 0. Null for all else, and where
 * the number would have to be repeated along an axis.
 */
function unchanged({ fn, args, type }: Term<"map">): Core | null {
  const [a, b] = args;
  if (a === undefined || b === undefined) return null;
  const found =
    fn === "mul"
      ? isNumber(b, 1)
        ? a
        : isNumber(a, 1)
          ? b
          : null
      : fn === "add"
        ? plusZero(a, b)
        : withoutEffect(fn, a, b);
  const isLike = found?.type.axes.join() === type.axes.join() && found.type.stage === type.stage;
  return isLike ? found : null;
}

function withoutEffect(fn: Elementwise, a: Core, b: Core): Core | null {
  if (fn === "div") return isNumber(b, 1) ? a : null;
  if (fn !== "sub" || b.op !== "literal") return null;
  if (isNumber(b, 0)) return a;
  const [size, more] = a.op === "map" && a.fn === "add" ? a.args : [];
  // Sizes are whole numbers, far below 2^53.
  const isSame = size?.op === "size" && more?.op === "literal" && more.value === b.value && Number.isInteger(b.value);
  return isSame ? size : null;
}

const plusZero = (a: Core, b: Core): Core | null =>
  isNumber(b, 0) && isPositive(a) ? a : isNumber(a, 0) && isPositive(b) ? b : null;

const isNumber = (core: Core, value: number): boolean => core.op === "literal" && Object.is(core.value, value);

/** Whether a value is surely neither below 0 nor -0; it may be NaN. */
function isPositive(core: Core): boolean {
  if (core.op === "literal") return typeof core.value === "number" && core.value >= 0 && !Object.is(core.value, -0);
  if (core.op === "draw") return core.fn === "rand";
  if (core.op === "size" || core.op === "progress" || core.op === "sampled") return true;
  if (core.op !== "map") return false;
  if (["square", "abs", "exp", "float", "sigmoid"].includes(core.fn)) return true;
  return ["add", "mul", "div"].includes(core.fn) && core.args.every(isPositive);
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
