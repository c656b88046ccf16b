/** What changes when one thing is varied: a source, a parameter, the size of a mask, what a reference holds. */
import type { HostTensor } from "../../../runtime/contract.ts";
import type { Engine } from "../../../runtime/index.ts";
import { modalityNames, type OpenedStep } from "../../probe/opened-step.ts";
import { limitsOf } from "../../probe/params.ts";
import type { Subject } from "../../probe/subject.ts";
import { isMask, isReference, syntheticSamples } from "../../probe/synthetic.ts";
import type { TrialBatch } from "../batches.ts";
import { mean, short } from "./numbers.ts";
import type { Suspicion } from "./suspicion.ts";
import { aimsOf, offTarget, openOn, predictionOf, withParams, type Trial } from "./trials.ts";

/** Two numbers count as equal if they differ by less than this share of the larger: rounding differs where factors cancel. */
const equal = 1e-4;

type Outcome = ReadonlyMap<string, HostTensor>;

/** What the model is given, and all terms with their gradients; `other` gives sources of another seed. */
async function outcomeOf(
  engine: Engine,
  subject: Subject,
  batch: TrialBatch,
  other: string | null = null,
): Promise<Outcome> {
  const { strategy } = subject.step;
  const samples = syntheticSamples(strategy, batch);
  const strange = syntheticSamples(strategy, { ...batch, seed: batch.seed + 500 });
  const mixed = samples.map((sample, i) => ({
    ...sample,
    sources: Object.fromEntries(
      Object.entries(sample.sources).map(([name, source]) => [
        name,
        name === other ? (strange[i]?.sources[name] ?? source) : source,
      ]),
    ),
  }));
  const [first, ...rest] = mixed;
  if (first === undefined) return new Map();
  const { seed } = batch;
  const step = openOn(engine, subject, batch, { made: [first, ...rest] });
  const predicted = predictionOf(step, await aimsOf(step, seed), seed, offTarget);
  const found = new Map(await step.inputs());
  for (const { name } of subject.program.terms) {
    const { loss, gradients } = await step.slope(name, predicted);
    found.set(name, loss);
    for (const [part, gradient] of gradients) if (gradient !== null) found.set(`${name} ${part}`, gradient);
  }
  step.close();
  return found;
}

function differs(a: Outcome, b: Outcome): boolean {
  return [...new Set([...a.keys(), ...b.keys()])].some((key) => {
    const [x, y] = [a.get(key), b.get(key)];
    if (x === undefined || y === undefined || x.data.length !== y.data.length) return true;
    return x.data.some((value, i) => {
      const other = y.data[i] ?? 0;
      return Math.abs(value - other) > equal * Math.max(Math.abs(value), Math.abs(other), 1e-6);
    });
  });
}

/** Sources and parameters of which neither what the model is given nor any gradient depends. */
export async function withoutEffect(
  engine: Engine,
  subject: Subject,
  batches: readonly TrialBatch[],
): Promise<Suspicion[]> {
  const base: Outcome[] = [];
  for (const batch of batches) base.push(await outcomeOf(engine, subject, batch));
  const found: Suspicion[] = [];
  const isVaried = async (vary: (batch: TrialBatch) => Promise<Outcome>) => {
    for (const [i, batch] of batches.entries()) if (differs(base[i] ?? new Map(), await vary(batch))) return true;
    return false;
  };
  for (const { name, span } of describingSources(subject)) {
    if (await isVaried((batch) => outcomeOf(engine, subject, batch, name))) continue;
    if (await isFeltElsewhere(engine, subject, batches, name)) continue;
    found.push(
      noEffect(
        span,
        `the source \`${name}\` changes nothing`,
        "what the model is given and the gradients are the same with other data in it: look at what it is compared or multiplied with",
        batches,
      ),
    );
  }
  for (const { name, span, changes } of variedParams(subject, batches)) {
    let isFelt = false;
    for (const changed of changes)
      isFelt ||= await isVaried((batch) => outcomeOf(engine, subject, withParams(batch, changed)));
    if (isFelt) continue;
    const values = changes.map((changed) => JSON.stringify(changed[name])).join(" and ");
    found.push(
      noEffect(
        span,
        `the parameter \`${name}\` changes nothing: ${values} in place of ${JSON.stringify(batches[0]?.params[name])} gives the same inputs and gradients`,
        "a factor inside of `over` cancels, and a bound that is never reached has no effect",
        batches,
      ),
    );
  }
  return found;
}

/** Whether a source has an effect with other parameters, or with scores of another size: below 0, or up to 10. */
async function isFeltElsewhere(
  engine: Engine,
  subject: Subject,
  [batch]: readonly TrialBatch[],
  name: string,
): Promise<boolean> {
  if (batch === undefined) return false;
  const others = limitsOf(subject.step.strategy, batch.params).map((changed) => withParams(batch, changed));
  const scores = (["normal", "tens"] as const).map((kind) => ({ ...batch, scores: kind }));
  for (const other of [...scores, ...others])
    if (differs(await outcomeOf(engine, subject, other), await outcomeOf(engine, subject, other, name))) return true;
  return false;
}

