import type { TrainEvent } from "./events.ts";

/** Somewhere that the events of a run are written to. `train.ts` opens the sinks of a run. */
export interface MetricsSink {
  /** Writes what it needs of the event. Returns the error of its first failure, after which it writes nothing: metrics never end a run. */
  write(event: TrainEvent): string | null;
  close(): void;
}
