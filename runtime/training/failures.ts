import type { Finding } from "../findings.ts";
import type { AccumulatedGradients } from "./optimizer-step.ts";
import { blindSamples, brokenTerm } from "./step-metrics.ts";

/** Why a step's gradients must not reach the weights. */
interface Failure extends Pick<Finding, "code" | "path"> {
  readonly what: string;
  readonly advice: string;
}

/** What may be wrong after some training, and before any. */
const advices = {
  later: { path: ["optimization", "learning_rate"], advice: "lower `learning_rate`, and look at the samples" },
  first: {
    path: ["model", "model_path"],
    advice:
      "nothing was trained yet, so `learning_rate` is not why: look at the samples and the loss of the strategy, and take the weights as they were published, since some may be NaN",
  },
} as const;

/** Looks at the numbers of optimizer step `j`, counted from 0: LTX7001 (loss), LTX7002 (gradient), LTX7010 (attention); null when all is well. */
export function failureOf(
  { reports, gradNorm }: Pick<AccumulatedGradients, "reports" | "gradNorm">,
  samples: readonly (readonly string[])[],
  j: number,
): Failure | null {
  const blind = blindSamples(reports, samples);
  if (blind !== null) {
    return {
      code: "LTX7010",
      path: ["training_strategy", "name"],
      what: `the attention of ${blind.samples.join(", ")} has tokens of \`${blind.modality}\` that may attend to nothing`,
      advice: "give every token a key in `attention`, for example itself or all of the target",
    };
  }
  const broken = brokenTerm(reports, samples);
  if (broken === null && Number.isFinite(gradNorm)) return null;
  const what = broken === null ? "the gradient" : `the loss term \`${broken.term}\` of ${broken.samples.join(", ")}`;
  return {
    code: broken === null ? "LTX7002" : "LTX7001",
    what: `${what} is not a finite number`,
    ...advices[j === 0 ? "first" : "later"],
  };
}
