/** The units that lengths of version 1 of the language mean: `prefix(2)` is `prefix(2lf)`, `crop(0, 0, 64, 64)` is in pixels. */
import { allExpressions } from "../1-parse/all-expressions.ts";
import type { Argument, Expression } from "../1-parse/expression/ast.ts";
import { nodesOf } from "../1-parse/expression/children.ts";
import { bindsAs, levelOf } from "../1-parse/expression/print.ts";
import type { ParamSyntax, StrategySyntax } from "../1-parse/syntax.ts";
import { entryOf } from "../1-parse/tree.ts";
import { argumentNames } from "../2-check/builtins.ts";
import { unitOfParam } from "../2-check/units.ts";
import type { Edit } from "../source/edits.ts";

/** Pixels of a latent cell of LTX-2: `crop` of version 1 rounds every edge down to whole cells, version 2 takes cells that lie partly inside. */
const cell = 32;

interface Length {
  readonly value: Expression;
  readonly unit: "lf" | "px";
  /** An edge of `crop` where the stretch ends. */
  readonly isEnd: boolean;
}

/** The changes that give every length its unit: in its place, or where the parameter is declared that it is. */
export function unitEdits(text: string, syntax: StrategySyntax): Edit[] {
  const lengths = [...allExpressions(syntax)].flatMap(lengthsOf).filter(({ value }) => needsUnit(value, syntax));
  const params = new Map(
    syntax.params.flatMap((param) => {
      const unit = unitOfUses(param, lengths, syntax);
      return unit === null ? [] : [[param.name.text, { param, unit }] as const];
    }),
  );
  return [
    ...[...params.values()].flatMap(({ param, unit }) => declared(text, param, unit)),
    ...lengths.flatMap((length) => written(text, length, params.get(nameOf(length.value) ?? "")?.param ?? null)),
  ];
}

function lengthsOf(e: Expression): Length[] {
  const [name, args] =
    e.kind === "call" ? [e.callee.text, e.args] : e.kind === "member" ? [e.member.text, e.args ?? []] : ["", []];
  if (name === "prefix" || name === "suffix") return args.map(({ value }) => ({ value, unit: "lf", isEnd: false }));
  if (name !== "crop") return [];
  return args.map((arg, i) => ({ value: arg.value, unit: "px", isEnd: placeOf(arg, i) > 1 }));
}

const placeOf = ({ name }: Argument, i: number): number =>
  name === null ? i : (argumentNames["crop"] ?? []).indexOf(name.text);

/** Not 0, not what has a unit already, and not a size, which counts latent frames. */
function needsUnit(value: Expression, { params }: StrategySyntax): boolean {
  const isSize =
    value.kind === "member" ? value.member.text === "frames" : value.kind === "name" && value.name === "frames";
  if (value.kind === "error" || isSize || (value.kind === "number" && value.value === 0)) return false;
  return [...nodesOf(value)].every((node) => {
    const param = node.kind === "name" ? params.find(({ name }) => name.text === node.name) : undefined;
    return (
      (param === undefined || unitOfParam(param) === undefined) && !(node.kind === "number" && node.unit !== undefined)
    );
  });
}

/** The parameter that a length is, itself or one of its items. */
function nameOf(e: Expression): string | null {
  if (e.kind === "index") return nameOf(e.object);
  return e.kind === "name" ? e.name : null;
}

/** The unit of a parameter that serves as a length wherever it is used; null for all others. */
function unitOfUses(
  { name, schema }: ParamSyntax,
  lengths: readonly Length[],
  syntax: StrategySyntax,
): Length["unit"] | null {
  if (typeof schema["type"] !== "string" || !["number", "integer", "array"].includes(schema["type"])) return null;
  const uses = [...allExpressions(syntax)].filter((node) => node.kind === "name" && node.name === name.text);
  const own = lengths.filter(({ value }) => nameOf(value) === name.text);
  const compared = uses.filter((use) => [...allExpressions(syntax)].some((node) => isBesideIndex(node, use)));
  const isHidden = syntax.lets.some(({ binder }) => (binder.parameters ?? []).some(({ text }) => text === name.text));
  const [first] = own;
  if (first === undefined || isHidden || own.length + compared.length < uses.length) return null;
  return own.every(({ unit }) => unit === first.unit) && (compared.length === 0 || first.unit === "lf")
    ? first.unit
    : null;
}

const comparisons: readonly string[] = ["<", "<=", ">", ">=", "==", "!="];

/** Whether a name is compared with a place in latent frames, as in `frame_index < count` and `frame_index >= frames - count`. */
function isBesideIndex(node: Expression, use: Expression): boolean {
  if (node.kind !== "binary" || !comparisons.includes(node.operator)) return false;
  const other = isFromEnd(node.left, use) ? node.right : isFromEnd(node.right, use) ? node.left : null;
  return ["frame_index", "step_index"].includes(fieldOf(other));
}

/** The name itself, or what the size of the video or audio is more or less by it. */
function isFromEnd(side: Expression, use: Expression): boolean {
  if (side.kind !== "binary" || (side.operator !== "+" && side.operator !== "-")) return side === use;
  const other = side.left === use ? side.right : side.right === use ? side.left : null;
  return ["frames", "steps"].includes(fieldOf(other));
}

const fieldOf = (e: Expression | null): string =>
  e?.kind === "member" ? e.member.text : e?.kind === "name" ? e.name : "";

function declared(text: string, { node }: ParamSyntax, unit: string): Edit[] {
  const type = entryOf(node, "type");
  if (type === null) return [];
  const isFlow = text[node.span.start] === "{";
  const at = isFlow ? type.value.span.end : type.keySpan.start;
  const indent = " ".repeat(at - (text.lastIndexOf("\n", at - 1) + 1));
  return [{ span: { start: at, end: at }, text: isFlow ? `, unit: ${unit}` : `unit: ${unit}\n${indent}` }];
}

/** `param`: the one that a length is, where that has the unit now. */
function written(text: string, { value, unit, isEnd }: Length, param: ParamSyntax | null): Edit[] {
  const { start, end } = value.span;
  const source = text.slice(start, end);
  const replaced = (by: string): Edit[] => [{ span: { start, end }, text: by }];
  if (value.kind === "number" && text.slice(start, end).match(/^[\d.e+-]+$/i)) {
    const isKept = unit === "lf" || !isEnd || value.value % cell === 0;
    return replaced(`${isKept ? source : Math.floor(value.value / cell) * cell}${unit}`);
  }
  if (isEnd && !isAligned(param)) {
    const inner = bindsAs(levelOf(value), "product") ? source : `(${source})`;
    return replaced(`floor(${inner} / ${cell}${param === null ? "" : unit}) * ${cell}${unit}`);
  }
  if (param !== null) return [];
  return replaced(`${bindsAs(levelOf(value), "product") ? source : `(${source})`} * 1${unit}`);
}

/** Whether a parameter holds whole cells alone. */
function isAligned(param: ParamSyntax | null): boolean {
  const { items, multipleOf } = param?.schema ?? {};
  const step = typeof items === "object" && items !== null && "multipleOf" in items ? items.multipleOf : multipleOf;
  return typeof step === "number" && step % cell === 0;
}
