/** Which clips a loss of several calls draws its predictions to, and which it drives them from. */
import type { HostTensor } from "../../../runtime/contract.ts";
import type { ModalityName } from "../../probe/observe.ts";
import type { Slope } from "../../probe/opened-step.ts";
import type { Subject } from "../../probe/subject.ts";
import { cosine, ofSample } from "./numbers.ts";
import type { Suspicion } from "./suspicion.ts";
import { movedFromStart, nearStart, wholeGradient, type Trial } from "./trials.ts";

/** A gradient that leads along the line from a prediction to its own target: `mse(prediction, target)`, up to its factor. */
const alongTarget = 0.99;

/** A trained call whose gradient is all about its own target. */
interface Drawn {
  /** Null for the step's own call. */
  readonly pass: string | null;
  readonly latents: string;
  readonly isDrawn: boolean;
}

/** What people call the clips that are to be preferred, and the others. */
const preferred = /(^|_)(win|winners?|won|chosen|preferred|better|best|good|liked?|positives?)(_|$)/;
const rejected = /(^|_)(lose|losers?|lost|rejected|worse|worst|bad|disliked?|negatives?)(_|$)/;

/** Clips that are preferred by their name are driven away, or the only call that is judged by its own target is. */
export async function drivenAway(subject: Subject, trials: readonly Trial[]): Promise<Suspicion[]> {
  const [term] = subject.program.terms;
  const [trial] = trials;
  if (term === undefined || trial === undefined) return [];
  for (const { name } of subject.program.modalities) {
    const drawn = await drawnCalls(subject, trial, name);
    const wrong = drawn.find(({ latents, isDrawn }) =>
      isDrawn ? isNamed(subject, latents, rejected, preferred) : isNamed(subject, latents, preferred, rejected),
    );
    const isOpposed = drawn.some(({ isDrawn }) => isDrawn !== wrong?.isDrawn);
    if (wrong !== undefined && isOpposed)
      return [
        {
          code: "LTX7129",
          span: term.span,
          message: `this leads ${wrong.isDrawn ? "to" : "away from"} the clips of \`${wrong.latents}\`, which by their name are ${wrong.isDrawn ? "not " : ""}preferred`,
          help: "look at the sign of the margin, and at which call has which latents",
          batch: trial.batch,
        },
      ];
    const own = drawn.find(({ pass }) => pass === null);
    if (own === undefined || own.isDrawn || drawn.some(({ isDrawn }) => isDrawn)) continue;
    return [
      {
        code: "LTX7112",
        span: term.span,
        message: `a step against the gradient leads \`${name}.prediction\` away from \`${name}.target\`, and nothing leads a call to its own`,
        help: "look at the signs of the loss and of what it compares the prediction with",
        batch: trial.batch,
      },
    ];
  }
  return [];
}

/** Whether the name of a source or of its folder says the one, and not the other. */
function isNamed({ program }: Subject, latents: string, says: RegExp, not: RegExp): boolean {
  const source = program.sources.find(({ name }) => name === latents);
  const names = source === undefined ? [] : [source.name, source.directory];
  return names.some((name) => says.test(name)) && !names.some((name) => not.test(name));
}

async function drawnCalls(subject: Subject, trial: Trial, name: ModalityName): Promise<readonly Drawn[]> {
  const { step, batch, aims } = trial;
  const latents = subject.program.modalities.find((each) => each.name === name)?.latents ?? "";
  const predicted = await movedFromStart(step, batch.seed, nearStart);
  const calls = await step.calls(predicted);
  const slopes: Slope[] = [];
  for (const term of subject.program.terms) slopes.push(await step.slope(term.name, predicted));
  const targets = await step.values(
    subject.program.passes.map((pass) => `${pass.name}.${name}.target`),
    predicted,
  );
  const own = { pass: null, latents, prediction: predicted.get(name), target: aims.get(name)?.target };
  const trained = subject.program.passes.filter((pass) => step.isTrained(pass.name));
  const others = trained.map((pass) => ({
    pass: pass.name,
    latents: pass.latents[name] ?? latents,
    prediction: calls.get(pass.name)?.predicted[name] ?? undefined,
    target: targets.get(`${pass.name}.${name}.target`) ?? own.target,
  }));
  return [own, ...others].flatMap(({ pass, latents: of, prediction, target }) => {
    const gradient = wholeGradient(slopes, pass === null ? name : `${pass}.${name}`);
    if (gradient === null || prediction === undefined || target?.data.length !== prediction.data.length) return [];
    const isDrawn = directionOf(gradient, prediction, target);
    return isDrawn === null ? [] : [{ pass, latents: of, isDrawn }];
  });
}

/** Whether a step against the gradient leads to the target, in all samples; null where it has to do with something else. */
function directionOf(
  gradient: Pick<HostTensor, "shape"> & { data: Float64Array },
  prediction: HostTensor,
  target: HostTensor,
): boolean | null {
  const error = {
    shape: prediction.shape,
    data: Float64Array.from(prediction.data, (x, i) => x - (target.data[i] ?? 0)),
  };
  const along = Array.from({ length: prediction.shape[0] ?? 0 }, (_, at) =>
    cosine(ofSample(gradient, at), ofSample(error, at)),
  );
  if (along.every((cos) => cos > alongTarget)) return true;
  return along.every((cos) => cos < -alongTarget) ? false : null;
}
