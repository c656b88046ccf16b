/** Every keyword of JSON Schema that can fail, in the user's terms. */
import type { Details } from "../diagnostics/bag.ts";
import type { Code } from "../diagnostics/catalog/index.ts";
import type { Fix } from "../diagnostics/diagnostic.ts";
import { meant, replacement } from "../diagnostics/did-you-mean.ts";
import type { Span } from "../source/span.ts";
import { foreignKey, foreignValue } from "./foreign-keys.ts";
import { missingAdvice, rangeAdvice, shapeAdvice } from "./shape-advice.ts";
import { typeFix, typeHelp } from "./type-advice.ts";
import { unitWords } from "./units.ts";
import { entryOf, type Place, type YamlNode } from "../1-parse/tree.ts";

/** As the generated validators report it. */
export interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly propertyName?: string;
}

export type Schema = Readonly<Record<string, unknown>>;

interface Failure {
  readonly error: SchemaError;
  readonly place: Place;
  readonly path: readonly string[];
  readonly schema: Schema;
  readonly root: YamlNode;
  /** The schema object that holds the keyword. */
  readonly parent: Schema;
}

interface Explained {
  readonly code: Code;
  readonly message: string;
  readonly details: Details;
}

export function explain(failure: Failure): Explained {
  const { error } = failure;
  if (error.propertyName !== undefined) return wrongKeyName(failure, error.propertyName);
  switch (error.keyword) {
    case "additionalProperties":
    case "unevaluatedProperties":
      return unknownKey(failure);
    case "required":
    case "dependentRequired":
      return missingKey(failure);
    case "type":
      return wrongType(failure);
    case "enum":
    case "const":
      return notAllowed(failure);
    case "minimum":
    case "maximum":
    case "exclusiveMinimum":
    case "exclusiveMaximum":
    case "multipleOf":
      return outOfRange(failure);
    case "pattern":
    case "format":
      return wrongForm(failure);
    case "false schema":
      return doesNotApply(failure);
    default:
      return wrongCount(failure);
  }
}

function found(code: Code, message: string, help?: string | null, fix?: Fix | null): Explained {
  return { code, message, details: { ...(help ? { help } : {}), ...(fix ? { fix } : {}) } };
}

/** `video.keep[0]` */
function dotted(path: readonly string[]): string {
  return path.map((step, index) => (/^\d+$/.test(step) ? `[${step}]` : index === 0 ? step : `.${step}`)).join("");
}

function named({ path }: Failure): string {
  return path.length === 0 ? "a strategy" : `\`${dotted(path)}\``;
}

function title({ parent }: Failure): string | null {
  return typeof parent["title"] === "string" ? parent["title"] : null;
}

// --------------------------------------------------------------------------------------------------------------------- keys

function unknownKey(failure: Failure): Explained {
  const { error, parent, place, schema } = failure;
  const key = String(error.params["additionalProperty"] ?? error.params["unevaluatedProperty"]);
  const known = Object.keys(objectAt(parent, "properties") ?? {});
  const missing = known.filter((other) => entryOf(place.node, other) === null);
  const owners = ownersOf(schema, key, "");
  const message = `${named(failure)} has no key \`${key}\``;
  const foreign = foreignKey(failure.path, key);
  if (foreign !== null) return found("LTX2001", message, foreign);
  if (owners.length > 0)
    return found("LTX2001", message, `\`${key}\` belongs under ${list(nearest(owners, failure), "or")}`);
  const written = entryOf(place.node, key)?.keySpan ?? place.span;
  return { code: "LTX2001", message, details: meant(key, written, missing, `it may have ${list(known)}`) };
}

/** Those in the same section, if there are any. */
function nearest(owners: readonly string[], { path: [section = ""] }: Failure): readonly string[] {
  const own = owners.filter((owner) => owner.split(".")[0] === section);
  return own.length === 0 ? owners : own;
}

