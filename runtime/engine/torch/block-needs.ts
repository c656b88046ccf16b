/** Which blocks of weights the calls of a graph need, so that each can be brought to the device when its turn comes. */
import type { Call } from "./calls.ts";
import type { Constant, Plan, PlannedOutput } from "./plan.ts";

/** Buffers on the device: one for the block that is computed with, one for the next. */
export const BUFFERS = 2;

/** A block's weights, by slot. */
interface Block {
  readonly name: string;
  readonly constants: ReadonlyMap<number, Constant>;
}

export interface BlockNeeds {
  /** In the order in which they are needed first: consecutive ones never share a buffer. */
  readonly blocks: readonly Block[];
  /** By call, the indices of the blocks that must be on the device while it runs; undefined for none. */
  readonly needs: readonly (readonly number[] | undefined)[];
  /** By call at which another block's turn begins, the block that comes after it; null after the last. */
  readonly next: ReadonlyMap<number, number | null>;
}

/** What is read of a plan. */
interface PlannedCalls extends Pick<Plan, "constants"> {
  readonly calls: readonly Pick<Call, "reads" | "writes" | "mayShare">[];
  readonly outputs: readonly Pick<PlannedOutput, "slot">[];
}

const none: ReadonlySet<number> = new Set();

/**
 * A value may lie in the memory of a weight, as a view of it, so whoever reads the value needs the weight's block. Weights that an output
 * may lie in, or that are needed together with those of a block that would have the same buffer, are left out: they stay on the device.
 */
export function blockNeeds(plan: PlannedCalls): BlockNeeds {
  const kept = new Set<number>();
  for (;;) {
    const found = needsWithout(plan, kept);
    if (!("crowded" in found)) return found;
    for (const slot of found.crowded) kept.add(slot);
  }
}

function blockOf({ bytes }: Constant): string | undefined {
  return bytes instanceof Uint8Array ? undefined : bytes.block;
}

function needsWithout(
  plan: PlannedCalls,
  kept: ReadonlySet<number>,
): BlockNeeds | { readonly crowded: ReadonlySet<number> } {
  const { reads, ofOutputs } = weightsRead(plan, kept);
  if (ofOutputs.size > 0) return { crowded: ofOutputs };
  const order = new Map<string, number>();
  const nameOf = (slot: number) => blockOf(plan.constants.get(slot) as Constant) ?? "";
  const needs = reads.map((slots) => {
    if (slots.size === 0) return undefined;
    const names = new Set([...slots].map(nameOf));
    for (const name of names) if (!order.has(name)) order.set(name, order.size);
    return [...names].map((name) => order.get(name) ?? -1);
  });
  const isCrowded = (list: readonly number[]) => new Set(list.map((i) => i % BUFFERS)).size < list.length;
  const crowded = needs.findIndex((list) => list !== undefined && isCrowded(list));
  if (crowded >= 0) return { crowded: reads[crowded] ?? none };
  const blocks = [...order.keys()].map((name): Block => {
    const own = [...plan.constants].filter(([slot, constant]) => !kept.has(slot) && blockOf(constant) === name);
    return { name, constants: new Map(own) };
  });
  return { blocks, needs, next: turnsOf(needs) };
}

/** By call, the slots of the weights in whose memory its operands may lie, and those in whose memory outputs may. */
function weightsRead(plan: PlannedCalls, kept: ReadonlySet<number>) {
  const memory = new Map<number, ReadonlySet<number>>();
  for (const [slot, constant] of plan.constants)
    if (!kept.has(slot) && blockOf(constant) !== undefined) memory.set(slot, new Set([slot]));
  const reads = plan.calls.map((call) => {
    const found = call.reads.map((slot) => memory.get(slot) ?? none).filter(({ size }) => size > 0);
    const all = found.length === 0 ? none : new Set(found.flatMap((slots) => [...slots]));
    if (call.mayShare && all.size > 0) for (const slot of call.writes) memory.set(slot, all);
    return all;
  });
  const ofOutputs = new Set(plan.outputs.flatMap(({ slot }) => [...(memory.get(slot) ?? none)]));
  return { reads, ofOutputs };
}

function turnsOf(needs: BlockNeeds["needs"]): Map<number, number | null> {
  const begins: { readonly call: number; readonly block: number }[] = [];
  let current = -1;
  needs.forEach((blocks, call) => {
    for (const block of blocks ?? []) if (block !== current) begins.push({ call, block: (current = block) });
  });
  return new Map(begins.map(({ call }, i) => [call, begins[i + 1]?.block ?? null]));
}
