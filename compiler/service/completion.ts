/** What may be written where the cursor stands. */
import { nodeAt } from "../1-parse/tree.ts";
import type { Unit } from "../1-parse/expression/ast.ts";
import type { ParameterDoc } from "../2-check/builtin-docs.ts";
import { drawFunctions, losses } from "../2-check/builtins.ts";
import type { Declaration } from "../2-check/declarations.ts";
import { unitsIn } from "../2-check/units.ts";
import { endOffset } from "../source/source-file.ts";
import type { Span } from "../source/span.ts";
import type { Analysis } from "./analysis.ts";
import {
  axes,
  fieldsOf,
  fits,
  operands,
  references,
  textsOf,
  weights,
  type Candidate,
  type Surroundings,
} from "./candidates.ts";
import { builtinParameters, cursorIn, type Cursor } from "./cursor.ts";
import { placeAt, type Place } from "./place.ts";
import {
  at,
  isList,
  isMapping,
  modalityAt,
  roleAt,
  schemaAt,
  type Named,
  type Role,
  type Schema,
  type Wanted,
} from "./roles.ts";
import { contains } from "./uses.ts";

export interface Completion extends Candidate {
  /** What the text replaces: the letters that are there already. */
  readonly replace: Span;
  /** Lower ones come first. */
  readonly rank: number;
}

/** What only files tell. */
export interface Around {
  /** What `extends` may name: built-in strategies and paths of others. */
  readonly strategies?: readonly string[];
  /** How many blocks the checkpoint of the project has. */
  readonly blocks?: number | null;
  /** What `directory` of a source may be: paths below the data root. */
  readonly folders?: readonly string[];
}

/** `analysis` is that of `analyseAt`, and `text` the text as it is. */
export function complete(analysis: Analysis, text: string, offset: number, around: Around = {}): readonly Completion[] {
  const place = placeAt(text, offset);
  if (place.kind === "comment" || place.kind === "none") return [];
  const schema = schemaAt(place.path);
  if (place.kind === "key" && isMapping(schema)) return keys(analysis, place, schema, offset);
  const isEntry = place.kind === "key" && isList(schema);
  const path = isEntry ? [...place.path, 0] : place.path;
  return values(analysis, { ...place, path }, offset, around);
}

// -------------------------------------------------------------------------------------------------------------------- keys

function keys(analysis: Analysis, place: Place, schema: Schema | null, offset: number): readonly Completion[] {
  const known = Object.entries(at(schema, "properties") ?? {});
  const present = new Set(keysAt(analysis, place, offset));
  const replace = { start: place.start, end: offset };
  const offered =
    known.length > 0
      ? known
      : inheritedKeys(analysis, place).map((key) => [key, at(schema, "additionalProperties") ?? {}] as const);
  return offered
    .filter(([key]) => !present.has(key))
    .map(([label, value], rank): Completion => {
      const described = (value as Schema)["description"];
      const doc = typeof described === "string" ? described : "";
      return { label, kind: "key", is: "none", doc, replace, rank, insert: keyText(label, value as Schema, place) };
    });
}

/** The key with what must follow it. */
function keyText(label: string, value: Schema, { inFlow, path }: Place): string {
  const isBlock = !inFlow && value["type"] === "object" && path.length < 2;
  return isBlock ? `${label}:\n${" ".repeat(2 * path.length + 2)}$0` : `${label}: $0`;
}

function keysAt({ own }: Analysis, { path, start }: Place, offset: number): readonly string[] {
  if (own === null) return [];
  const { node, depth } = nodeAt(own.tree, path);
  if (depth < path.length || node.kind !== "mapping") return [];
  return node.entries.flatMap(({ key, keySpan }) => (contains(keySpan, offset) && keySpan.start >= start ? [] : [key]));
}

const sectionKinds: Readonly<Record<string, Declaration["kind"]>> = {
  params: "param",
  sources: "source",
  datasets: "dataset",
  let: "let",
  passes: "pass",
  outputs: "output",
  weights: "weight",
  networks: "network",
  imports: "import",
};

/** Of a section whose keys are names: those of the bases, which may be overridden. */
function inheritedKeys({ syntax, file, declarations }: Analysis, { path }: Place): string[] {
  const [section] = path;
  if (path.length !== 1 || syntax === null || endOffset(file) === file.text.length + 1) return [];
  const word = sectionKinds[String(section)];
  if (section === "loss")
    return syntax.losses.filter(({ name }) => name.span.start > file.text.length).map(({ name }) => name.text);
  const names = [...(declarations?.byName.values() ?? [])].filter(
    ({ kind, name }) => kind === word && name.span.start > file.text.length,
  );
  return names.map(({ name }) => name.text);
}

