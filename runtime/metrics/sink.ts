import type { Finding } from "../findings.ts";
import type { TrainEvent } from "./events.ts";

/** Somewhere that the events of a run are written to. `train.ts` opens the sinks of a run. */
export interface MetricsSink {
  /** Writes what it needs of the event. Returns the error of its first failure, after which it writes nothing: metrics never end a run. */
  write(event: TrainEvent): string | null;
  close(): void;
}

/** LTX7004 for what `write` returned. */
export function lostMetrics(failure: string): Finding {
  const message = `metrics are not written any more: ${failure}`;
  const help =
    "the training goes on and saves its weights; free some space, or make the file writable, before you resume: `ltxc report` shows the steps up to here";
  return { code: "LTX7004", severity: "warning", path: ["output_dir"], message, help };
}
