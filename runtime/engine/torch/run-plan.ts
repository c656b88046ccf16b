import type { Plan, PlannedOutput } from "./plan.ts";
import type { Slots } from "./dispatch.ts";
import { TorchError, type Handle, type Torch } from "./library.ts";
import { byteSize } from "../../graph/graph.ts";

/**
 * Runs the calls of a plan. Its results belong to the caller; inputs and constants stay theirs. If a call fails, everything that was made
 * until then is freed.
 * @param slots as many as the plan has, all zero but the constants
 * @throws TorchError that begins with the node: `node NAME: reason`
 */
export function runPlan(torch: Torch, plan: Plan, slots: Slots, feeds: readonly Handle[]): Handle[] {
  plan.inputs.forEach((slot, i) => (slots[slot] = feeds[i] ?? 0));
  const results: Handle[] = [];
  let node = "";
  try {
    for (const call of plan.calls) {
      node = call.node;
      call.run(slots);
      for (const slot of call.frees) {
        torch.drop(slots[slot] ?? 0);
        slots[slot] = 0;
      }
    }
    for (const output of plan.outputs) results.push(resultOf(torch, slots, output));
    return results;
  } catch (error) {
    for (const x of results) torch.drop(x);
    throw error instanceof TorchError ? new TorchError(`node ${node}: ${error.message}`) : error;
  } finally {
    freeRest(torch, plan, slots);
  }
}

/** A view is copied if it is a part of larger memory, which would live as long. */
function resultOf(torch: Torch, slots: Slots, { slot, shape, dtype, isShared, isView }: PlannedOutput): Handle {
  const x = slots[slot] ?? 0;
  if (isView && torch.storageSize(x) > byteSize({ shape, dtype })) {
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

/** After an error, what was made and not freed; and what outputs were copied from. */
function freeRest(torch: Torch, { calls, inputs, constants }: Plan, slots: Slots): void {
  for (const slot of inputs) slots[slot] = 0;
  for (const { writes } of calls)
    for (const slot of writes) {
      const x = slots[slot] ?? 0;
      if (x === 0 || constants.has(slot)) continue;
      torch.drop(x);
      slots[slot] = 0;
    }
}
