/** Prints operations that work on each element of tensors, or on one number for each sample. */
import type { Core, Elementwise, Term } from "../../2-check/core.ts";
import { atom, call, infix, method, named, prefix, type Code } from "./code.ts";
import { operators } from "./number.ts";

/** Whether a value is a number or boolean of Python. */
export const isNumber = ({ type }: Core): boolean => type.stage === "host" || type.stage === "step";

const methods: Partial<Record<Elementwise, string>> = {
  abs: "abs",
  sqrt: "sqrt",
  square: "square",
  exp: "exp",
  log: "log",
  tanh: "tanh",
  sigmoid: "sigmoid",
  sin: "sin",
  cos: "cos",
  floor: "floor",
  float: "float",
};

/** `print`: an argument as an operand of the result. */
export function elementwise({ fn, args }: Term<"map">, print: (arg: Core) => Code): Code {
  const codes = args.map((arg) => print(arg));
  const [a = atom(""), b = atom("")] = codes;
  const sign = operators[fn];
  if (sign !== undefined) return infix(a, sign, b);
  const name = methods[fn];
  if (name !== undefined) return method(a, name);
  switch (fn) {
    case "div":
      return infix(a, "/", b);
    case "and":
      return infix(a, "&", b);
    case "or":
      return infix(a, "|", b);
    case "not":
      return prefix("~", a);
    case "neg":
      return prefix("-", a);
    case "pow":
      return powerCode(args, codes);
    case "maximum":
    case "minimum":
      return extreme(fn, args, codes);
    case "where":
      return whereCode(args, codes);
    default:
      throw new Error(`${fn} has no form for tensors`);
  }
}

function powerCode(args: readonly Core[], [a = atom(""), b = atom("")]: readonly Code[]): Code {
  const exponent = args[1];
  if (exponent?.op === "literal" && exponent.value === 2) return method(a, "square");
  return call("torch.pow", [a, b]);
}

/** A number is a limit of the tensor; of two tensors the first one gets the gradient where they are equal. */
function extreme(fn: "maximum" | "minimum", [x, y]: readonly Core[], codes: readonly Code[]): Code {
  const [a = atom(""), b = atom("")] = codes;
  const limit = fn === "maximum" ? "min" : "max";
  if (y !== undefined && isNumber(y)) return method(a, "clamp", [named(limit, b)]);
  if (x !== undefined && isNumber(x)) return method(b, "clamp", [named(limit, a)]);
  return call(fn === "maximum" ? "larger" : "smaller", codes);
}

function whereCode([condition, ...values]: readonly Core[], codes: readonly Code[]): Code {
  const [test = atom(""), ...given] = codes;
  // Two whole numbers would give whole numbers.
  const isFixed = values.every(isNumber);
  const [yes = atom(""), no = atom("")] = given.map((code, i) => (isFixed ? asFloat(code, values[i]) : code));
  if (condition === undefined || !isNumber(condition)) return call("torch.where", [test, yes, no]);
  return call("either", [test, yes, no]);
}

/** A number that is no whole number to PyTorch. */
export function asFloat(code: Code, core: Core | undefined): Code {
  if (core?.type.dtype === "bool") return code;
  if (core?.op === "literal") return atom(Number.isInteger(core.value) ? `${core.value}.0` : String(core.value));
  return call("float", [code]);
}
