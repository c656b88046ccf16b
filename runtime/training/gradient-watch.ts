/** Sees a run that trains nothing, since its gradient is 0 in every step. */
import { fail, type Finding } from "../findings.ts";

/** Steps in a row with a gradient of exactly 0, after which a run is ended. Samples without a generated token have one, too. */
export const stillSteps = 20;

export class GradientWatch {
  #still = 0;
  #seen = 0;
  #loss = 0;

  /** @param gradNorm the length of the whole gradient of a step, before clipping */
  see(gradNorm: number, loss: number): void {
    this.#still = gradNorm === 0 ? this.#still + 1 : 0;
    this.#seen++;
    this.#loss = loss;
  }

  /**
   * Ends a run in which none of the last steps, or `atEnd` none at all, has changed anything.
   * @throws FindingsError LTX7130
   */
  stopIfStill(atEnd = false): void {
    const failure = this.failure(atEnd);
    if (failure !== null) fail(failure.code, failure.message, failure.help, failure.path);
  }

  /** Why to end the run now, or `atEnd`, why it must not end well: no step had a gradient. Null where all is well. */
  failure(atEnd = false): (Pick<Finding, "code" | "path" | "message"> & { readonly help: string }) | null {
    const isAllStill = this.#seen > 0 && this.#still === this.#seen;
    if (this.#still < stillSteps && !(atEnd && isAllStill)) return null;
    const steps = this.#still === 1 ? "the only step" : `${this.#still} steps in a row`;
    return {
      code: "LTX7130",
      path: ["training_strategy", "name"],
      message: `the gradient was exactly 0 in ${steps}, so nothing is trained; the loss is ${Number(this.#loss.toPrecision(3))}`,
      help: reason(this.#loss),
    };
  }
}

function reason(loss: number): string {
  const common = "`ltxc test` tries the strategy for it, and `ltxc inspect --config` shows a sample's masks";
  return loss === 0
    ? `either no token counts, or a factor of the loss is 0: look at \`keep\`, at what the masks hold and at weights of the terms; ${common}`
    : `the loss does not depend on the prediction where it is: look for \`stop_gradient\`, \`clamp\`, \`min\` and comparisons; ${common}`;
}
