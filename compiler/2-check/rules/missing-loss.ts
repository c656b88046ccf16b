import type { StrategySyntax } from "../../1-parse/syntax.ts";
import type { Binding, CheckedLoss } from "../checked.ts";
import { readsOwnPrediction } from "../dependencies.ts";
import type { ModalityContext } from "../modality.ts";
import type { Report } from "../report.ts";
import { constantAlone } from "./constant-alone.ts";

/** A generated modality that no loss term looks at is noised for nothing; without a generated modality there is nothing to train. */
export function missingLoss(
  syntax: StrategySyntax,
  contexts: readonly ModalityContext[],
  losses: readonly CheckedLoss[],
  bindings: ReadonlyMap<string, Binding>,
  report: Report,
): void {
  const generated = contexts.filter((context) => context.generated);
  if (contexts.length > 0 && generated.length === 0) {
    const place = contexts[0]?.syntax.generate?.span ?? syntax.span;
    report.error("LTX5007", place, "no modality is generated, so there is nothing to train", {
      help: "write `generate: true` for video or audio",
    });
  }
  // A term that could not be read may well have been the one.
  const key = syntax.keySpans.get("loss");
  if (key === undefined && syntax.losses.length === 0) return;
  if (losses.length < syntax.losses.length || (key !== undefined && report.hasErrorAt(key))) return;
  // A term of constant predictions is the one, and is reported itself.
  if (losses.some(({ core }) => constantAlone(core, bindings) !== null)) return;
  for (const { syntax: modality } of generated) {
    const { name, keySpan } = modality;
    if (losses.some(({ core }) => readsOwnPrediction(core, bindings, name))) continue;
    report.error("LTX5004", keySpan, `\`${name}\` is generated, but no loss term reads \`${name}.prediction\``, {
      help: `add one, e.g. \`${name}: mse(${name}.prediction, ${name}.target) over ${name}.generated\`, or freeze it with \`generate: false\``,
    });
  }
}
