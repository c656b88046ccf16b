import type { Binding } from "../checked.ts";
import { readsModel } from "../dependencies.ts";
import type { ModalityContext } from "../modality.ts";
import type { Report } from "../report.ts";

const fieldsBefore = ["keep", "sigma", "noise", "noisy", "target", "attention", "keyframes"];

/** What the model gets, and what it should predict, exists before it runs and cannot depend on what it predicts. */
export function predictionTooEarly(
  contexts: readonly ModalityContext[],
  bindings: ReadonlyMap<string, Binding>,
  report: Report,
): void {
  // Without what has been reported, so that what reads it is not reported as well.
  const known = new Map(bindings);
  for (const { syntax, texts } of contexts) {
    for (const field of [...texts.items.map((_, i) => `text[${i}]`), ...fieldsBefore]) {
      const key = `${syntax.name}.${field}`;
      const binding = known.get(key);
      if (binding === undefined || binding.span === null || !readsModel(binding.core, known)) continue;
      known.delete(key);
      const message = `\`${syntax.name}.${field}\` exists before the model runs, so it cannot read what the model returns`;
      report.error("LTX5015", binding.span, message, {
        help: "the prediction and `outputs` can be read in `denoised` and in `loss`",
      });
    }
  }
  for (const { references } of contexts) {
    for (const { source, item } of references) {
      for (const field of ["sigma", "noise"] as const) {
        const written = item[field];
        const binding = bindings.get(`${source}.${field}`);
        if (written === null || binding === undefined || !readsModel(binding.core, bindings)) continue;
        const message = `\`${field}\` of a reference exists before the model runs, so it cannot read what the model returns`;
        report.error("LTX5015", written.value.span, message, {
          help: "the prediction and `outputs` can be read in `denoised` and in `loss`",
        });
      }
    }
  }
}
