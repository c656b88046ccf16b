/** Functions of each element that are made of simpler ones, so that no back end has to know them. */
import { failed, hasArguments, values, type Call } from "./call.ts";
import { map } from "./combine.ts";
import { literal, type Core, type Elementwise } from "./core.ts";

type Apply = (fn: Elementwise, ...args: Core[]) => Core;

const half = literal(0.5);

/** By name, with the number of arguments. */
const made: Readonly<Record<string, readonly [arity: number, make: (apply: Apply, a: Core, b: Core) => Core]>> = {
  /** The smallest whole number that is not below x. */
  ceil: [1, (apply, x) => apply("neg", apply("floor", apply("neg", x)))],
  /** The nearest whole number; halves go up. */
  round: [1, (apply, x) => apply("floor", apply("add", x, half))],
  /** a - b floor(a / b): of the sign of b, as in Python. */
  mod: [2, (apply, a, b) => apply("sub", a, apply("mul", b, apply("floor", apply("div", a, b))))],
  /** -1, 0 or 1; without a gradient. */
  sign: [
    1,
    (apply, x) =>
      apply("sub", apply("float", apply("greater", x, literal(0))), apply("float", apply("less", x, literal(0)))),
  ],
  /** log(1 + e^x) = (x + |x|) / 2 + log(1 + e^-|x|), which overflows nowhere and has the gradient 1/2 at 0. */
  softplus: [
    1,
    (apply, x) => {
      const size = apply("abs", x);
      const rest = apply("log", apply("add", literal(1), apply("exp", apply("neg", size))));
      return apply("add", apply("mul", half, apply("add", x, size)), rest);
    },
  ],
};

export const isMade = (name: string): boolean => Object.hasOwn(made, name);

export function madeFunction(call: Call): Core {
  const [arity, make] = made[call.name] ?? [0, () => failed(call)];
  const [a, b] = (hasArguments(call, arity) ? values(call) : null) ?? [];
  if (a === undefined) return failed(call);
  const apply: Apply = (fn, ...args) => map(call.env.report, fn, args, call.span, `\`${call.name}\``);
  return make(apply, a, b ?? a);
}
