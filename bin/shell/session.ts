import { colors, type Colors } from "./color.ts";
import type { Io } from "./io.ts";

/** What every command gets in addition to its own arguments: input and output, and the global options. */
export interface Session {
  readonly io: Io;
  /** Machine-readable results on stdout. */
  readonly json: boolean;
  /** Results and findings only: no progress, no advice. */
  readonly quiet: boolean;
  /** Whether text on stdout and stderr is coloured. */
  readonly color: { readonly out: boolean; readonly err: boolean };
}

/** Colours for text on stdout. */
export function paint(session: Session): Colors {
  return colors(session.color.out);
}

/** Prints a line for people; nothing with `--quiet` or `--json`. */
export function say(session: Session, line = ""): void {
  if (!session.quiet && !session.json) session.io.out(`${line}\n`);
}

/** Prints one JSON value on a line of its own. */
export function sayJson(session: Session, value: unknown): void {
  session.io.out(`${JSON.stringify(value)}\n`);
}