function noEffect(span: Suspicion["span"], message: string, help: string, batches: readonly TrialBatch[]): Suspicion {
  return { code: "LTX7121", span, message, help, batch: batches[0] ?? null };
}

/** Masks and tensors. What a modality or a reference is made of has an effect by itself. */
function describingSources({ program, step: { strategy } }: Subject) {
  const used = program.modalities.flatMap(({ latents, text }) => [latents, text]);
  return program.sources.filter(
    ({ name, kind }) => kind !== "text_embeddings" && !used.includes(name) && !isReferenceNamed(name, strategy),
  );
}

const isReferenceNamed = (name: string, strategy: Subject["step"]["strategy"]): boolean =>
  strategy.sources.some((source) => source.name === name && isReference(source, strategy));

/** Parameters that expressions read, with other values of each. */
function variedParams(subject: Subject, [batch]: readonly TrialBatch[]) {
  const { program, step } = subject;
  if (batch === undefined) return [];
  const read = paramsIn([program.prepare, program.loss, program.terms]);
  const limits = limitsOf(step.strategy, batch.params);
  return program.params.flatMap(({ name, span }) => {
    const own = limits.filter((changed) => name in changed);
    const value = batch.params[name];
    const near = typeof value === "number" && value !== 0 ? [{ [name]: 2 * value }] : [];
    const changes = own.length > 0 ? own : near;
    return read.has(name) && changes.length > 0 ? [{ name, span, changes }] : [];
  });
}

/** Names of the parameters in typed terms. */
function paramsIn(value: unknown, found = new Set<string>()): ReadonlySet<string> {
  if (typeof value !== "object" || value === null) return found;
  if ("op" in value && (value.op === "param" || value.op === "paramIs") && "name" in value)
    found.add(String(value.name));
  for (const child of Object.values(value)) paramsIn(child, found);
  return found;
}

// ------------------------------------------------------------------------------------------------------------------- masks

/** What people call a mask whose 1 is to be made anew, and one whose 1 is given. */
const toGenerate = /(^|_)(hole|holes|inpaint|missing|unknown|generate|edit|remove|erase|fill|damaged?)(_|$|s_|masks?)/;
const toKeep = /(^|_)(keep|kept|given|known|visible|context|clean)(_|$|masks?)/;

/** A mask whose name says what 1 means, and a `keep` that takes it the other way round. */
export function wrongPolarity(subject: Subject, trials: readonly Trial[]): Suspicion[] {
  const { program, step } = subject;
  const masks = program.sources.filter(({ name }) =>
    step.strategy.sources.some((source) => source.name === name && isMask(source, step.strategy)),
  );
  const [mask, ...others] = masks;
  if (mask === undefined || others.length > 0) return [];
  const isHole = toGenerate.test(mask.name) || toGenerate.test(mask.directory);
  const isGiven = toKeep.test(mask.name) || toKeep.test(mask.directory);
  if (isHole === isGiven) return [];
  return program.modalities.flatMap(({ name, span }): Suspicion[] => {
    const kept = (pattern: string) => {
      const trial = trials.find(({ batch }) => batch.masks === pattern);
      const generated = trial?.aims.get(name)?.generated.data;
      return generated === undefined ? NaN : 1 - mean(generated);
    };
    const [empty, full] = [kept("empty"), kept("full")];
    const isWrong = isHole ? full > empty : full < empty;
    if (!isWrong) return [];
    const written = subject.probed.find(({ key }) => key === `${name}.keep`)?.span;
    return [
      {
        code: "LTX7122",
        span: written ?? span,
        message: `where \`${mask.name}\` is 1, \`${name}\` is ${isHole ? "kept" : "generated"}: of an empty mask ${short(100 * empty)} % of the tokens are kept, of a full one ${short(100 * full)} %`,
        help: `its name says the opposite; if 1 means what is to be generated, write \`keep: not (${mask.name} > 0.5)\``,
        batch: trials.find(({ batch }) => batch.masks === "full")?.batch ?? null,
      },
    ];
  });
}

/** On single frames some samples are kept as a whole, by chance, and others are not. */
export async function imagesKeptWhole(
  subject: Subject,
  images: readonly { readonly step: OpenedStep; readonly batch: TrialBatch }[],
): Promise<Suspicion[]> {
  const found: Suspicion[] = [];
  for (const { name, generated, span } of subject.program.modalities) {
    if (!generated || name === "audio") continue;
    const whole: boolean[] = [];
    for (const { step } of images) {
      const seen = (await step.generated(name))?.generated;
      const [samples = 0, tokens = 0] = seen?.shape ?? [];
      for (let i = 0; i < samples; i++)
        whole.push(seen?.data.subarray(i * tokens, (i + 1) * tokens).every((value) => value === 0) ?? false);
    }
    const count = whole.filter(Boolean).length;
    if (count === 0 || count === whole.length) continue;
    found.push({
      code: "LTX7126",
      span: subject.probed.find(({ key }) => key === `${name}.keep`)?.span ?? span,
      message: `of samples with a single frame, ${count} of ${whole.length} are kept as a whole, and train nothing`,
      help: "an image is its own first frame: write `first_frame and frames > 1`",
      batch: images[0]?.batch ?? null,
    });
  }
  return found;
}

// -------------------------------------------------------------------------------------------------------------- references

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
