import { randomUUID } from "node:crypto";
import picocolors from "picocolors";
import { escapeControls } from "../../compiler/source/index.ts";

export type ColorChoice = "auto" | "always" | "never";
export type Colors = ReturnType<typeof picocolors.createColors>;

/** `--color` decides; on `auto` NO_COLOR and FORCE_COLOR do (no-color.org, force-color.org), else whether `isTerminal`. */
export function wantsColor(
  choice: ColorChoice,
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  if (choice !== "auto") return choice === "always";
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"]) return env["FORCE_COLOR"] !== "0";
  return isTerminal && env["TERM"] !== "dumb";
}

/**
 * Stands for the beginning of an escape sequence that ltxc itself wrote. No text of a file can hold it, since it is another one in each
 * process; so texts of files need no care until they are printed.
 */
const mark = `\x1b${randomUUID()}[`;

/** What a terminal gets: our own escape sequences, and everything else that could steer it written out. */
export function forTerminal(text: string): string {
  return text.split(mark).map(escapeControls).join("\x1b[");
}

/** An escape sequence without its beginning, such as `2A`: cursor up two lines. */
export const control = (sequence: string): string => mark + sequence;

/** Colours for what is printed by way of `forTerminal`. */
export function colors(enabled: boolean): Colors {
  const plain = picocolors.createColors(enabled);
  if (!enabled) return plain;
  const painted = Object.entries(plain).map(([name, paint]) => [
    name,
    typeof paint === "function" ? (text: unknown) => marked(paint(escaped(String(text)))) : paint,
  ]);
  return Object.fromEntries(painted) as Colors;
}

const escaped = (text: string): string => text.split(mark).map(escapeControls).join(mark);
const marked = (text: string): string => text.replaceAll("\x1b[", mark);
