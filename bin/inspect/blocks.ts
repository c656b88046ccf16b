/** Values on a grid as rows of characters; a grid that is too large is drawn smaller. */
import type { TokenMap } from "./maps.ts";

/** For 0, then for thirds between 0 and 1, then for 1. */
const shades = ["·", "░", "▒", "▓", "█"] as const;

/** A character for a number in [0, 1]: only 0 is empty and only 1 is full. */
export function shade(value: number): string {
  if (Number.isNaN(value)) return "?";
  if (value <= 0 || value >= 1) return value <= 0 ? shades[0] : shades[4];
  return shades[Math.min(3, 1 + Math.floor(value * 3))] ?? "?";
}

/** Successive frames that look the same. */
export interface Run {
  readonly first: number;
  readonly last: number;
  readonly lines: readonly string[];
}

/** The range that is drawn: 0 to 1 for masks and for numbers in [0, 1], otherwise up to the largest number. */
export function scaleOf({ kind, min, max }: TokenMap): { readonly low: number; readonly high: number } {
  if (kind === "mask" || (min >= 0 && max <= 1)) return { low: 0, high: 1 };
  return { low: Math.min(0, min), high: max > 0 ? max : 1 };
}

/** `cells` latent cells along each side of a character; a cell may take two characters, which makes it about square. */
export function runsOf(map: TokenMap, cells: number, characters: number): readonly Run[] {
  const { frames } = map.grid;
  const runs: { first: number; last: number; lines: readonly string[] }[] = [];
  for (let frame = 0; frame < frames; frame++) {
    const lines = linesOf(map, frame, cells, characters);
    const previous = runs.at(-1);
    if (previous !== undefined && previous.lines.join("\n") === lines.join("\n")) previous.last = frame;
    else runs.push({ first: frame, last: frame, lines });
  }
  return runs;
}

function linesOf(map: TokenMap, frame: number, cells: number, characters: number): string[] {
  const { height, width } = map.grid;
  const { low, high } = scaleOf(map);
  return Array.from({ length: Math.ceil(height / cells) }, (_, y) =>
    Array.from({ length: Math.ceil(width / cells) }, (_, x) => {
      const mean = meanOf(map, frame, { top: y * cells, left: x * cells, cells });
      return shade((mean - low) / (high - low)).repeat(characters);
    }).join(""),
  );
}

function meanOf(
  { grid, data }: TokenMap,
  frame: number,
  { top, left, cells }: { top: number; left: number; cells: number },
): number {
  let [sum, count] = [0, 0];
  for (let row = top; row < Math.min(top + cells, grid.height); row++) {
    for (let column = left; column < Math.min(left + cells, grid.width); column++) {
      sum += data[(frame * grid.height + row) * grid.width + column] ?? NaN;
      count++;
    }
  }
  return sum / count;
}
