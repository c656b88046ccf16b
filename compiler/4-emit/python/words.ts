/** How small things are written in Python: texts, comments and docstrings. */
import { escapeControls } from "../../../runtime/escape.ts";
import { atom, list, textLiteral, type Code } from "./code.ts";
import { WIDTH } from "./layout.ts";

/** A number as Python writes it. */
export function number(value: number): Code {
  return atom(String(value));
}

/** A value of JSON in Python. */
export function constant(value: unknown): Code {
  if (Array.isArray(value)) return list(value.map(constant));
  if (typeof value === "boolean") return atom(value ? "True" : "False");
  return typeof value === "string" ? textLiteral(value) : atom(String(value));
}

const spaces = (count: number): string => " ".repeat(count);

/** `text` on one line, without what could end a comment. */
const flattened = (value: string): string => escapeControls(value.replace(/\s+/g, " ")).trim();

/** Words laid out in lines that are not wider than `width`, with `space` in between; a longer word gets a line of its own. */
function wrap(value: string, width: number, space = " "): string[] {
  const lines: string[] = [];
  for (const word of value.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + space.length + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last}${space}${word}`;
  }
  return lines;
}

/** In front of what a long expression without spaces may go on with on the next line; links stay whole. */
const breakable = (value: string, width: number): string =>
  value.replace(/\S+/g, (word) => {
    if (word.length <= width || word.includes("://")) return word;
    return wrap(word.replace(/(?<=[,(*/+<>=-])(?=[^,(*/+<>=-])/g, " "), width, "").join(" ");
  });

/** `inner`: spaces in front of each of its lines, behind the `#`. */
export function comment(value: string, indent: number, inner = 0): string {
  const width = WIDTH - indent - 2 - inner;
  const lines = wrap(breakable(flattened(value), width), width);
  return lines.map((line) => `${spaces(indent)}# ${spaces(inner)}${line}`).join("\n");
}

/** Paragraphs as a docstring; lines that begin with a space stay as they are. */
export function docstring(paragraphs: readonly string[], indent: number): string {
  const escaped = paragraphs.map((each) => each.replaceAll("\\", "\\\\").replaceAll('"""', '\\"\\"\\"'));
  const [only = ""] = escaped;
  const one = `${spaces(indent)}"""${flattened(only)}"""`;
  if (escaped.length === 1 && one.length <= WIDTH && !only.endsWith('"')) return one;
  const blocks = escaped.map((each) =>
    (each.startsWith(" ") ? each.split("\n") : wrap(flattened(each), WIDTH - indent))
      .map((line) => (line === "" ? "" : `${spaces(indent)}${line}`))
      .join("\n"),
  );
  return `${spaces(indent)}"""\n${blocks.join("\n\n")}\n${spaces(indent)}"""`;
}
