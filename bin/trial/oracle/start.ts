/** Strategies with passes at the start of a training, where the trained weights are those of the base model and of their average. */
import type { HostTensor } from "../../../runtime/contract.ts";
import { modalityNames, type Predicted, type Slope } from "../../probe/opened-step.ts";
import type { Subject } from "../../probe/subject.ts";
import { cosine, mean, norm, ofSample, short, sum } from "./numbers.ts";
import type { Suspicion } from "./suspicion.ts";
import { movedFromStart, nearStart, type Trial } from "./trials.ts";

async function slopesAt({ step }: Trial, { program }: Subject, predicted: Predicted): Promise<readonly Slope[]> {
  const slopes: Slope[] = [];
  for (const { name } of program.terms) slopes.push(await step.slope(name, predicted));
  return slopes;
}

// ------------------------------------------------------------------------------------------------------- nothing to learn

/** The gradient of an exact start counts as 0 below this share of that nearby: sums of equal numbers round otherwise. */
const nothingShare = 1e-3;

/** The gradient at the start is 0, and stays so: what is compared comes from calls that predict the same. */
export async function nothingToLearn(subject: Subject, trials: readonly Trial[]): Promise<Suspicion[]> {
  const [term] = subject.program.terms;
  if (term === undefined) return [];
  let nearby = 0;
  for (const trial of trials) {
    const sizeAt = async (size: number) =>
      wholeSize(trial, subject, await movedFromStart(trial.step, trial.batch.seed, size));
    const [exact, moved] = [await sizeAt(0), await sizeAt(nearStart)];
    if (!(exact <= nothingShare * moved)) return [];
    nearby = Math.max(nearby, moved);
  }
  if (nearby === 0) return [];
  return [
    {
      code: "LTX7127",
      span: term.span,
      message:
        "at the start of a training the gradient is 0, and so it stays: the model already predicts what it is compared with",
      help: "before the first step the trained weights, the base model and the moving average predict the same: give one side another text, level or latents, or compare with `video.target`, too",
      batch: trials[0]?.batch ?? null,
      severity: "error",
    },
  ];
}

/** The size of the gradient by what the model predicts; calls that are given the same are one call of the same weights. */
async function wholeSize(trial: Trial, subject: Subject, predicted: Predicted): Promise<number> {
  const slopes = await slopesAt(trial, subject, predicted);
  const own = await trial.step.inputs();
  const calls = [...(await trial.step.calls(predicted))].filter(([pass]) => trial.step.isTrained(pass));
  const groups: { readonly inputs: ReadonlyMap<string, HostTensor>; readonly prefixes: string[] }[] = [
    { inputs: own, prefixes: [""] },
  ];
  for (const [pass, { inputs }] of calls) {
    const same = groups.find((group) => isSame(group.inputs, inputs));
    if (same === undefined) groups.push({ inputs, prefixes: [`${pass}.`] });
    else same.prefixes.push(`${pass}.`);
  }
  const outputs = subject.program.outputs.map(({ name }) => name);
  const sizes = groups.flatMap(({ prefixes }) =>
    modalityNames.map((name) =>
      norm(
        added(
          slopes,
          prefixes.map((each) => each + name),
        ),
      ),
    ),
  );
  return Math.hypot(...sizes, ...outputs.map((name) => norm(added(slopes, [name]))));
}

function isSame(a: ReadonlyMap<string, HostTensor>, b: ReadonlyMap<string, HostTensor>): boolean {
  return [...new Set([...a.keys(), ...b.keys()])].every((key) => {
    const [x, y] = [a.get(key), b.get(key)];
    return x !== undefined && y?.data.length === x.data.length && x.data.every((value, i) => value === y.data[i]);
  });
}

/** The sum of all gradients by these parts. */
function added(slopes: readonly Slope[], parts: readonly string[]): Float64Array {
  const all = slopes.flatMap(({ gradients }) => parts.flatMap((part) => gradients.get(part) ?? []));
  return Float64Array.from(all[0]?.data ?? [], (_, i) => sum(all.map(({ data }) => data[i] ?? 0)));
}

// ------------------------------------------------------------------------------------------------------------ both trained

/** Gradients of two sides that are compared lie along one line, in each sample. */
const sameLine = 0.999;

/** Nothing but comparisons of trained predictions with one another: both sides move, and the nearest agreement is any. */
export async function bothTrained(subject: Subject, trials: readonly Trial[]): Promise<Suspicion[]> {
  const [trial] = trials;
  if (trial === undefined) return [];
  const slopes = await slopesAt(trial, subject, await movedFromStart(trial.step, trial.batch.seed, 1));
  const found = slopes.map((slope) => pairOf(slope));
  const [first] = found;
  const [term] = subject.program.terms;
  if (term === undefined || first === undefined || first === null || found.includes(null)) return [];
  const [a, b] = first.map((part) => `\`${part}.prediction\``);
  return [
    {
      code: "LTX7128",
      span: term.span,
      message: `both ${a} and ${b} are trained to meet each other, and nothing says where`,
      help: "one of them is the aim: write `adapters: false` or `adapters: ema` at its pass, or put it in `stop_gradient(…)`",
      batch: trial.batch,
    },
  ];
}

/** Two calls whose gradients of a term lie along one line. */
function pairOf({ gradients }: Slope): readonly [string, string] | null {
  const of = [...gradients].flatMap(([part, gradient]) =>
    gradient !== null && /^(\w+\.)?(video|audio)$/.test(part) && norm(gradient.data) > 0 ? [{ part, gradient }] : [],
  );
  for (const [i, a] of of.entries())
    for (const b of of.slice(i + 1)) {
      if (a.gradient.shape.join() !== b.gradient.shape.join()) continue;
      const samples = Array.from({ length: a.gradient.shape[0] ?? 0 }, (_, at) => at);
      const lines = samples.map((at) => Math.abs(cosine(ofSample(a.gradient, at), ofSample(b.gradient, at))));
      if (lines.every((line) => line > sameLine)) return [a.part, b.part];
    }
  return null;
}

// ------------------------------------------------------------------------------------------------------------------- bounds

/** Distances from the start, in the same direction. */
const distances = [1, 10, 100] as const;

/** Losses that fall below 0, the further the step's own call, or all trained calls, are moved from the start. */
export async function fallsFromStart(subject: Subject, trials: readonly Trial[]): Promise<Suspicion[]> {
  const [term] = subject.program.terms;
  for (const { step, batch } of trials)
    for (const parts of [[...modalityNames], null]) {
      const series: (readonly number[])[] = [];
      for (const distance of distances) {
        const losses = await step.losses(await movedFromStart(step, batch.seed, distance, parts));
        series.push(
          Array.from({ length: batch.samples }, (_, at) =>
            sum([...losses.values()].map((loss) => mean(ofSample(loss, at)))),
          ),
        );
      }
      const [near = [], far = [], farther = []] = series;
      const sample = farther.findIndex(
        (value, at) => value < 0 && value < (far[at] ?? 0) && (far[at] ?? 0) < (near[at] ?? 0),
      );
      if (sample < 0 || term === undefined) continue;
      const numbers = series.map((values) => short(values[sample] ?? NaN)).join(", ");
      return [
        {
          code: "LTX7118",
          span: term.span,
          message: `the loss falls the further the prediction is off: for sample ${sample} it is ${numbers} at an error of ${distances.join(", ")}`,
          help: "a difference needs a square or `abs`, a weight must not be below 0, and what is subtracted must stay smaller than what is added, as in `softplus(-margin)`",
          batch,
        },
      ];
    }
  return [];
}
