/** Units of lengths along the axes of a video or of audio: what numbers with a unit can be combined with, and what they stand for. */
import type { Unit } from "../1-parse/expression/ast.ts";
import type { ParamSyntax } from "../1-parse/syntax.ts";
import { slipOf } from "../diagnostics/did-you-mean.ts";
import type { Span } from "../source/span.ts";
import type { Core, Elementwise, ModalityName } from "./core.ts";
import { spanOf, type Report } from "./report.ts";

/** What one counts, in the plural. */
export const unitWords: Readonly<Record<Unit, string>> = {
  lf: "latent frames",
  f: "pixel frames",
  s: "seconds",
  px: "pixels",
  "%": "percent",
};

/** In which units the arguments of `prefix`, `suffix` and `crop` may be, the usual one first; none for other functions. */
export function unitsIn(name: string, modality: ModalityName): readonly Unit[] {
  if (name === "crop") return ["px", "%"];
  if (name !== "prefix" && name !== "suffix") return [];
  return modality === "video" ? ["lf", "f", "s", "%"] : ["lf", "s", "%"];
}

export const isUnit = (text: unknown): text is Unit => typeof text === "string" && Object.hasOwn(unitWords, text);

/** What the numbers of a parameter count: `unit: lf`. */
export function unitOfParam({ schema }: ParamSyntax): Unit | undefined {
  const { unit } = schema;
  return isUnit(unit) ? unit : undefined;
}

/** Whether its `unit` is none, misspelled, or stands in its `default` alone; all is reported where it stands, so its uses are not judged. */
export function hasOddUnit({ schema }: ParamSyntax): boolean {
  if (schema["unit"] !== undefined) return !isUnit(schema["unit"]);
  return lengthIn(schema["default"]) !== null || Object.keys(schema).some((key) => slipOf(key, ["unit"]) !== null);
}

/** `2lf` in a text: the number as it is written, and its unit. */
export function lengthIn(text: unknown): { readonly number: string; readonly unit: Unit } | null {
  const [, number = "", unit = ""] =
    typeof text === "string" ? (/^\s*(-?[\d.]+)\s*(lf|f|s|px|%)\s*$/.exec(text) ?? []) : [];
  return isUnit(unit) ? { number, unit } : null;
}

/** The functions whose arguments keep their units. */
const keepUnits: ReadonlySet<string> = new Set([
  "prefix",
  "suffix",
  "crop",
  "max",
  "min",
  "clamp",
  "abs",
  "floor",
  "ceil",
  "round",
  "mod",
  "where",
  "uniform",
  "randint",
]);

export const takesUnits = (name: string): boolean => keepUnits.has(name);

/** Operations on values of one unit, with what they give. */
const alike: Readonly<Partial<Record<Elementwise, "unit" | "none">>> = {
  add: "unit",
  sub: "unit",
  maximum: "unit",
  minimum: "unit",
  where: "unit",
  less: "none",
  lessEqual: "none",
  greater: "none",
  greaterEqual: "none",
  equal: "none",
  notEqual: "none",
};

const withinOne: readonly Elementwise[] = ["neg", "abs", "floor"];

/** The unit of the result, null for a plain number; `clash`, which is reported, where the units do not fit. */
export function unitOf(
  report: Report,
  fn: Elementwise,
  args: readonly Core[],
  { span, what }: { readonly span: Span | null; readonly what: string },
): Unit | "clash" | null {
  if (args.every(({ type }) => type.unit === undefined)) return null;
  const [a, b] = [args[0]?.type.unit ?? null, args[1]?.type.unit ?? null];
  const gives = alike[fn];
  if (gives !== undefined) {
    const unit = sharedUnit(fn === "where" ? args.slice(1) : args);
    if (unit === null) return mixed(report, fn === "where" ? args.slice(1) : args, span, what);
    return gives === "unit" ? unit : null;
  }
  if (withinOne.includes(fn)) return a;
  if (fn === "mul" && (a === null || b === null)) return a ?? b;
  if (fn === "div" && b === null) return a;
  if (fn === "div" && a === b) return null;
  const wrong = args.find(({ type }) => type.unit !== undefined);
  if (fn === "mul" || fn === "div") return mixed(report, args, span, what);
  if (wrong !== undefined) isPlain(report, wrong, what);
  return "clash";
}

/** What sizes and coordinates count, which are plain numbers and fit to lengths in this unit, too. */
function countedIn(core: Core): Unit | null {
  if (core.op === "size") return core.size === "frames" || core.size === "steps" ? "lf" : null;
  if (core.op !== "coordinate") return null;
  if (core.coordinate === "time") return "s";
  return core.coordinate === "frame_index" || core.coordinate === "step_index" ? "lf" : null;
}

