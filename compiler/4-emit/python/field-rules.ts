/** The rules of a parameter's schema: as arguments of pydantic's `Field` where it has them, else as conditions of a method. */
import { call, list, named, quoted, textLiteral, type Code } from "./code.ts";
import { statement, WIDTH } from "./layout.ts";
import { inPython, isForPydantic } from "./patterns.ts";
import { comment, constant } from "./words.ts";

export type Schema = Readonly<Record<string, unknown>>;

const isNumber = ({ type }: Schema): boolean => type === "number" || type === "integer";
const isText = ({ type }: Schema): boolean => type === "string";
const isList = ({ type }: Schema): boolean => type === "array";

/** Texts of which only some are allowed have a type of their own, for which `Field` knows no rules. */
export const hasChoices = (schema: Schema): boolean => isText(schema) && Array.isArray(schema["enum"]);

type Rules = Readonly<Record<string, string>>;
const ofNumbers: Rules = { minimum: "ge", maximum: "le", exclusiveMinimum: "gt", exclusiveMaximum: "lt" };
const ofTexts: Rules = { minLength: "min_length", maxLength: "max_length" };
const ofLists: Rules = { minItems: "min_length", maxItems: "max_length" };

/** Arguments of `Field`. A rule for values of another type says nothing. */
export function fieldRules(schema: Schema): Code[] {
  const { pattern } = schema;
  const isPlainText = isText(schema) && !hasChoices(schema);
  const rules = isNumber(schema) ? ofNumbers : isList(schema) ? ofLists : isPlainText ? ofTexts : {};
  const known = Object.entries(rules).filter(([rule]) => rule in schema);
  return [
    ...known.map(([rule, own]) => named(own, limit(schema, rule))),
    ...(isPlainText && typeof pattern === "string" && isForPydantic(pattern)
      ? [named("pattern", quoted(pattern))]
      : []),
  ];
}

/** For whole numbers pydantic takes whole limits alone: `minimum: 1.5` is `ge=2`. */
function limit(schema: Schema, rule: string): string {
  const { type, [rule]: value } = schema;
  if (type !== "integer" || typeof value !== "number") return String(value);
  const isFromAbove = rule === "minimum" || rule === "exclusiveMaximum";
  return String(BigInt(isFromAbove ? Math.ceil(value) : Math.floor(value)));
}

/** A method `name` of the class that checks what `Field` cannot, after a blank line. */
export function validator(schema: Schema, field: string, name: string): string[] {
  const found = mistakes(schema);
  if (found.length === 0) return [];
  return [
    "",
    `    @field_validator(${quoted(field)})`,
    "    @classmethod",
    `    def ${name}(cls, value):`,
    ...found.flatMap(linesOf),
    "        return value",
  ];
}

/** What is wrong with a value that `Field` has no rule for, and what is said then. */
interface Mistake {
  /** Of `value`; null if Python has no words for it. */
  readonly condition: string | null;
  readonly message: string;
  /** The values that the condition calls `allowed`. */
  readonly allowed?: readonly unknown[];
}

function linesOf({ condition, message, allowed = [] }: Mistake): string[] {
  if (condition === null)
    return [comment(`It ${message}, which \`ltxc check\` looks at: Python has no such regular expressions.`, 8)];
  const values = list(allowed.map(constant));
  const short = `        if ${condition.replace("allowed", () => values.flat)}:`;
  return [
    ...(short.length <= WIDTH ? [short] : [statement("allowed = ", values, "", 8), `        if ${condition}:`]),
    statement("raise ", call("ValueError", [textLiteral(message)]), "", 12),
  ];
}

function mistakes(schema: Schema): Mistake[] {
  const { uniqueItems, items, minLength, maxLength, pattern } = schema;
  // Lists do not go into a set.
  const isTwice = isList((items ?? {}) as Schema)
    ? "any(value.count(item) > 1 for item in value)"
    : "len(set(value)) < len(value)";
  const twice = { condition: isTwice, message: "must not have an entry twice" };
  return [
    ...valueMistakes(schema, "value"),
    ...(hasChoices(schema) ? textMistakes({ minLength, maxLength, pattern }, "value") : []),
    ...(isText(schema) && !hasChoices(schema) && typeof pattern === "string" && !isForPydantic(pattern)
      ? textMistakes({ pattern }, "value")
      : []),
    ...(isList(schema) && uniqueItems === true ? [twice] : []),
    ...(isList(schema) && items !== undefined ? itemMistakes(items as Schema) : []),
  ];
}

/** Rules that `Field` has for no type. */
function valueMistakes(schema: Schema, value: string): Mistake[] {
  const { enum: allowed, multipleOf } = schema;
  const found: Mistake[] = [];
  if (Array.isArray(allowed) && !isText(schema)) {
    const words = allowed.map((each) => constant(each).flat).join(", ");
    found.push({ condition: `${value} not in allowed`, message: `must be one of ${words}`, allowed });
  }
  if (typeof multipleOf === "number" && isNumber(schema))
    found.push({
      condition: `not is_multiple(${value}, ${multipleOf})`,
      message: `must be a multiple of ${multipleOf}`,
    });
  return found;
}

function textMistakes({ minLength, maxLength, pattern }: Schema, value: string): Mistake[] {
  const found: Mistake[] = [];
  if (minLength !== undefined)
    found.push({
      condition: `len(${value}) < ${String(minLength)}`,
      message: `must have at least ${String(minLength)} characters`,
    });
  if (maxLength !== undefined)
    found.push({
      condition: `len(${value}) > ${String(maxLength)}`,
      message: `must have at most ${String(maxLength)} characters`,
    });
  if (typeof pattern === "string") {
    const own = inPython(pattern);
    const condition = own === null ? null : `not re.search(${quoted(own)}, ${value})`;
    found.push({ condition, message: `must match ${pattern}` });
  }
  return found;
}

const limits: Readonly<Record<string, readonly [sign: string, words: string]>> = {
  minimum: ["<", "at least"],
  maximum: [">", "at most"],
  exclusiveMinimum: ["<=", "above"],
  exclusiveMaximum: [">=", "below"],
};

function itemMistakes(items: Schema): Mistake[] {
  const known = Object.entries(limits).filter(([rule]) => isNumber(items) && rule in items);
  const beyond = known.map(([rule, [sign, words]]) => {
    const limit = String(items[rule]);
    return { condition: `item ${sign} ${limit}`, message: `must be ${words} ${limit}` };
  });
  const all = [...beyond, ...valueMistakes(items, "item"), ...(isText(items) ? textMistakes(items, "item") : [])];
  return all.map(({ condition, message, ...more }) => ({
    condition: condition === null ? null : `any(${condition} for item in value)`,
    message: `every entry ${message}`,
    ...more,
  }));
}
