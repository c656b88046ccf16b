/** Prints what is known before the step runs: numbers and booleans of Python. */
import type { Core, Elementwise, Term } from "../../2-check/core.ts";
import { atom, call, choice, index, infix, member, prefix, textLiteral, type Code, type Infix } from "./code.ts";
import { isDeep } from "./depth.ts";
import type { Scope } from "./scope.ts";
import { number } from "./words.ts";

/** The same operators for numbers and for tensors. */
export const operators: Partial<Record<Elementwise, Infix>> = {
  add: "+",
  sub: "-",
  mul: "*",
  less: "<",
  lessEqual: "<=",
  greater: ">",
  greaterEqual: ">=",
  equal: "==",
  notEqual: "!=",
};

/** Python raises where JavaScript gives Infinity or NaN; those in the library do as JavaScript. */
const functions: Partial<Record<Elementwise, string>> = {
  maximum: "max",
  minimum: "min",
  abs: "abs",
  sqrt: "sqrt",
  exp: "exp",
  log: "log",
  tanh: "math.tanh",
  sin: "math.sin",
  cos: "math.cos",
  floor: "floor",
  float: "float",
};

/** A number or boolean. */
export function host(core: Core, scope: Scope): Code {
  return isDeep(core) ? scope.named(() => shallow(core, scope)) : shallow(core, scope);
}

function shallow(core: Core, scope: Scope): Code {
  switch (core.op) {
    case "literal":
      return typeof core.value === "number" ? number(core.value) : atom(core.value ? "True" : "False");
    case "param":
      return paramCode(core, scope);
    case "paramIs":
      return infix(scope.param(core.name), "==", textLiteral(core.value));
    case "ref":
      return atom(scope.ref(core.key));
    case "size":
      return scope.gridSize(core.of, core.size);
    case "progress":
      return progressCode(core, scope);
    case "scale":
      return member("self.video_scale_factors", core.along);
    case "cell": {
      const args = [host(core.arg, scope), member("self.video_scale_factors", core.along), scope.size(core.along)];
      return call("cell", args);
    }
    case "map":
      return scalarMap(core, scope);
    case "broadcast":
      return host(core.arg, scope);
    default:
      throw new Error(`${core.op} is no number`);
  }
}

function paramCode({ name, index: place }: Term<"param">, scope: Scope): Code {
  const value = scope.param(name);
  if (place === null) return value;
  return scope.hasItem(name, place) ? index(value, String(place)) : call("item", [value, String(place)]);
}

function progressCode({ name }: Term<"progress">, scope: Scope): Code {
  const step = scope.place("step");
  return name === "globalStep" ? step : infix(step, "/", scope.place("steps"));
}

/** Higher powers of whole numbers may be more than PyTorch takes. */
const isSmallInteger = (core: Core): boolean =>
  core.op === "literal" &&
  typeof core.value === "number" &&
  Number.isInteger(core.value) &&
  core.value >= 1 &&
  core.value < 4;

/** As many parameters as a product may have before whole numbers could outgrow the 64 bits that PyTorch takes. */
const mostFactors = 2;

/** How many whole parameters are multiplied in a value; sizes are far too small to count. */
function factorsIn(core: Core, scope: Scope): number {
  if (core.op === "literal") return Math.abs(Number(core.value)) > 1e6 ? 1 : 0;
  if (core.op === "param") return scope.isWhole(core) ? 1 : 0;
  if (core.op !== "map") return 0;
  const parts = core.args.map((arg) => factorsIn(arg, scope));
  if (core.fn === "mul") return parts.reduce((sum, part) => sum + part, 0);
  if (core.fn === "square") return 2 * (parts[0] ?? 0);
  if (core.fn === "pow" && core.args[1]?.op === "literal") return Number(core.args[1].value) * (parts[0] ?? 0);
  return Math.max(0, ...parts);
}

/** Whether a product is the first, from the inside, that may be more than PyTorch takes of whole numbers: it is then one of floats. */
const outgrows = (core: Term<"map">, scope: Scope): boolean =>
  ["mul", "square", "pow"].includes(core.fn) &&
  factorsIn(core, scope) > mostFactors &&
  core.args.every((arg) => factorsIn(arg, scope) <= mostFactors);

function scalarMap(core: Term<"map">, scope: Scope): Code {
  const { fn, args } = core;
  const [first, ...rest] = args.map((arg) => host(arg, scope));
  const codes = first === undefined ? rest : [outgrows(core, scope) ? call("float", [first]) : first, ...rest];
  const [a = atom(""), b = atom(""), c = atom("")] = codes;
  const sign = operators[fn];
  if (sign !== undefined) return infix(a, sign, b);
  const name = functions[fn];
  if (name !== undefined) return call(name, codes);
  switch (fn) {
    case "div":
      return args[1]?.op === "literal" && args[1].value !== 0 ? infix(a, "/", b) : call("divide", codes);
    case "pow":
      return args[1] !== undefined && isSmallInteger(args[1]) ? infix(a, "**", b) : call("power", codes);
    case "square":
      return infix(a, "**", "2");
    case "and":
    case "or":
      return infix(a, fn, b);
    case "not":
      return prefix("not ", a);
    case "neg":
      return prefix("-", a);
    case "sigmoid":
      return infix("1", "/", infix("1", "+", call("exp", [prefix("-", a)])));
    case "where":
      return choice(a, b, c);
    default:
      throw new Error(`${fn} has no form for plain numbers`);
  }
}