/** The unit that all have; 0 and numbers that the compiler adds fit to any. */
function sharedUnit(args: readonly Core[]): Unit | null {
  const units = new Set(args.flatMap(({ type }) => type.unit ?? []));
  const [unit] = units;
  const isNeutral = (core: Core) =>
    core.type.unit !== undefined ||
    (core.op === "literal" && (core.span === null || core.value === 0)) ||
    countedIn(core) === unit;
  return units.size === 1 && unit !== undefined && args.every(isNeutral) ? unit : null;
}

/** `frame_index < 2s` and `time < 2lf`: what each counts is told. */
function reportOtherCoordinate(report: Report, plain: Core, length: Core, what: string): boolean {
  const own = countedIn(plain);
  const { unit } = length.type;
  if (own === null || plain.op !== "coordinate" || unit === undefined) return false;
  const other = unit === "s" ? "`time` counts seconds" : unit === "lf" ? "`frame_index` counts latent frames" : null;
  const text = `\`${plain.coordinate}\` counts ${unitWords[own]}`;
  report.error("LTX4053", spanOf(length), `${what} takes ${unitWords[own]} and ${unitWords[unit]}`, {
    help: other === null ? `${text}: write a number of them` : `${text}, ${other}`,
  });
  return true;
}

function mixed(report: Report, args: readonly Core[], span: Span | null, what: string): "clash" {
  const plain = args.find(({ type }) => type.unit === undefined);
  const length = args.find(({ type }) => type.unit !== undefined);
  if (plain !== undefined && length !== undefined && reportOtherCoordinate(report, plain, length, what)) return "clash";
  if (plain !== undefined && length !== undefined && (plain.type.stage === "device" || length.type.unit === "%")) {
    isPlain(report, length, what);
    return "clash";
  }
  const [first, second] = args.map(({ type }) => (type.unit === undefined ? "a plain number" : unitWords[type.unit]));
  report.error("LTX4053", span ?? spanOf(plain ?? (args[0] as Core)), `${what} takes ${first} and ${second}`, {
    help:
      plain === undefined
        ? what === "`*`"
          ? "a length is multiplied by a plain number"
          : "write both in one unit; the language does not turn one into the other"
        : sameUnit(report, plain, length?.type.unit ?? "lf"),
  });
  return "clash";
}

function sameUnit(report: Report, plain: Core, unit: Unit): string {
  const text = report.textAt(plain.span);
  if (text !== null && /^[\d.]+$/.test(text)) return `give both the same unit: \`${text}${unit}\``;
  if (plain.op === "param") return `give \`${plain.name}\` a unit where it is declared: \`unit: ${unit}\``;
  return text !== null && /^[\w.[\]]+$/.test(text)
    ? `give both the same unit: \`${text} * 1${unit}\``
    : "give both the same unit";
}

/** Whether a value is a plain number, as wanted; reports one with a unit. */
export function isPlain(report: Report, core: Core, what: string): boolean {
  const { unit } = core.type;
  if (unit === undefined) return true;
  const text = report.textAt(core.span);
  const number = /^\s*-?[\d.]+(?:e[+-]?\d+)?(?=[a-z%])/i.exec(text ?? "")?.[0];
  // Radii of `blur` and `dilate` count latent cells.
  const isRadius = unit === "px" && (what === "`blur`" || what === "`dilate`");
  const one = unit === "%" ? 100 : isRadius ? 32 : 1;
  const plain =
    number === undefined ? null : one === 1 ? number : String(Number((Number(number) / one).toPrecision(12)));
  report.error("LTX4054", spanOf(core), `${what} takes a plain number, this counts ${unitWords[unit]}`, {
    help:
      plain === null && unit === "%"
        ? "a share is a number from 0 to 1: 50 % are written `0.5`"
        : plain === null
          ? `units are for \`prefix\`, \`suffix\` and \`crop\`; divide by \`1${unit}\` to get the number alone`
          : `write \`${plain}\`${isRadius ? ": a radius counts latent cells of 32 pixels" : unit === "%" ? ": a share is a number from 0 to 1" : "; units are for `prefix`, `suffix` and `crop`"}`,
    ...(plain === null || core.span === null
      ? {}
      : { fix: { title: `write \`${plain}\``, edits: [{ span: core.span, text: plain }] } }),
  });
  return false;
}
