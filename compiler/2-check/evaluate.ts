/** What a value is at one token of an imagined sample, as far as the file alone tells. */
import type { Binding } from "./checked.ts";
import type { Coordinate, Core, Elementwise } from "./core.ts";

/** A number or a truth value; null where the data, the parameters or chance decide. */
type Value = number | boolean | null;

/** One token; in attention, `key` is the token that it looks at. */
export interface Place {
  readonly bindings: ReadonlyMap<string, Binding>;
  /** Values of bindings and of the prediction (`prediction`) that are taken as given. */
  readonly given: Readonly<Record<string, number | boolean>>;
  readonly sizes: Readonly<Record<string, number>>;
  readonly token: Readonly<Partial<Record<Coordinate, number>>>;
  readonly key: Readonly<Partial<Record<Coordinate, number>>>;
  readonly progress: number;
  /** How many more terms may be looked at: names that use each other twice over would double with every step. */
  readonly budget: { left: number };
}

/** Terms of the largest sensible strategy on all tokens of a grid. */
export const budget = (): Place["budget"] => ({ left: 1_000_000 });

/** Names of names that are followed: deeper ones count as unknown. */
const maxDepth = 200;

/** Pixels along one side of a latent cell of the official VAE; only the order of magnitude matters here. */
const pixelsPerCell = 32;
const framesPerCell = 8;

export function valueAt(core: Core, place: Place, depth = 0): Value {
  place.budget.left -= 1;
  if (place.budget.left < 0 || depth > maxDepth) return null;
  switch (core.op) {
    case "literal":
      return core.value;
    case "ref":
      return place.given[core.key] ?? valueOfKey(core.key, place, depth + 1);
    case "prediction":
      return place.given["prediction"] ?? null;
    case "size":
      return core.of === "video" || core.of === "audio" ? (place.sizes[core.size] ?? null) : null;
    case "progress":
      return core.name === "progress" ? place.progress : null;
    case "coordinate":
      return place.token[core.coordinate] ?? null;
    case "key":
      return valueAt(core.arg, { ...place, token: place.key }, depth);
    case "scale":
      return core.along === "time" ? framesPerCell : pixelsPerCell;
    case "cell":
      return cell(valueAt(core.arg, place, depth), place.sizes[core.along]);
    case "tokens":
    case "grid":
    case "broadcast":
    case "extend":
    case "round":
    case "stopGradient":
      return valueAt(core.arg, place, depth);
    case "map":
      return calculated(
        core.fn,
        core.args.map((arg) => valueAt(arg, place, depth)),
      );
    default:
      return null;
  }
}

function valueOfKey(key: string, place: Place, depth: number): Value {
  const binding = place.bindings.get(key);
  return binding === undefined ? null : valueAt(binding.core, place, depth);
}

function cell(pixel: Value, size: number | undefined): Value {
  if (typeof pixel !== "number" || size === undefined) return null;
  return Math.min(Math.max(Math.floor(pixel / pixelsPerCell), 0), size);
}

function calculated(fn: Elementwise, args: readonly Value[]): Value {
  const [a = null, b = null, c = null] = args;
  switch (fn) {
    case "and":
      return a === false || b === false ? false : a === null || b === null ? null : true;
    case "or":
      return a === true || b === true ? true : a === null || b === null ? null : false;
    case "where":
      return a === null ? (b === c ? b : null) : a ? b : c;
    case "mul":
      // 0 times anything, so that a weight that is 0 for sure is known to be.
      if (a === 0 || b === 0) return 0;
  }
  if (args.some((arg) => arg === null)) return null;
  if (fn === "not") return !a;
  return arithmetic[fn]?.(Number(a), Number(b)) ?? null;
}

const arithmetic: Readonly<Partial<Record<Elementwise, (a: number, b: number) => number | boolean>>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: (a, b) => a ** b,
  maximum: Math.max,
  minimum: Math.min,
  less: (a, b) => a < b,
  lessEqual: (a, b) => a <= b,
  greater: (a, b) => a > b,
  greaterEqual: (a, b) => a >= b,
  equal: (a, b) => a === b,
  notEqual: (a, b) => a !== b,
  float: Number,
  neg: (a) => -a,
  abs: Math.abs,
  sqrt: Math.sqrt,
  square: (a) => a * a,
  exp: Math.exp,
  log: Math.log,
  tanh: Math.tanh,
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
  sin: Math.sin,
  cos: Math.cos,
  floor: Math.floor,
};
