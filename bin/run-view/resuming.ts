/** What a run's checkpoints allow to go on with, as text. */
import type { StartedEvent } from "../../runtime/index.ts";
import { bytes } from "../shell/text.ts";
import { stateBytes, type AskedFor } from "./optimization.ts";

/** `checkpoints.save_training_state` */
export type TrainingStateMode = StartedEvent["trainingState"];

/** Of a run that trains so many numbers. */
export function resumingText(mode: TrainingStateMode, numbers: number, asked?: AskedFor): string {
  const size = bytes(stateBytes(asked) * numbers);
  const advice = `\`checkpoints.save_training_state: full\` makes it exact and takes ${size} for each checkpoint`;
  switch (mode) {
    case "full":
      return `each checkpoint has a training state of ${size}, with which a resumed run equals an uninterrupted one`;
    case "minimal":
      return `a resumed run will start with new optimizer moments, so it will not equal an uninterrupted one; ${advice}`;
    case "off":
      return `this run can not be resumed, only its weights can be loaded; ${advice}`;
  }
}

/** What to add to the command with which a stopped run goes on. */
export function resumeNote(mode: TrainingStateMode): string {
  if (mode === "full") return "";
  const what = mode === "minimal" ? "with new optimizer moments" : "from step 0 with these weights";
  return ` (${what}, since \`checkpoints.save_training_state\` is \`${mode}\`)`;
}
