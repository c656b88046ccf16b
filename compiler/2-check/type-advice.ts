/** What to write in place of a value of another type than the one that is asked for. */
import type { Fix } from "../diagnostics/diagnostic.ts";
import { replacement } from "../diagnostics/did-you-mean.ts";
import type { YamlNode } from "../1-parse/tree.ts";
import { lengthIn } from "./units.ts";

/** The same value in the spelling that YAML reads as the type that is asked for. */
export function typeFix(types: readonly string[], node: YamlNode): Fix | null {
  if (node.kind !== "scalar" || node.value === null || node.broken || node.text.includes("\n")) return null;
  const { text, span } = node;
  const isNumber = types.includes("number") || types.includes("integer");
  if (isNumber && typeof node.value === "string" && isNumeric(text) && !text.includes(","))
    return replacement(span, plainNumber(text));
  if (types.includes("boolean") && /^(yes|on|true)$/i.test(text)) return replacement(span, "true");
  if (types.includes("boolean") && /^(no|off|false)$/i.test(text)) return replacement(span, "false");
  if (types.includes("string") && typeof node.value !== "string") return replacement(span, `"${text}"`);
  return null;
}

/** In words, null where nothing is known of what is meant. */
export function typeHelp(types: readonly string[], node: YamlNode): string | null {
  if (node.kind === "mapping" && types.includes("string"))
    return "put the value in quotes if it contains `: ` or begins with `{`";
  if (node.kind !== "scalar")
    return types.includes("array") ? "write each entry on a line of its own behind `- `" : null;
  if (node.value === null) return "write a value, or remove the key";
  if (types.includes("object")) return "write `name: …` entries on lines of their own below it, indented";
  const isNumber = types.includes("number") || types.includes("integer");
  if (isNumber && typeof node.value === "string" && isNumeric(node.text))
    return node.quoted ? `write ${node.text.trim()} without quotes` : `write ${plainNumber(node.text)}`;
  const length = isNumber ? lengthIn(node.text) : null;
  if (length !== null)
    return length.unit === "%"
      ? `write ${Number((Number(length.number) / 100).toPrecision(12))}`
      : `write ${length.number}, without a unit`;
  if (isNumber && /^(\$\{.*\}|[A-Za-z_]\w*)$/.test(node.text))
    return "write the number itself: parameters and expressions cannot stand here";
  if (types.includes("boolean") && /^(y|yes|on)$/i.test(node.text)) return "write `true`";
  if (types.includes("boolean") && /^(n|no|off)$/i.test(node.text)) return "write `false`";
  if (types.includes("boolean") && /^(true|false)$/.test(node.text)) return `write ${node.text} without quotes`;
  if (types.includes("string")) return `put it in quotes: "${node.text}"`;
  if (types.includes("array")) return `write a list: [${node.text}]`;
  return null;
}

function isNumeric(text: string): boolean {
  return text.trim() !== "" && Number.isFinite(Number(plainNumber(text)));
}

/** Digits are not grouped, and the decimal sign is a point. */
function plainNumber(text: string): string {
  return text
    .trim()
    .replaceAll("_", "")
    .replace(/^(\d+),(\d+)$/, "$1.$2");
}
