import type { Finding } from "../findings.ts";
import { isMultiple, matches } from "../param-rules.ts";
import { didYouMean, suggest } from "../nearest-word.ts";
import { meant } from "./meant.ts";
import { typesOf, type Schema } from "./schema.ts";

type Path = Finding["path"];
type Fields = Readonly<Record<string, unknown>>;

/**
 * Fits plain data to a schema: fills in defaults, turns `"1e-4"` into a number where one is expected (a YAML 1.1 loader reads
 * `1e-4` as text, and official configs are written so) and `"yes"` into a boolean. What does not fit is a finding and stays as it is.
 */
export function conform(schema: Schema, value: unknown, path: Path, findings: Finding[]): unknown {
  const fitted = coerce(schema, value);
  const wrong = wrongType(schema, fitted) ?? wrongChoice(schema, fitted);
  if (wrong !== null) {
    const message = `${nameOf(path)} must be ${wrong}, not ${show(value)}`;
    findings.push({ ...finding("LTX6002", path, message), ...meant(schema, fitted, path) });
    return value;
  }
  if (Array.isArray(fitted)) return conformList(schema, fitted, path, findings);
  if (isFields(fitted)) return conformFields(schema, fitted, path, findings);
  findings.push(...outOfRange(schema, fitted, path));
  return fitted;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `optimization.steps`, as users write settings. */
function nameOf(path: Path): string {
  const dotted = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("");
  return path.length === 0 ? "the run config" : `\`${dotted.replace(/^\./, "")}\``;
}

export function finding(code: string, path: Path, message: string, help?: string): Finding {
  return { code, severity: "error", path, message, ...(help === undefined ? {} : { help }) };
}

export function warning(code: string, path: Path, message: string, help?: string): Finding {
  return { ...finding(code, path, message, help), severity: "warning" };
}

/** A value as the user would write it. */
function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

const NUMBER = /^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/;

function coerce(schema: Schema, value: unknown): unknown {
  if (typeof value !== "string") return value;
  const types = typesOf(schema);
  if ((types.includes("number") || types.includes("integer")) && NUMBER.test(value)) return Number(value);
  if (types.includes("boolean") && /^(true|yes|on)$/i.test(value)) return true;
  if (types.includes("boolean") && /^(false|no|off)$/i.test(value)) return false;
  return value;
}

/** What the value should be, in words, or null when it has one of the schema's types. */
function wrongType(schema: Schema, value: unknown): string | null {
  const types = typesOf(schema);
  const lenient = types.some((type) => type === "number" || type === "integer" || type === "boolean");
  // `null` stands first in the schema where it is the default: the YAML language server fails at a text whose default is null.
  const wanted = types
    .filter((type) => !(type === "string" && lenient))
    .toSorted((a, b) => Number(a === "null") - Number(b === "null"));
  return wanted.length === 0 || wanted.some((type) => hasType(type, value)) ? null : wanted.map(inWords).join(" or ");
}

function hasType(type: string, value: unknown): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isFields(value);
  if (type === "integer") return Number.isInteger(value);
  if (type === "number") return Number.isFinite(value);
  return typeof value === type;
}

function inWords(type: string): string {
  const words: Readonly<Record<string, string>> = {
    array: "a list",
    object: "a mapping (indented `key: value` lines)",
    integer: "a whole number",
    number: "a number",
    boolean: "true or false",
    string: "text",
  };
  return words[type] ?? type;
}

function wrongChoice(schema: Schema, value: unknown): string | null {
  const choices = schema.enum;
  if (choices === undefined || choices.includes(value)) return null;
  return `${choices.length > 1 ? "one of " : ""}${choices.map(show).join(", ")}`;
}

function outOfRange(schema: Schema, value: unknown, path: Path): Finding[] {
  const limits: readonly (readonly [number | undefined, (n: number, limit: number) => boolean, string])[] = [
    [schema.minimum, (n, limit) => n >= limit, "at least"],
    [schema.maximum, (n, limit) => n <= limit, "at most"],
    [schema.exclusiveMinimum, (n, limit) => n > limit, "greater than"],
    [schema.exclusiveMaximum, (n, limit) => n < limit, "less than"],
  ];
  if (typeof value === "string") return wrongText(schema, value, path);
  if (typeof value !== "number") return [];
  if (schema.multipleOf !== undefined && !isMultiple(value, schema.multipleOf))
    return [finding("LTX6003", path, `${nameOf(path)} must be a multiple of ${schema.multipleOf}, not ${value}`)];
  // Beyond this, neighbouring whole numbers are one and the same here: a seed would silently be another one.
  if (typesOf(schema).includes("integer") && !Number.isSafeInteger(value))
    return [finding("LTX6003", path, `${nameOf(path)} must have at most 15 digits, not ${value}`)];
  return limits.flatMap(([limit, holds, words]) =>
    limit === undefined || holds(value, limit)
      ? []
      : [finding("LTX6003", path, `${nameOf(path)} must be ${words} ${limit}, not ${value}`)],
  );
}

