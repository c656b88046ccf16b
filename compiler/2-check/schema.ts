/**
 * Checks a YAML document against a JSON Schema and says what is wrong in the user's terms.
 *
 * Validators are compiled by `npm run generate` (see scripts/generate.ts for how to add a schema), so nothing is compiled at
 * start-up. To check another document: generate its validator, wrap it with `validator(...)` and call
 * `validateDocument(root, itsValidator, bag)` with the tree of `parseYaml`. A schema's `title`s complete the sentence "this
 * must be ..."; alternatives are written as if/then/else, never as anyOf/oneOf.
 */
import type { Bag } from "../diagnostics/bag.ts";
import { nodeAt, toPlain, type Place, type YamlNode } from "../1-parse/tree.ts";
import { explain, type Schema, type SchemaError } from "./schema-messages.ts";
import { schema, validate } from "./schema-strategy.generated.ts";

/** A generated validator: false leaves the findings in `errors`. */
interface Validate {
  (data: unknown): boolean;
  errors?: readonly SchemaError[] | null;
}

export interface Validator {
  readonly schema: Schema;
  /** What the document is, for messages such as "this is no key of a strategy". */
  readonly subject: string;
  readonly errorsOf: (data: unknown) => readonly SchemaError[];
}

export function validator(schema: unknown, validate: unknown, subject: string): Validator {
  const run = validate as Validate;
  return {
    schema: schema as Schema,
    subject,
    errorsOf: (data) => (run(data) ? [] : [...(run.errors ?? [])]),
  };
}

export const strategyValidator: Validator = validator(schema, validate, "a strategy");

export interface ValidateOptions {
  /** Codes that this document does not report, for instance because its owner reports unknown keys itself. */
  readonly except?: readonly string[];
}

/** Reports everything in which the document differs from the schema; true where nothing does. */
export function validateDocument(
  root: YamlNode,
  { schema, subject, errorsOf }: Validator,
  bag: Bag,
  { except = [] }: ValidateOptions = {},
): boolean {
  const errors = errorsOf(toPlain(root)).filter((error) => !isNoise(error));
  for (const error of errors) {
    const path = pointerSteps(error.instancePath);
    const place = nodeAt(root, path);
    if (place.node.kind === "scalar" && place.node.broken) continue;
    const finding = explain({ error, place, path, subject, schema, parent: parentSchema(schema, error.schemaPath) });
    if (!except.includes(finding.code))
      bag.error(finding.code, spanOf(root, place, error), finding.message, finding.details);
  }
  return errors.length === 0;
}

/** `if` and `propertyNames` only repeat what the errors below them say. */
function isNoise({ keyword }: SchemaError): boolean {
  return keyword === "if" || keyword === "propertyNames";
}

/** `/sources/a~1b/0` -> `["sources", "a/b", "0"]` */
function pointerSteps(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The schema object that holds the keyword which failed. */
function parentSchema(schema: Schema, schemaPath: string): Schema {
  let found: unknown = schema;
  for (const step of pointerSteps(decodeURIComponent(schemaPath.replace(/^#/, ""))).slice(0, -1))
    found = typeof found === "object" && found !== null ? (found as Schema)[step] : undefined;
  return typeof found === "object" && found !== null ? (found as Schema) : {};
}

/** A wrong key is marked itself, a missing key at the key that should hold it, everything else at the value. */
function spanOf(root: YamlNode, place: Place, { keyword, params, propertyName }: SchemaError) {
  const key = propertyName ?? (keyword === "additionalProperties" ? params["additionalProperty"] : undefined);
  if (typeof key === "string") return nodeAt(place.node, [key]).keySpan ?? place.span;
  if (keyword === "false schema") return place.keySpan ?? place.span;
  const aboutContents = keyword === "required" || keyword.endsWith("Properties") || place.node.kind !== "scalar";
  if (aboutContents || place.span.start === place.span.end) return place.keySpan ?? firstKey(root, place);
  return place.span;
}

/** The top of a document, and an entry of a list, have no key of their own. */
function firstKey(root: YamlNode, place: Place) {
  const first = place.node.kind === "mapping" ? place.node.entries[0] : undefined;
  return first?.keySpan ?? (place.node === root ? { start: root.span.start, end: root.span.start } : place.span);
}
