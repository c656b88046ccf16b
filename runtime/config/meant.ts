/** What is meant by a value that a setting does not take, as far as the value alone tells. */
import type { Finding } from "../findings.ts";
import { didYouMean } from "../nearest-word.ts";
import { typesOf, type Schema } from "./schema.ts";

type Advice = Pick<Finding, "help" | "rewrites" | "asText">;

/** Advice for the `value` that stands at `path` and does not fit the schema; empty where nothing is likely. */
export function meant(schema: Schema, value: unknown, path: Finding["path"]): Advice {
  const types = typesOf(schema);
  if (schema.enum !== undefined) return meantChoice(schema.enum, value, path);
  if (value === null) return meantNothing(types);
  if (typeof value === "string" && (types.includes("number") || types.includes("integer")))
    return written(path, numberIn(value, types.includes("integer")));
  if (typeof value === "string" && types.includes("array")) return written(path, listIn(schema, value));
  if (types.includes("string") && isBraced(value)) return { help: inQuotes(Object.keys(value)) };
  const isRead = typeof value === "boolean" || typeof value === "number";
  // Numbers may be texts, too, as the official trainer reads them; a value that is no such number stays wrong in quotes.
  const isText = types.includes("string") && !types.includes("number") && !types.includes("integer");
  return isRead && isText ? asText : {};
}

/** `{date}` without quotes is a mapping whose values are nothing. */
function isBraced(value: unknown): value is Readonly<Record<string, null>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const values: readonly unknown[] = Object.values(value);
  return values.length > 0 && values.every((each) => each === null);
}

const inQuotes = (keys: readonly string[]): string =>
  `put it in quotes: \`"{${keys.join(", ")}}"\`; YAML reads braces at the beginning of a value as a mapping`;

/** `no`, `010` and `12` are text only in quotes. */
const asText: Advice = {
  help: "put it in quotes if it is text: YAML reads words such as `no`, `on` and `yes` as true or false, and digits as a number",
  asText: true,
};

function meantNothing(types: readonly string[]): Advice {
  if (types.includes("object"))
    return { help: "write its settings below it, indented by two spaces, or remove the line" };
  const help = "YAML reads `~` alone, `null` and an empty value as nothing";
  return { help: `write a ${types.includes("string") ? "text" : "value"}, or leave the line out; ${help}` };
}

/** How YAML 1.1 reads words that are among the choices of a setting. */
const readAs = new Map<unknown, readonly string[]>([
  [false, ["no", "off", "false"]],
  [true, ["yes", "on", "true"]],
  [null, ["null"]],
]);

function meantChoice(choices: readonly unknown[], value: unknown, path: Finding["path"]): Advice {
  const quoted = (readAs.get(value) ?? []).filter((word) => choices.includes(word));
  const [only] = quoted;
  if (quoted.length === 1 && only !== undefined) {
    const help = `write \`"${only}"\` in quotes: without them YAML reads \`no\` and \`off\` as false, \`yes\` and \`on\` as true`;
    return { ...written(path, only), help };
  }
  const texts = choices.filter((choice): choice is string => typeof choice === "string");
  const help = typeof value === "string" ? didYouMean(value, texts) : null;
  return help === null ? {} : { help };
}

function written(path: Finding["path"], value: unknown): Advice {
  const key = path.at(-1);
  if (value === null) return {};
  const text = Array.isArray(value) ? `[${value.join(", ")}]` : String(value);
  const help = Array.isArray(value) ? `write a list: \`${text}\`` : `write \`${text}\``;
  return typeof key === "string" ? { help, rewrites: [{ path, entries: { [key]: value } }] } : { help };
}

/** Ways to write numbers that YAML does not know, and what they are; those with a comma alone are decimals, so never of counts. */
const numberForms: readonly (readonly [form: RegExp, read: (parts: RegExpExecArray) => number])[] = [
  [/^[-+]?\d{1,3}(?:['’ ]\d{3})+$/, ([all]) => Number(all.replaceAll(/['’ ]/g, ""))],
  [
    /^([-+]?\d*\.?\d+)\s*[*x×·]?\s*10\s*(?:\^|\*\*)\s*\(?([-+]?\d+)\)?$/,
    ([, digits, exponent]) => Number(`${digits}e${exponent}`),
  ],
  [/^(\d+(?:\.\d+)?)\s*k$/, ([, digits]) => Number(digits) * 1000],
  [/^([-+]?\d+(?:\.\d+)?)\s*(?:steps?|fps|frames?|samples?|gpus?)$/, ([, digits]) => Number(digits)],
  [/^(\d+(?:\.\d+)?)\s*%$/, ([, digits]) => Number(digits) / 100],
];

/** Numbers as people write them elsewhere: `2,000`, `1*10^-4`, `2k`, `0,5`, `24 fps`; null for other text. */
function numberIn(text: string, isInteger: boolean): number | null {
  const plain = text.trim().toLowerCase();
  const comma = isInteger ? /^\d{1,3}(,\d{3})+$/ : /^[-+]?\d+,\d+$/;
  if (comma.test(plain)) return Number(plain.replaceAll(",", isInteger ? "" : "."));
  for (const [form, read] of numberForms) {
    const parts = form.exec(plain);
    const value = parts === null ? NaN : read(parts);
    if (Number.isFinite(value) && (!isInteger || Number.isInteger(value))) return value;
  }
  return null;
}

/** The entries of a list that is written as one text: `to_q, to_k`. */
function listIn({ items }: Schema, text: string): readonly unknown[] | null {
  const parts = text
    .replaceAll(/^\s*[([]|[)\]]\s*$/g, "")
    .split(/\s*[,;]\s*|\s+/)
    .filter((part) => part !== "");
  const types = items === undefined ? ["string"] : typesOf(items);
  if (parts.length === 0 || types.includes("object")) return null;
  if (!types.includes("number") && !types.includes("integer")) return parts;
  const numbers = parts.map(Number);
  return numbers.every(Number.isFinite) ? numbers : null;
}