/** Where else the schema knows a key, which then only stands at the wrong depth: `video`, or `sources.<name>`. */
function ownersOf(schema: Schema, key: string, path: string): string[] {
  const properties = objectAt(schema, "properties") ?? {};
  const own = path !== "" && Object.hasOwn(properties, key) ? [path] : [];
  const below = (name: string) => (path === "" ? name : `${path}.${name}`);
  const nested = Object.keys(properties).flatMap((name) =>
    ownersOf(objectAt(properties, name) ?? {}, key, below(name)),
  );
  const entry = objectAt(schema, "additionalProperties");
  return [...own, ...nested, ...(entry === null ? [] : ownersOf(entry, key, below("<name>")))];
}

function objectAt(schema: Schema, key: string): Schema | null {
  const value = Object.hasOwn(schema, key) ? schema[key] : undefined;
  return typeof value === "object" && value !== null ? (value as Schema) : null;
}

function missingKey(failure: Failure): Explained {
  const key = String(failure.error.params["missingProperty"]);
  const help = missingAdvice(failure.path, key) ?? `add \`${key}:\``;
  return found("LTX2002", `${named(failure)} needs the key \`${key}\``, help);
}

function wrongKeyName(failure: Failure, name: string): Explained {
  const expected = title(failure);
  return found("LTX2006", `\`${name}\` is not a name`, expected === null ? null : `a name has ${expected}`);
}

function doesNotApply(failure: Failure): Explained {
  const { path } = failure;
  const owner = path.length < 2 ? "here" : `to \`${dotted(path.slice(0, -1))}\``;
  const help = "remove it, or change the other keys of this entry";
  return found("LTX2008", `the key \`${path.at(-1) ?? ""}\` does not apply ${owner} as it is written`, help);
}

// ------------------------------------------------------------------------------------------------------------------- values

function wrongType(failure: Failure): Explained {
  const { place, error } = failure;
  const types = [error.params["type"]].flat().map(String);
  const expected = title(failure) ?? types.map((type) => phrases[type] ?? type).join(" or ");
  const message = `${named(failure)} must be ${expected}, but ${described(place.node)}`;
  if (dotted(failure.path) === "loss" && place.node.kind === "scalar" && typeof place.node.value === "string") {
    const text = `\n  video: ${place.node.quoted ? JSON.stringify(place.node.text) : place.node.text}`;
    const help = `give the term a name, on a line of its own below \`loss:\`: \`${text.trim()}\``;
    const fix = { title: "give the term a name", edits: [{ span: place.span, text }] };
    return found("LTX2003", message, help, place.node.text.includes("\n") ? null : fix);
  }
  const help = shapeAdvice(failure.path, place.node, failure.root) ?? typeHelp(types, place.node);
  return found("LTX2003", message, help, typeFix(types, place.node));
}

const phrases: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  integer: "a whole number",
  boolean: "`true` or `false`",
  array: "a list",
  object: "a mapping",
  null: "empty",
};

function described(node: YamlNode): string {
  if (node.kind === "mapping") return "this is a mapping";
  if (node.kind === "sequence") return "this is a list";
  if (node.value === null) return "nothing is written here";
  const shown = node.text.length > 40 ? `${node.text.slice(0, 40)}...` : node.text.trimEnd();
  return typeof node.value === "string" ? `this is the text \`${shown}\`` : `this is \`${shown}\``;
}

function notAllowed(failure: Failure): Explained {
  const { error, place } = failure;
  const choices = [error.params["allowedValues"] ?? error.params["allowedValue"]].flat();
  const allowed = choices.map(String);
  const expected = title(failure) ?? "one of the values that are known";
  const message = `${named(failure)} must be ${expected}, but ${described(place.node)}`;
  const value = place.node.kind === "scalar" ? place.node.text : "";
  if (failure.path.at(-1) === "unit" && /^(percents?|pct)$/i.test(value))
    return found("LTX2004", message, 'write `"%"`, in quotes', replacement(place.node.span, '"%"'));
  const foreign = foreignValue(value, allowed);
  if (foreign !== null)
    return found("LTX2004", message, `write \`${foreign}\``, replacement(contentsOf(place.node), foreign));
  const isQuoted = place.node.kind === "scalar" && place.node.quoted;
  if (isQuoted && choices.some((choice) => typeof choice !== "string" && String(choice) === value))
    return found("LTX2004", message, `write \`${value}\` without quotes`, replacement(place.node.span, value));
  const otherwise = failure.path.at(-1) === "unit" ? units : `write ${list(allowed, "or")}`;
  const details = meant(value, contentsOf(place.node), allowed, otherwise);
  return { code: "LTX2004", message, details };
}

