/**
 * YAML 1.1 as PyYAML's safe loader reads it, for run configs: the official trainer reads them so, and a file must not mean two things.
 * Strategies are YAML 1.2. The scalars are those of https://yaml.org/type/, with PyYAML's two exceptions: `y` and `n` are text, and a
 * number with an exponent needs a point and the exponent's sign (`1e-4` is text, which a setting that wants a number takes as one).
 */
import type { Scalar, ScalarTag, Tags } from "yaml";
import type { Bag } from "../diagnostics/bag.ts";
import type { Span } from "../source/span.ts";

const type = (name: string): string => `tag:yaml.org,2002:${name}`;

const scalar = (name: string, test: RegExp, resolve: (text: string) => unknown): ScalarTag => ({
  tag: type(name),
  default: true,
  test,
  resolve,
});

const withoutUnderscores = (text: string): string => text.replaceAll("_", "");

/** `-` and digits of a base, as in `-0x1f` without its `0x`. */
function inBase(text: string, prefix: RegExp, base: number): number {
  const digits = withoutUnderscores(text).replace(/^[-+]/, "").replace(prefix, "");
  return sign(text) * Number.parseInt(digits, base);
}

const sign = (text: string): number => (text.startsWith("-") ? -1 : 1);

/** `1:30` is 90: places of base 60, of which the last may have a fraction. */
function sexagesimal(text: string): number {
  const places = withoutUnderscores(text).replace(/^[-+]/, "").split(":");
  return sign(text) * places.reduce((sum, place) => sum * 60 + Number(place), 0);
}

const decimal = (text: string): number => Number(withoutUnderscores(text));

/** For the option `customTags` of the reader, in addition to mappings, lists and text. */
export const yaml11Scalars: Tags = [
  scalar("null", /^(?:~|null|Null|NULL)?$/, () => null),
  scalar("bool", /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/, () => true),
  scalar("bool", /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/, () => false),
  scalar("int", /^[-+]?0b[0-1_]+$/, (text) => inBase(text, /^0b/, 2)),
  scalar("int", /^[-+]?0[0-7_]+$/, (text) => inBase(text, /^0/, 8)),
  scalar("int", /^[-+]?0x[0-9a-fA-F_]+$/, (text) => inBase(text, /^0x/, 16)),
  scalar("int", /^[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+$/, sexagesimal),
  scalar("int", /^[-+]?(?:0|[1-9][0-9_]*)$/, decimal),
  scalar("float", /^[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?$/, decimal),
  scalar("float", /^\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?$/, decimal),
  scalar("float", /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*$/, sexagesimal),
  scalar("float", /^[-+]?\.(?:inf|Inf|INF)$/, (text) => sign(text) * Infinity),
  scalar("float", /^\.(?:nan|NaN|NAN)$/, () => NaN),
];

/** Whether a plain number is another one than most people who write it mean: `010` is 8, `1:30` is 90. */
function isSurprising(raw: string, value: unknown): boolean {
  if (typeof value !== "number") return false;
  const decimal = withoutUnderscores(raw);
  return decimal.includes(":") || (/^[-+]?0\d+$/.test(decimal) && Number(decimal) !== value);
}

/** Whether PyYAML makes a date of a plain text; here it stays text. https://yaml.org/type/timestamp.html */
function isDate(raw: string): boolean {
  const time = String.raw`(?:[Tt]|[ \t]+)\d{1,2}:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?`;
  return new RegExp(String.raw`^(?:\d{4}-\d\d-\d\d|\d{4}-\d\d?-\d\d?${time})$`).test(raw);
}

/** Warns of a plain scalar that most people, or other readers, take for something else. */
export function warnOfSurprise({ source = "", value }: Scalar, span: Span, bag: Bag): void {
  if (isDate(source)) {
    const fix = { title: `write \`"${source}"\``, edits: [{ span, text: JSON.stringify(source) }] };
    const message = `\`${source}\` is a date to other readers of YAML 1.1, and the official trainer refuses it as text`;
    bag.warning("LTX6390", span, message, { help: "put it in quotes", fix });
  }
  if (!isSurprising(source, value)) return;
  const what = source.includes(":") ? "a number of base 60" : "an octal number";
  bag.warning("LTX6012", span, `\`${source}\` is ${what} in a run config: ${String(value)}`, {
    help: `write \`${String(value)}\`, or the number that you mean; in quotes if it is text`,
  });
}