function wrongText({ pattern, minLength = 0, maxLength = Infinity }: Schema, value: string, path: Path): Finding[] {
  const { length } = [...value];
  const wrong = (wanted: string) => [finding("LTX6003", path, `${nameOf(path)} must ${wanted}`)];
  if (length < minLength) return wrong(minLength === 1 ? "not be empty" : `have at least ${minLength} characters`);
  if (length > maxLength) return wrong(`have at most ${maxLength} characters`);
  return pattern === undefined || matches(value, pattern)
    ? []
    : wrong(`match the pattern \`${pattern}\`, and ${show(value)} does not`);
}

function conformList(schema: Schema, list: readonly unknown[], path: Path, findings: Finding[]): unknown {
  const { items, minItems = 0, maxItems = Infinity } = schema;
  if (list.length < minItems || list.length > maxItems) {
    const wanted =
      minItems === maxItems ? `${minItems}` : list.length < minItems ? `at least ${minItems}` : `at most ${maxItems}`;
    findings.push(finding("LTX6003", path, `${nameOf(path)} must have ${wanted} entries, not ${list.length}`));
  }
  if (schema.uniqueItems === true && new Set(list).size < list.length)
    findings.push(finding("LTX6003", path, `${nameOf(path)} has the same entry twice`, "remove one of them"));
  return items === undefined ? list : list.map((item, i) => conform(items, item, [...path, i], findings));
}

function conformFields(general: Schema, fields: Fields, path: Path, findings: Finding[]): Fields {
  const schema = withCases(general, fields);
  const { properties = {}, required = [], additionalProperties } = schema;
  const ofOthers = typeof additionalProperties === "object" ? additionalProperties : undefined;
  findings.push(...unknownKeys(schema, fields, path));
  for (const key of required.filter((key) => fields[key] === undefined)) {
    const missing = finding("LTX6004", path, `${nameOf([...path, key])} is missing`, `write \`${key}:\` and its value`);
    findings.push({ ...missing, missing: key });
  }
  const entries = Object.keys({ ...properties, ...fields }).flatMap((key) => {
    const property = Object.hasOwn(properties, key) ? properties[key] : ofOthers;
    const value = Object.hasOwn(fields, key) ? fields[key] : property?.default;
    if (value === undefined) return [];
    return [[key, property === undefined ? value : conform(property, value, [...path, key], findings)] as const];
  });
  return Object.fromEntries(entries);
}

/** The schema with that of the case that the fields are, where it tells cases apart. */
function withCases(schema: Schema, fields: Fields): Schema {
  const chosen = (schema.allOf ?? []).filter(({ if: condition }) => holds(condition, fields)).map(({ then }) => then);
  return chosen.reduce(
    (all, { properties, required = [], ...rest }) => ({
      ...all,
      ...rest,
      properties: { ...properties, ...all.properties },
      required: [...(all.required ?? []), ...required],
    }),
    schema,
  );
}

function holds({ properties = {}, required = [] }: Schema, fields: Fields): boolean {
  const isSo = ([key, { const: value }]: readonly [string, Schema]) => {
    return Object.hasOwn(fields, key) ? fields[key] === value : !required.includes(key);
  };
  return Object.entries(properties).every(isSo);
}

function unknownKeys({ properties = {}, additionalProperties = true }: Schema, fields: Fields, path: Path): Finding[] {
  if (additionalProperties !== false) return [];
  const known = Object.keys(properties);
  return Object.keys(fields)
    .filter((key) => !Object.hasOwn(properties, key))
    .map((key) => {
      const similar = suggest(key, known);
      const help = didYouMean(key, known) ?? `known here: ${known.join(", ")}`;
      const place = path.length === 0 ? "" : ` in ${nameOf(path)}`;
      const near = similar === null ? {} : { near: similar };
      return { ...finding("LTX6001", [...path, key], `there is no setting \`${key}\`${place}`, help), ...near };
    });
}
