/** A model with many equal blocks is planned by recording a few of them: which, and how their numbers follow from those. */
import { hasBlock, type BlockRanges } from "../block-ranges.ts";
import { loraOf } from "../config/index.ts";
import type { RunConfig } from "../config/run-config.ts";

/** With many equal blocks, only these numbers of them are recorded; the rest is extrapolated from the difference. */
const [FEW, MORE] = [2, 3];

/**
 * How many blocks there are of each kind: frozen ones before the first with adapters, through which no gradient flows; those with adapters;
 * frozen ones behind the first. Without a choice of blocks all are of the second kind.
 */
export type BlockCounts = readonly [before: number, adapted: number, behind: number];

export function countBlocks(layers: number, ranges: BlockRanges | null): BlockCounts {
  if (ranges === null) return [0, layers, 0];
  const blocks = Array.from({ length: layers }, (_, block) => hasBlock(ranges, block));
  const before = Math.max(0, blocks.indexOf(true));
  const adapted = blocks.filter(Boolean).length;
  return [before, adapted, layers - before - adapted];
}

/**
 * The run with so many blocks of each kind, in their order. Where its last block has adapters, so it is here: the most memory is taken when
 * the backward pass begins, at the last block.
 */
export function withCounts(config: RunConfig, [before, adapted, behind]: BlockCounts, layers: number): RunConfig {
  const ranges = loraOf(config)?.blocks ?? null;
  if (ranges === null) return config;
  const isEnd = hasBlock(ranges, layers - 1) && adapted > 1;
  const last = before + adapted + behind - 1;
  const blocks = isEnd ? [`${before}-${before + adapted - 2}`, last] : [`${before}-${before + adapted - 1}`];
  return { ...config, runtime: { ...config.runtime, lora: { blocks } } };
}

/** What is recorded: a model of few blocks, and for each kind of which there are many one with more of them. */
export function toRecord(counts: BlockCounts): { readonly few: BlockCounts; readonly more: readonly BlockCounts[] } {
  const few = counts.map((count) => (count <= MORE ? count : FEW)) as unknown as BlockCounts;
  const more = counts.flatMap((count, kind) =>
    count <= MORE ? [] : [few.map((own, i) => (i === kind ? MORE : own)) as unknown as BlockCounts],
  );
  return { few, more };
}

type Numbers = Readonly<Record<string, number>>;

/** The numbers for all blocks, each more of a kind as much as those between the two that were recorded. */
export function extrapolated<Parts extends object>(
  counts: BlockCounts,
  few: Parts,
  more: readonly { readonly counts: BlockCounts; readonly parts: Parts }[],
): Parts {
  const result: Record<string, number> = { ...(few as Numbers) };
  for (const { counts: own, parts } of more) {
    const kind = own.findIndex((count, i) => count === MORE && (counts[i] ?? 0) > MORE);
    for (const [key, x] of Object.entries(few as Numbers)) {
      const perBlock = (((parts as Numbers)[key] ?? 0) - x) / (MORE - FEW);
      result[key] = (result[key] ?? 0) + perBlock * ((counts[kind] ?? 0) - FEW);
    }
  }
  return result as Parts;
}
