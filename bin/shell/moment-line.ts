/** A line on the terminal that shows only the moment, such as how long a command will still take. */
import { control } from "./color.ts";
import type { Session } from "./session.ts";

/** Milliseconds between two drawings. */
const REDRAW = 200;

export interface MomentLine {
  /** Draws `text`, which is only made if it is time to draw; nothing without a terminal or with `--quiet`. */
  show(text: () => string): void;
  /** Removes the line. */
  clear(): void;
}

export function createMomentLine({ io, quiet }: Session): MomentLine {
  const columns = io.columns.err;
  let [drawn, isDrawn] = [-Infinity, false];
  return {
    show(text) {
      const now = performance.now();
      if (columns === null || quiet || now - drawn < REDRAW || io.isBehind()) return;
      [drawn, isDrawn] = [now, true];
      io.err(`${control("G")}${text().slice(0, columns - 1)}${control("K")}`);
    },
    clear() {
      if (isDrawn) io.err(control("G") + control("K"));
      isDrawn = false;
    },
  };
}
