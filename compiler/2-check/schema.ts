/**
 * Checks a strategy's YAML against its JSON Schema and says what is wrong in the user's terms. `npm run generate` compiles the
 * validator, so nothing is compiled at start-up.
 */
import type { Bag } from "../diagnostics/bag.ts";
import { slipOf } from "../diagnostics/did-you-mean.ts";
import { nodeAt, toPlain, type Place, type YamlNode } from "../1-parse/tree.ts";
import { foreignKey } from "./foreign-keys.ts";
import { explain, type Schema, type SchemaError } from "./schema-messages.ts";
import { schema, validate } from "./schema-strategy.generated.ts";

/** The generated validator: false leaves the findings in `errors`. */
interface Validate {
  (data: unknown): boolean;
  errors?: readonly SchemaError[] | null;
}

const strategySchema: Schema = schema;
const isValid = validate as Validate;

/** More than anybody reads; to explain each of ten thousand unknown keys takes seconds. */
const maxErrors = 1000;

/** Reports everything in which a strategy differs from the schema, the first thousand differences at most. */
export function validateStrategy(root: YamlNode, bag: Bag): void {
  const errors = isValid(toPlain(root)) ? [] : (isValid.errors ?? []);
  for (const error of errors.filter((each) => !isNoise(each)).slice(0, maxErrors)) {
    const path = pointerSteps(error.instancePath);
    const place = nodeAt(root, path);
    if (error.keyword === "required" && isRenamed(String(error.params["missingProperty"]), path, place.node)) continue;
    if (place.node.kind === "scalar" && place.node.broken) continue;
    const parent = parentSchema(strategySchema, error.schemaPath);
    const { code, message, details } = explain({ error, place, path, root, schema: strategySchema, parent });
    bag.error(code, spanOf(root, place, error), message, details);
  }
}

/** Whether a missing key is there misspelled, or under a name of another format, which is reported itself. */
function isRenamed(missing: string, path: readonly string[], node: YamlNode): boolean {
  const keys = node.kind === "mapping" ? node.entries.map(({ key }) => key) : [];
  return keys.some(
    (key) => foreignKey(path, key)?.startsWith(`write \`${missing}:`) === true || slipOf(key, [missing]) !== null,
  );
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
