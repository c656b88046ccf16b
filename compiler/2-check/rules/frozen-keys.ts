import type { ModalityContext } from "../modality.ts";
import type { Report } from "../report.ts";

/** Keys about noise and targets under `generate: false`, where there is neither. */
export function frozenKeys({ syntax, generated }: ModalityContext, report: Report): void {
  if (generated) return;
  const { sigma, noise, noisy, target, denoised, keep, noiseMask } = syntax;
  const entries = { sigma, noise, noisy, target, denoised, keep, noise_mask: noiseMask };
  for (const [key, entry] of Object.entries(entries)) {
    if (entry === null) continue;
    report.error("LTX5005", entry.keySpan, `\`${syntax.name}\` is frozen, so \`${key}\` means nothing`, {
      labels: syntax.generate === null ? [] : [{ span: syntax.generate.span, message: "frozen here" }],
      help: `remove \`${key}\`, or write \`generate: true\``,
    });
  }
}
