import type { StartedEvent } from "../metrics/events.ts";
import type { Run } from "./run-inputs.ts";

/** What the first event of a run says of its strategy. */
export function strategyTold({
  step: { strategy },
  params,
}: Run): Pick<StartedEvent, "strategy" | "sourceHash" | "params" | "passes"> {
  const { name, sourceHash, passes } = strategy;
  return { strategy: name, sourceHash, params, ...(passes === undefined ? {} : { passes }) };
}
