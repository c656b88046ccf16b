import { askedFor } from "../config/index.ts";
import type { StartedEvent } from "../metrics/events.ts";
import type { Run } from "./run-inputs.ts";

/** What the first event of a run says of its strategy, and of how its weights follow from the gradients. */
export function strategyTold({
  step: { strategy },
  params,
  config,
}: Run): Pick<StartedEvent, "strategy" | "sourceHash" | "params" | "passes" | "networks" | "optimization"> {
  const { name, sourceHash, passes, networks } = strategy;
  const optimization = askedFor(config.runtime);
  return {
    strategy: name,
    sourceHash,
    params,
    ...(passes === undefined ? {} : { passes }),
    ...(networks === undefined ? {} : { networks: networks.map((network) => network.name) }),
    ...(Object.keys(optimization).length === 0 ? {} : { optimization }),
  };
}
