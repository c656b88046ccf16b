import type { Plan, PlannedOutput } from "./plan.ts";
import type { BlockStream } from "./block-stream.ts";
import type { Slots } from "./dispatch.ts";
import { TorchError, type Handle, type Torch } from "./library.ts";
import { byteSize } from "../../graph/graph.ts";

/**
 * Runs the calls of a plan. Its results belong to the caller; inputs and constants stay theirs. If a call fails, everything that was made
 * until then is freed.
 * @param slots as many as the plan has, all zero but the constants
 * @param blocks brings weights to the device that do not lie there all the time; null where all do
 * @throws TorchError that begins with the node: `node NAME: reason`
 */
export function runPlan(
  torch: Torch,
  plan: Plan,
  slots: Slots,
  feeds: readonly Handle[],
  blocks: BlockStream | null = null,
): Handle[] {
  plan.inputs.forEach((slot, i) => (slots[slot] = feeds[i] ?? 0));
  const results: Handle[] = [];
  const { runs, frees, freesEnd } = plan.loop;
  let call = 0;
  try {
    for (let freed = 0; call < runs.length; call++) {
      blocks?.before(call);
      (runs[call] as (typeof runs)[number])(slots);
      for (const end = freesEnd[call] as number; freed < end; freed++) {
        const slot = frees[freed] as number;
        torch.drop(slots[slot] as number);
        slots[slot] = 0;
      }
    }
    for (const output of plan.outputs) results.push(resultOf(torch, slots, output));
    // What outputs were copied from.
    for (const { slot } of plan.outputs) freeUnlessGiven(torch, plan, slots, slot);
    return results;
  } catch (error) {
    for (const x of results) torch.drop(x);
    for (const { writes } of plan.calls) for (const slot of writes) freeUnlessGiven(torch, plan, slots, slot);
    const node = (plan.calls[call] ?? plan.calls.at(-1))?.node ?? "";
    throw error instanceof TorchError ? new TorchError(`node ${node}: ${error.message}`) : error;
  } finally {
    for (const slot of plan.inputs) slots[slot] = 0;
  }
}

/**
 * A view is copied if it is a part of larger memory, which would live as long. What is not in row-major order is copied as well: graphs
 * count on it for what they are given.
 */
function resultOf(torch: Torch, slots: Slots, { slot, shape, dtype, isShared, isView }: PlannedOutput): Handle {
  const x = slots[slot] ?? 0;
  if ((isView && torch.storageSize(x) > byteSize({ shape, dtype })) || !torch.isRowMajor(x)) {
    const copy = torch.empty(shape, dtype);
    try {
      torch.copy(x, copy);
      return copy;
    } catch (error) {
      torch.drop(copy);
      throw error;
    }
  }
  if (isShared) return torch.share(x);
  slots[slot] = 0;
  return x;
}

function freeUnlessGiven(torch: Torch, { given }: Plan, slots: Slots, slot: number): void {
  const x = slots[slot] ?? 0;
  if (x === 0 || given.has(slot)) return;
  torch.drop(x);
  slots[slot] = 0;
}
