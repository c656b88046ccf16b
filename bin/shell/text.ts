import { isAbsolute, relative } from "node:path";
import { onOneLine } from "../../compiler/source/index.ts";

/** Breaks each paragraph of `text` into lines of at most `width` characters; longer words stay whole. */
export function wrap(text: string, width: number): string {
  return text
    .trim()
    .split(/\n\s*\n/)
    .map((paragraph) => wrapParagraph(paragraph, width))
    .join("\n\n");
}

function wrapParagraph(paragraph: string, width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of paragraph.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}

/** Rows as columns, each as wide as its widest cell; every cell on one line. */
export function table(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(onOneLine));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A number of bytes as people read it: 3.2 GiB. */
export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10));
  const value = count / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}

/** A measured rate as people read it: 9.3, 128. */
export const rate = (x: number): string => (x < 10 ? x.toPrecision(2) : x.toFixed(0));

/** A span of time as people read it: 4.2 s, 3 min 05 s, 2 h 14 min. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

/** A word as a shell reads it back: in quotes where it holds more than letters, digits and harmless signs. */
export function shellWord(text: string): string {
  return /^[\w./=,:+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A path as people see it: relative to the working folder where it lies below. */
export function shownPath({ cwd }: { readonly cwd: string }, path: string): string {
  const inner = relative(cwd, path);
  return onOneLine(inner === "" || inner.startsWith("..") || isAbsolute(inner) ? path : inner);
}
