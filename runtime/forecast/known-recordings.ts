import type { SavedRecordings } from "../engine/recording/saved-recordings.ts";
import type { SavedRecording } from "../engine/recording/recording.ts";
import type { PlannedEngine } from "./plan.ts";

const known = new WeakMap<PlannedEngine, SavedRecordings>();

/**
 * What earlier plans for this engine have recorded, to which new recordings are added. Most settings that a plan tries leave most graphs as
 * they are: those of the optimizer, or where the weights wait. They end with the object that stands for the engine.
 */
export function recordingsFor(engine: PlannedEngine): SavedRecordings {
  const found = known.get(engine) ?? recordingsInMemory();
  known.set(engine, found);
  return found;
}

function recordingsInMemory(): SavedRecordings {
  const byCalls = new Map<string, SavedRecording>();
  return {
    get all() {
      return [...byCalls.values()];
    },
    save(calls, recording, graph) {
      byCalls.set(calls.map(({ key }) => key).join("\n"), { calls, recording, graph: () => graph });
    },
  };
}