const units = `units are ${Object.entries(unitWords)
  .map(([unit, words]) => `\`${unit}\` (${words})`)
  .join(", ")}`;

/** Where a scalar's text is written, without its quotes. */
function contentsOf(node: YamlNode): Span {
  if (node.kind !== "scalar") return node.span;
  return { start: node.mapOffset(0), end: node.mapOffset(node.text.length) };
}

const comparisons: Readonly<Record<string, string>> = {
  ">=": "at least",
  "<=": "at most",
  ">": "above",
  "<": "below",
};

function outOfRange(failure: Failure): Explained {
  const { params } = failure.error;
  const bound =
    params["multipleOf"] === undefined
      ? `${comparisons[String(params["comparison"])] ?? "other than"} ${String(params["limit"])}`
      : `a multiple of ${String(params["multipleOf"])}`;
  const help = rangeAdvice(failure.path);
  return found("LTX2005", `${named(failure)} must be ${bound}, but ${described(failure.place.node)}`, help);
}

function wrongForm(failure: Failure): Explained {
  const expected = title(failure) ?? `a text that matches ${String(failure.error.params["pattern"])}`;
  const { node } = failure.place;
  const text = node.kind === "scalar" ? node.text : "";
  const help =
    paramAdvice(failure, text) ??
    (failure.path.at(-1) === "directory"
      ? "write a folder below `data.preprocessed_data_root` of the run config, such as `masks`"
      : failure.path[0] === "datasets" && failure.path[2] === "root"
        ? `a folder anywhere is named in the run config: \`runtime: {datasets: {${failure.path[1]}: ${text}}}\``
        : failure.path[0] === "outputs" && failure.path[2] === "tap"
          ? `write e.g. \`block 12\`, or of a parameter \`"block \${layer}"\``
          : nameAdvice(failure));
  return found("LTX2006", `${named(failure)} must be ${expected}, but ${described(node)}`, help);
}

/** Where `${…}` stands, or a name alone where only `${…}` may. */
function paramAdvice({ error }: Failure, text: string): string | null {
  const takesParam = String(error.params["pattern"]).includes("\\$\\{");
  if (takesParam && /^[A-Za-z_]\w*$/.test(text)) return `write \`"\${${text}}"\`, if that is a parameter`;
  if (!text.includes("${")) return null;
  return takesParam
    ? "between the braces stands the name of one parameter"
    : "write the value itself: parameters cannot stand here";
}

/** The name of the strategy with what a name may hold. */
function nameAdvice({ path, place: { node } }: Failure): string | null {
  if (path.join(".") !== "strategy" || node.kind !== "scalar") return null;
  const text = node.text
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^[0-9_]+|_+$/g, "");
  return text === "" ? null : `write \`strategy: ${text}\``;
}

const counted: Readonly<Record<string, readonly [string, string]>> = {
  minItems: ["at least", "entry"],
  maxItems: ["at most", "entry"],
  minProperties: ["at least", "entry"],
  maxProperties: ["at most", "entry"],
  minLength: ["at least", "character"],
  maxLength: ["at most", "character"],
};

function wrongCount(failure: Failure): Explained {
  const { keyword, params } = failure.error;
  if (keyword === "uniqueItems")
    return found("LTX2007", `${named(failure)} has the same entry twice`, "remove one of them");
  const [bound, what] = counted[keyword] ?? ["at least", "entry"];
  const limit = Number(params["limit"] ?? 1);
  const plural = limit === 1 ? what : what.replace(/y$/, "ie").concat("s");
  return found("LTX2007", `${named(failure)} must have ${bound} ${limit} ${plural}`);
}

function list(words: readonly string[], conjunction = "and"): string {
  const quoted = words.map((word) => `\`${word}\``);
  const last = quoted.at(-1) ?? "";
  return quoted.length < 2 ? last : `${quoted.slice(0, -1).join(", ")} ${conjunction} ${last}`;
}
