/** How small things are written in Python: texts, comments and docstrings. */
import { escapeControls } from "../../../runtime/escape.ts";
import { atom, type Code } from "./code.ts";
import { WIDTH } from "./layout.ts";

/** A number as Python writes it. */
export function number(value: number): Code {
  return atom(String(value));
}

const spaces = (count: number): string => " ".repeat(count);

/** `text` on one line, without what could end a comment. */
const flattened = (value: string): string => escapeControls(value.replace(/\s+/g, " ")).trim();

/** Words laid out in lines that are not wider than `width`; a longer word gets a line of its own. */
function wrap(value: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of value.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** `inner`: spaces in front of each of its lines, behind the `#`. */
export function comment(value: string, indent: number, inner = 0): string {
  const lines = wrap(flattened(value), WIDTH - indent - 2 - inner);
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