// ------------------------------------------------------------------------------------------------------------------ values

const sourcesNamed = (names: Iterable<string>): Candidate[] =>
  Array.from(names, (label): Candidate => ({ label, kind: "source", is: "none" }));

const nameOfDataset = ({ kind, name }: Declaration): string[] => (kind === "dataset" ? [name.text] : []);

function values(analysis: Analysis, place: Place, offset: number, around: Around): readonly Completion[] {
  const role = roleAt(place.path);
  switch (role.kind) {
    case "expression":
      return inExpression(analysis, place, place.text, role, offset);
    case "template":
      return inTemplate(analysis, place, offset) ?? listed(around.folders ?? [], "value", place, offset);
    case "choice":
      return listed(role.values.map(String), "value", place, offset);
    case "strategy":
      return listed(around.strategies ?? [], "value", place, offset);
    case "tap":
      return inTemplate(analysis, place, offset) ?? listed(blockNames(around.blocks ?? 1), "value", place, offset);
    case "name":
      return named(analysis, role.of).map((candidate, rank) => ({
        ...candidate,
        rank,
        replace: { start: place.start, end: offset },
      }));
    case "other":
      return listed(valuesOfParam(analysis, place), "value", place, offset);
  }
}

/** From the first on, and from the last back; every model has the first and the last. */
const blockNames = (count: number): readonly string[] => {
  const numbers = Array.from({ length: count }, (_, i) => i);
  return [...numbers.map((i) => `block ${i}`), ...numbers.map((i) => `block ${-1 - i}`)];
};

/** Of `default` of a parameter: what its own schema allows. */
function valuesOfParam({ own }: Analysis, { path }: Place): readonly string[] {
  if (path[0] !== "params" || path[2] !== "default") return [];
  const schema = own?.syntax.params.find(({ name }) => name.text === path[1])?.schema ?? {};
  const values = schema["type"] === "boolean" ? [true, false] : schema["enum"];
  return Array.isArray(values) ? values.map(String) : [];
}

/** `written`: what the labels replace, all of the value where it is not given. */
function listed(
  labels: readonly string[],
  kind: Candidate["kind"],
  place: Place,
  end: number,
  written = place.text,
): readonly Completion[] {
  return labels.map((label, rank) => ({
    label,
    kind,
    is: "none",
    rank,
    replace: { start: end - written.length, end },
  }));
}

function named(analysis: Analysis, of: Named): readonly Candidate[] {
  const all = [...(analysis.declarations?.byName.values() ?? [])];
  const fitting = all.filter((each) =>
    of === "output"
      ? each.kind === "output"
      : each.kind === "source" &&
        (of === "source" || each.sourceKind.endsWith(of === "text" ? "text_embeddings" : "_latents")),
  );
  return fitting.map(({ name }): Candidate => ({ label: name.text, kind: "source", is: "none" }));
}

/** Text parameters may stand in `${…}`, and numbers known before the run: in outputs these alone. Null outside of the braces. */
function inTemplate(analysis: Analysis, place: Place, offset: number): readonly Completion[] | null {
  const open = place.text.lastIndexOf("${");
  if (open < 0 || place.text.includes("}", open)) return null;
  const cursor = cursorIn(place.text.slice(open + 2), "any", signatures(analysis));
  const replace = { start: offset - cursor.prefix.length, end: offset };
  const isMember = cursor.expects.kind === "member";
  const owner = cursor.expects.kind === "member" ? cursor.expects.owner : [];
  const all = isMember ? fieldsOf(analysis, owner) : operands(analysis, surroundings(place));
  const inOutput = place.path[0] === "outputs";
  const known = all.filter(
    ({ kind, is }) =>
      (isMember || kind === "parameter" || kind === "source") &&
      (!inOutput || (kind === "parameter" && is === "number")),
  );
  return known.map((candidate, rank) => ({ ...candidate, replace, rank }));
}

