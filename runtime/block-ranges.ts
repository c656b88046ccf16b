/** Blocks of a model as users write them: `24-47`, `"0-3, 40-47"`, `7`, or a list of such. The first block is 0, and ranges hold their ends. */

/** First and last block of each part, as they were written. */
export type BlockRanges = readonly (readonly [number, number])[];

/** Why a text names no blocks, and what to write. */
interface Unreadable {
  readonly message: string;
  readonly help: string;
}

const EXAMPLES = "write a block such as `7`, a range such as `24-47`, or several, `0-3, 40-47`; the first block is 0";

/** The ranges in what a run config has. */
export function blockRanges(written: unknown): BlockRanges | Unreadable {
  const parts: readonly unknown[] = Array.isArray(written) ? written : [written];
  const texts = parts.flatMap(textsOf).map((text) => text.trim());
  const read: (readonly [number, number])[] = [];
  for (const text of texts) {
    const [, first, last = first] = /^(\d{1,6})(?:\s*-\s*(\d{1,6}))?$/.exec(text) ?? [];
    if (first === undefined) return unreadable(text);
    const [from, to] = [Number(first), Number(last)];
    if (to < from) return { message: `\`${text}\` ends before it begins`, help: `write \`${to}-${from}\`` };
    read.push([from, to]);
  }
  return read.length === 0 ? unreadable("") : read;
}

const textsOf = (part: unknown): string[] =>
  typeof part === "string" ? part.split(",") : [JSON.stringify(part) ?? ""];

export const isUnreadable = (x: BlockRanges | Unreadable): x is Unreadable => "message" in x;

function unreadable(text: string): Unreadable {
  const message = text === "" ? "no block is named" : `\`${text}\` is neither a block nor a range of blocks`;
  return { message, help: EXAMPLES };
}

export const hasBlock = (ranges: BlockRanges, block: number): boolean =>
  ranges.some(([first, last]) => first <= block && block <= last);

/** `0-3, 40-47`: ranges in order, those that meet or overlap as one. */
export function rangesText(ranges: BlockRanges): string {
  const merged: [number, number][] = [];
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(", ");
}
