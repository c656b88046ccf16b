/** Whether references are seen. */
import { modalityNames } from "../../probe/opened-step.ts";
import type { Subject } from "../../probe/subject.ts";
import type { Suspicion } from "./suspicion.ts";
import type { Trial } from "./trials.ts";

/** References that no token of the target may attend to. */
export async function unseenReferences(subject: Subject, trials: readonly Trial[]): Promise<Suspicion[]> {
  const found: Suspicion[] = [];
  for (const name of modalityNames) {
    const modality = subject.program.modalities.find((each) => each.name === name);
    if (modality === undefined || !modality.attention || modality.references.length === 0) continue;
    let [isShown, isSeen] = [false, false];
    for (const trial of trials) {
      const before = trial.aims.get(name)?.before ?? 0;
      const mask = (await trial.step.inputs()).get(`${name}.attentionMask`);
      if (before === 0 || mask === undefined) continue;
      isShown = true;
      const tokens = mask.shape[1] ?? 0;
      isSeen ||= mask.data.some(
        (value, i) => value > 0 && i % tokens < before && Math.floor(i / tokens) % tokens >= before,
      );
    }
    if (!isShown || isSeen) continue;
    found.push({
      code: "LTX7123",
      span: subject.probed.find(({ key }) => key === `${name}.attention`)?.span ?? modality.span,
      message: `no token of the target may look at a reference, on any of ${trials.length} batches`,
      help: "`attention` is true where a query may look at a key; `not key(from(depth))` hides the reference `depth` from all",
      batch: trials[0]?.batch ?? null,
    });
  }
  return found;
}