function inExpression(
  analysis: Analysis,
  place: Place,
  before: string,
  role: Extract<Role, { kind: "expression" }>,
  offset: number,
): readonly Completion[] {
  const compared = comparedText(analysis, before, offset);
  if (compared !== null) return compared;
  const expected = place.path[0] === "expect" ? expectedAt(before) : null;
  const cursor = cursorIn(expected?.text ?? before, expected?.wanted ?? role.wanted, signatures(analysis));
  const written = lengthsAt(cursor, before, surroundings(place));
  if (written !== null && written.text !== "") return listed(written.lengths, "value", place, offset, written.text);
  const replace = { start: offset - cursor.prefix.length, end: offset };
  const found = candidatesFor(analysis, cursor, surroundings(place), endingOf(role.isItem, place, expected !== null));
  const lengths = (written?.lengths ?? []).map((label): Candidate => ({ label, kind: "value", is: "number" }));
  return [...lengths, ...found].map((candidate, rank) => ({ ...candidate, replace, rank }));
}

/** In an entry of `expect`, behind `about` or `within`: what is written there of a number. Null in front of them. */
function expectedAt(before: string): { readonly text: string; readonly wanted: Wanted } | null {
  const text = /^.*[\w)\]]\s+(?:about|within)\s+(.*)$/s.exec(before)?.[1];
  return text === undefined ? null : { text, wanted: "number" };
}

/** Lengths to begin with, by their units. */
const usualLengths: Readonly<Record<Unit, string>> = { lf: "1lf", f: "9f", s: "0.5s", px: "64px", "%": "25%" };

/**
 * In a call of `prefix`, `suffix` or `crop`: the number before the cursor in each unit that may stand there, with what is written of it; where
 * no number has been begun, a length in each. Null in all other places.
 */
function lengthsAt(
  { call, expects, prefix }: Cursor,
  before: string,
  { modality }: Surroundings,
): { readonly lengths: readonly string[]; readonly text: string } | null {
  const [name = "", owner] = (call?.callee ?? "").split(".").toReversed();
  const of = owner === "audio" || (owner === undefined && modality === "audio") ? "audio" : "video";
  const units = unitsIn(name, of);
  const [text = "", number = ""] = /(?<![\w.])(\d+(?:\.\d+)?)[a-z]{0,2}$/.exec(before) ?? [];
  const isEmpty = text === "" && prefix === "" && expects.kind === "operand";
  if (units.length === 0 || (text === "" && !isEmpty)) return null;
  return { lengths: units.map((unit) => (text === "" ? usualLengths[unit] : `${number}${unit}`)), text };
}

