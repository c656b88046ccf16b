/** The program as text, for `ltxc compile --emit ir` and for tests: a line per value with its type. */
import type { CheckedMetadata } from "../2-check/checked.ts";
import { childrenOf, type Core, type ReferenceEntry, type Term, type Type } from "../2-check/core.ts";
import type { Program, Statement } from "./program.ts";

export function printProgram(program: Program): string {
  const { name, sources, params } = program;
  return [
    `strategy ${name}`,
    ...params.map((param) => `param ${param.name}: ${param.type}`),
    ...sources.map(
      (source) =>
        `source ${source.name}: ${source.kind} ${source.shared ? "of" : "in"} "${source.directory}"${source.optional ? ", optional" : ""}`,
    ),
    "prepare",
    ...program.prepare.map(line),
    "loss",
    ...program.loss.map(line),
    ...program.terms.map((term) => `  term ${term.name} (${term.modality}) = ${print(term.core)}`),
    ...program.outputs.map((output) => `output ${JSON.stringify(output)}`),
    ...program.metadata.statements.map(line),
    ...program.metadata.entries.map(printMetadata),
    "",
  ].join("\n");
}

function line({ key, core }: Statement): string {
  return `  ${key}: ${printType(core.type)} = ${print(core)}`;
}

function printType({ dtype, axes, stage }: Type): string {
  return `${stage === "device" ? "" : `${stage} `}${dtype}${axes.length > 0 ? `[${axes.join(", ")}]` : ""}`;
}

function print(core: Core): string {
  return printLeaf(core) ?? printWithParts(core, childrenOf(core).map(print));
}

/** What has no parts; null for all else. */
function printLeaf(core: Core): string | null {
  switch (core.op) {
    case "literal":
      return String(core.value);
    case "param":
    case "paramIs":
      return printParam(core);
    case "ref":
      return core.key;
    case "size":
      return `${core.of}.${core.size}`;
    case "in":
      return `in ${core.dataset}`;
    case "fps":
      return `${core.source}.fps`;
    case "source":
    case "has":
      return `${core.op} ${core.source}`;
    case "prediction":
      return `prediction ${core.modality}`;
    case "from":
      return `from ${core.source}`;
    case "progress":
      return core.name;
    case "output":
      return `output ${core.name}`;
    default:
      return null;
  }
}

function printWithParts(core: Core, args: readonly string[]): string {
  switch (core.op) {
    case "passInputs":
      return `inputs(${core.fields.map(({ field }, i) => `${field}: ${args[i]}`).join(", ")})`;
    case "pass":
      return `call ${core.pass}(${args.join(", ")})`;
    case "passPrediction":
      return `prediction ${core.modality} of ${args[0]}${core.isConstant ? ", constant" : ""}`;
    case "map":
      return `${core.fn}(${args.join(", ")})`;
    case "reduce":
    case "quantile":
    case "dft":
    case "shift":
    case "concat":
      return printAlong(core, args);
    case "draw":
      return `${core.fn} "${core.place}"${core.storage === null ? "" : ` as ${core.storage}`}`;
    case "sampled":
      return core.shifted === null ? `sampled "${core.place}"` : `shifted "${core.place}"(${args.join(", ")})`;
    case "references":
      return `references(${core.entries.map(printReference).join(", ")})`;
    case "neighbours":
      return `${core.fn}(${args.join(", ")})`;
    case "import":
    case "network":
      return `${core.name}(${args.join(", ")})`;
    case "coordinate":
      return `${core.modality}.${core.sequence ? "sequence." : ""}${core.coordinate}${args.length > 0 ? `(${args.join(", ")})` : ""}`;
    case "scale":
      return `scale.${core.along}`;
    case "cell":
      return `cell(${args.join(", ")}; ${core.along})`;
    case "round":
      return `round(${args.join(", ")}; ${core.source})`;
    default:
      return `${core.op}(${args.join(", ")})`;
  }
}

/** With the axes behind the arguments: `mean(x; channel)`. */
function printAlong(core: Term<"reduce" | "quantile" | "dft" | "shift" | "concat">, args: readonly string[]): string {
  const axes = "axes" in core ? core.axes.join(", ") : core.axis;
  return `${core.op === "reduce" ? core.fn : core.op}(${args.join(", ")}; ${axes})`;
}

function printParam(core: Term<"param"> | Term<"paramIs">): string {
  if (core.op === "paramIs") return `param ${core.name} is ${JSON.stringify(core.value)}`;
  return core.index === null ? `param ${core.name}` : `param ${core.name}[${core.index}]`;
}

function printReference({ source, place, probability }: ReferenceEntry): string {
  return probability === null ? source : `${source} with probability "${place}" ${print(probability)}`;
}

function printMetadata({ name, parts }: CheckedMetadata): string {
  return `metadata ${name} = ${parts.map((part) => (typeof part === "string" ? JSON.stringify(part) : print(part))).join(" ")}`;
}
