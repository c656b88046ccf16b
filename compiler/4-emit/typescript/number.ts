/** Prints what is known before the step runs: numbers, booleans, and lists with one number for each sample. */
import { childrenOf, type Core, type Elementwise, type Term } from "../../2-check/core.ts";
import { escapeControls } from "../../../runtime/escape.ts";
import { call, type Code } from "./code.ts";
import type { Scope } from "./scope.ts";

/** A number or boolean; for values with one number for each sample a list. */
export function host(core: Core, scope: Scope): Code {
  if (core.type.stage !== "sample") return withoutParentheses(scalar(core, scope, ""));
  if (core.op === "fps") return `${scope.source(core.source)}.fps`;
  if (core.op === "ref") return scope.ref(core.key);
  return [
    "Array.from({ length: ",
    scope.size("batch"),
    core.op === "broadcast" ? " }, () => " : " }, (_, i) => ",
    withoutParentheses(scalar(core, scope, "i")),
    ")",
  ];
}

/** An expression that stands alone needs none around it. */
function withoutParentheses(code: Code): Code {
  if (typeof code === "string" || "kind" in code) return code;
  return code[0] === "(" && code.at(-1) === ")" ? code.slice(1, -1) : code;
}

const infix: Partial<Record<Elementwise, string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  pow: "**",
  less: "<",
  lessEqual: "<=",
  greater: ">",
  greaterEqual: ">=",
  equal: "===",
  notEqual: "!==",
  and: "&&",
  or: "||",
};

const functions: Partial<Record<Elementwise, string>> = {
  maximum: "Math.max",
  minimum: "Math.min",
  abs: "Math.abs",
  sqrt: "Math.sqrt",
  exp: "Math.exp",
  log: "Math.log",
  tanh: "Math.tanh",
  sin: "Math.sin",
  cos: "Math.cos",
  floor: "Math.floor",
};

/** One number; `i` indexes values with one for each sample. */
function scalar(core: Core, scope: Scope, i: string): Code {
  switch (core.op) {
    case "literal":
      return Number(core.value) < 0 ? ["(", String(core.value), ")"] : String(core.value);
    case "param":
      scope.contextMember("params");
      if (core.index === null) return `params.${core.name}`;
      return `(params.${core.name}[${core.index}] ?? ${core.type.dtype === "bool" ? "false" : "NaN"})`;
    case "paramIs":
      scope.contextMember("params");
      // `String`, since TypeScript narrows a parameter by one comparison, and takes another one with it for a mistake.
      return ["(", `String(params.${core.name}) === ${quoted(core.value)}`, ")"];
    case "ref":
      return core.type.stage === "sample" ? `(${scope.ref(core.key)}[${i}] ?? NaN)` : scope.ref(core.key);
    case "size":
      return scope.gridSize(core.of, core.size);
    case "progress":
      return scope.contextMember(core.name);
    case "fps":
      return `(${scope.source(core.source)}.fps[${i}] ?? NaN)`;
    case "draw":
      return `(${scope.numbers(core.place)}[${i}] ?? NaN)`;
    case "broadcast":
      return scalar(core.arg, scope, i);
    case "scale":
      return `${scope.contextMember("scaleFactors")}.${core.along}`;
    case "cell": {
      const scale = `${scope.contextMember("scaleFactors")}.${core.along}`;
      return call(scope.helper("cell"), [scalar(core.arg, scope, i), scale, scope.size(core.along)]);
    }
    case "map":
      return scalarMap(
        core,
        core.args.map((arg) => scalar(arg, scope, i)),
      );
    default:
      throw new Error(`${core.op} is no number`);
  }
}

/** A text in which every character is visible. */
const quoted = (text: string): string => escapeControls(JSON.stringify(text));

function comparesEqual(core: Core): boolean {
  const isEquality = core.op === "map" && (core.fn === "equal" || core.fn === "notEqual");
  return isEquality || childrenOf(core).some(comparesEqual);
}

/** Whether a number's type may be a written number, or one of two. */
function mayBeWritten(core: Core | undefined): boolean {
  return (
    core?.op === "literal" || (core?.op === "map" && (core.fn === "where" || core.fn === "neg" || core.fn === "float"))
  );
}

function scalarMap({ fn, args: cores }: Term<"map">, args: readonly Code[]): Code {
  const [a = "", b = "", c = ""] = args;
  // TypeScript takes `3 < (x > …` for the beginning of type arguments, and equality of written numbers for a mistake.
  if (fn === "less" && Array.isArray(b)) return ["(", b, " > ", a, ")"];
  if ((fn === "equal" || fn === "notEqual") && mayBeWritten(cores[0])) {
    return ["(", call("Number", [a]), ` ${infix[fn]} `, b, ")"];
  }
  const sign = infix[fn];
  if (sign !== undefined) return ["(", a, ` ${sign} `, b, ")"];
  const name = functions[fn];
  if (name !== undefined) return call(name, args.map(withoutParentheses));
  switch (fn) {
    case "not":
      return ["!", a];
    case "neg":
      return ["(-", a, ")"];
    case "square":
      return ["(", a, " ** 2", ")"];
    case "sigmoid":
      return ["(1 / (1 + Math.exp(-", a, ")))"];
    case "float":
      return ["(", a, " ? 1 : 0)"];
    case "where":
      // TypeScript narrows numbers by the condition, and takes another comparison with one for a mistake.
      return ["(", cores.slice(1).some(comparesEqual) ? call("Boolean", [a]) : a, " ? ", b, " : ", c, ")"];
    default:
      throw new Error(`${fn} has no form for plain numbers`);
  }
}