/** Behind `mode ==`: the texts that the parameter may have. Null elsewhere. */
function comparedText(analysis: Analysis, before: string, offset: number): readonly Completion[] | null {
  const [, name = "", written = ""] = /([A-Za-z_]\w*)\s*[=!]=\s*(["']?[^"'\s()]*)$/.exec(before) ?? [];
  const texts = textsOf(analysis.declarations?.byName.get(name));
  if (texts.length === 0) return null;
  const quote = /^["']/.test(written) ? written.charAt(0) : '"';
  const replace = { start: offset - written.length, end: offset };
  return texts.map((text, rank) => ({ label: `${quote}${text}${quote}`, kind: "value", is: "any", rank, replace }));
}

function candidatesFor(
  analysis: Analysis,
  { expects, call }: Cursor,
  around: Surroundings,
  ending: string | null,
): readonly Candidate[] {
  switch (expects.kind) {
    case "member":
      return fieldsOf(analysis, expects.owner);
    case "axis":
      return axesOf(analysis, call);
    case "source":
      return references(analysis);
    case "trained":
      return weights(analysis);
    case "optional source":
      return sourcesNamed(analysis.declarations?.optional ?? []);
    case "dataset":
      return sourcesNamed([...(analysis.declarations?.byName.values() ?? [])].flatMap(nameOfDataset));
    case "probability":
      return [{ label: "probability", kind: "keyword", is: "none", insert: "probability $0" }];
    case "operator":
      return operators(expects, ending);
    case "operand": {
      const fitting = ranked(operands(analysis, around), expects.wanted, expects.isOver);
      // In `insert(…)` a source alone.
      const all =
        expects.wanted === "text" && call !== null ? fitting.filter(({ kind }) => kind === "source") : fitting;
      return [...namedArguments(analysis, call), ...likeliestFirst(all, call)];
    }
  }
}

/** In version 2 of the language an axis that is reduced is named: `mean(x, axis=frame)`. */
function axesOf(analysis: Analysis, call: Cursor["call"]): readonly Candidate[] {
  const isReduced = call !== null && call.named === null && call.callee !== "per";
  const mustBeNamed = isReduced && (analysis.syntax?.language?.value ?? 1) >= 2;
  const all = axes(analysis);
  if (!mustBeNamed) return all;
  return all.map((candidate) => ({ ...candidate, label: `axis=${candidate.label}` }));
}

/** `std=`, where a value of its own may be given to it. */
function namedArguments(analysis: Analysis, call: Cursor["call"]): readonly Candidate[] {
  if (call === null || call.named !== null) return [];
  const optional = (signatures(analysis)(call.callee) ?? []).filter((parameter) => parameter.optional === true);
  return optional.map(({ name }): Candidate => ({
    label: `${name}=`,
    kind: "keyword",
    is: "any",
    insert: `${name}=$0`,
  }));
}

/** A loss compares a prediction with its target. */
function likeliestFirst(all: readonly Candidate[], call: Cursor["call"]): readonly Candidate[] {
  if (call === null || !losses.includes(call.callee)) return all;
  const likely = (label: string) =>
    /\.(?:prediction|target)$/.test(label) && label.endsWith(call.argument === 0 ? "prediction" : "target");
  return all.toSorted((a, b) => Number(likely(b.label)) - Number(likely(a.label)));
}

/** Those that fit, the likeliest first: what the file names, then fields, then functions. */
function ranked(all: readonly Candidate[], wanted: Wanted, isOver: boolean): readonly Candidate[] {
  const order = ["parameter", "variable", "source", "field", "module", "function", "keyword"];
  const rankOf = ({ is, kind }: Candidate) => {
    const isBest = wanted === "mask" || wanted === "weight" ? is === "mask" : wanted === "loss" ? is === "loss" : false;
    return (isBest ? 0 : is === "any" ? 20 : 10) + Math.max(0, order.indexOf(kind));
  };
  const meaningful = isOver ? all.filter(({ is }) => is !== "loss") : all;
  return meaningful.filter((candidate) => fits(candidate, wanted)).toSorted((a, b) => rankOf(a) - rankOf(b));
}

/** What may end an entry of a list; `isAbout`: whether `about` stands in it already. */
function endingOf(isItem: boolean, { path, text }: Place, isAbout: boolean): string | null {
  if (isItem) return "with probability";
  if (path[0] !== "expect") return null;
  return !isAbout ? "about" : /\bwithin\s/.test(text) ? null : "within";
}

function operators(
  { callee, isWhole, openIf }: Extract<Cursor["expects"], { kind: "operator" }>,
  ending: string | null,
): readonly Candidate[] {
  const name = callee?.split(".").at(-1) ?? "";
  const draws = [...drawFunctions, "sampled", "shifted_logit_normal"];
  const own = losses.includes(name) ? ["over"] : draws.includes(name) ? ["per"] : [];
  const words = [
    ...(openIf === null ? [] : [openIf]),
    ...own,
    ...(ending !== null && isWhole ? [ending] : []),
    ">",
    "<",
    "*",
    "+",
    "and",
    "or",
  ];
  return words.map((label): Candidate => ({ label, kind: "keyword", is: "none", insert: `${label} $0` }));
}

function surroundings({ path }: Place): Surroundings {
  const inside = modalityAt(path);
  const binder = path[0] === "let" ? String(path[1]) : "";
  return {
    modality: inside?.modality ?? null,
    pass: inside?.pass ?? null,
    key: inside?.key ?? null,
    inAttention: inside?.key === "attention" || inside?.key === "keyframes",
    locals: [...(/\(([^)]*)\)/.exec(binder)?.[1]?.matchAll(/\w+/g) ?? [])].map(([word]) => word),
  };
}

/** Parameters of what is called: built in, a `let` with arguments, or imported. */
export function signatures(analysis: Analysis): (callee: string) => readonly ParameterDoc[] | null {
  return (callee) => {
    const declaration = analysis.declarations?.byName.get(callee);
    const any = (name: string): ParameterDoc => ({ name, kind: "any" });
    if (declaration?.kind === "let") return (declaration.syntax.binder.parameters ?? []).map(({ text }) => any(text));
    if (declaration?.kind === "import")
      return (declaration.syntax.type?.parameters ?? []).map(({ name }) => any(name.text));
    if (declaration?.kind === "network") return [any("x")];
    return builtinParameters(callee);
  };
}
