import { entryOf } from "../../1-parse/tree.ts";
import type { ParamSyntax, StrategySyntax } from "../../1-parse/syntax.ts";
import { isMultiple, matches } from "../../../runtime/param-rules.ts";
import type { Details } from "../../diagnostics/bag.ts";
import { replacement } from "../../diagnostics/did-you-mean.ts";
import type { Span } from "../../source/span.ts";
import type { Report } from "../report.ts";
import { lengthIn } from "../units.ts";

/** A default that the parameter's own schema refuses would fail every run that does not set the parameter. */
export function paramDefaults(syntax: StrategySyntax, report: Report): void {
  for (const param of syntax.params) {
    if (!Object.hasOwn(param.schema, "default")) continue;
    const wrong = mismatch(param.schema["default"], param.schema);
    const place = entryOf(param.node, "default")?.value.span ?? param.node.span;
    if (wrong !== null)
      report.error("LTX5010", place, `the default of \`${param.name.text}\` ${wrong}`, detailsOf(param, place));
  }
}

/** A number or a boolean in quotes is meant without them; everything else only its author knows. */
function detailsOf({ schema }: ParamSyntax, place: Span): Details {
  const length = lengthIn(schema["default"]);
  const isNumber = schema["type"] === "number" || schema["type"] === "integer";
  const { unit } = schema;
  if (length !== null && isNumber && (unit !== undefined || length.unit !== "%")) {
    const { number } = length;
    const help =
      unit === undefined
        ? `the number stands alone, and its unit next to it: \`default: ${number}, unit: ${length.unit}\``
        : `write \`default: ${number}\`; what it counts is said by \`unit\``;
    return unit === length.unit ? { help, fix: replacement(place, number) } : { help };
  }
  const { default: value, description: _, ...rules } = schema;
  const meant = typeof value === "string" ? unquoted(value.trim(), schema["type"]) : null;
  if (meant !== null && mismatch(meant, schema) === null)
    return { help: `write \`default: ${String(meant)}\`, without quotes`, fix: replacement(place, String(meant)) };
  return { help: `its own rules are \`${JSON.stringify(rules)}\`; change one or the other` };
}

function unquoted(text: string, type: unknown): number | boolean | null {
  if (type === "boolean") return /^(true|false)$/i.test(text) ? text.toLowerCase() === "true" : null;
  if (type !== "number" && type !== "integer") return null;
  const share = /^(-?[\d.]+)\s*%$/.exec(text)?.[1];
  const number = share === undefined ? Number(text) : Number((Number(share) / 100).toPrecision(12));
  return text === "" || !Number.isFinite(number) ? null : number;
}

/** Why a value does not meet a schema fragment, or null. The fragment itself has been checked. */
function mismatch(value: unknown, schema: Readonly<Record<string, unknown>>): string | null {
  const { type, enum: choices, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, items } = schema;
  if (typeof type === "string" && !isOfType(value, type)) return `is no ${type}`;
  if (Array.isArray(choices) && !choices.includes(value))
    return `is none of ${choices.map((choice) => `\`${String(choice)}\``).join(", ")}`;
  if (typeof value === "number") {
    if (typeof minimum === "number" && value < minimum) return `is below the minimum ${minimum}`;
    if (typeof maximum === "number" && value > maximum) return `is above the maximum ${maximum}`;
    if (typeof exclusiveMinimum === "number" && value <= exclusiveMinimum) return `is not above ${exclusiveMinimum}`;
    if (typeof exclusiveMaximum === "number" && value >= exclusiveMaximum) return `is not below ${exclusiveMaximum}`;
    if (typeof multipleOf === "number" && !isMultiple(value, multipleOf)) return `is no multiple of ${multipleOf}`;
  }
  if (typeof value === "string") return textMismatch(value, schema);
  const wrongList = Array.isArray(value) ? listMismatch(value, schema) : null;
  if (wrongList !== null) return wrongList;
  if (Array.isArray(value) && typeof items === "object" && items !== null) {
    const wrong = value
      .map((item) => mismatch(item, items as Readonly<Record<string, unknown>>))
      .find((found) => found !== null);
    if (wrong !== undefined) return `has an item that ${wrong}`;
  }
  return null;
}

function textMismatch(
  value: string,
  { pattern, minLength, maxLength }: Readonly<Record<string, unknown>>,
): string | null {
  const { length } = [...value];
  if (typeof minLength === "number" && length < minLength) return `has fewer than ${minLength} characters`;
  if (typeof maxLength === "number" && length > maxLength) return `has more than ${maxLength} characters`;
  return typeof pattern === "string" && !matches(value, pattern) ? `does not match the pattern \`${pattern}\`` : null;
}

function listMismatch(
  value: readonly unknown[],
  { minItems, maxItems, uniqueItems }: Readonly<Record<string, unknown>>,
): string | null {
  if (typeof minItems === "number" && value.length < minItems) return `has fewer than ${minItems} entries`;
  if (typeof maxItems === "number" && value.length > maxItems) return `has more than ${maxItems} entries`;
  return uniqueItems === true && new Set(value).size < value.length ? "has the same entry twice" : null;
}

/** A type that does not exist is reported by the check of the structure. */
function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "number":
    case "boolean":
    case "string":
      return typeof value === type;
    default:
      return true;
  }
}
