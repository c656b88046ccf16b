/** What changes when one thing is varied: a source or a parameter. */
import type { HostTensor } from "../../../runtime/contract.ts";
import type { Engine } from "../../../runtime/index.ts";
import { changesOf, limitsOf } from "../../probe/params.ts";
import type { Subject } from "../../probe/subject.ts";
import { isReference, syntheticSamples } from "../../probe/synthetic.ts";
import type { TrialBatch } from "../batches.ts";
import type { Suspicion } from "./suspicion.ts";
import { aimsOf, movedFromStart, nearStart, offTarget, openOn, predictionOf, small, withParams } from "./trials.ts";

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
  const { passes } = subject.program;
  const predicted =
    passes.length > 0
      ? await movedFromStart(step, seed, nearStart)
      : predictionOf(step, await aimsOf(step, seed), seed, offTarget);
  const found = new Map(await step.inputs());
  for (const [pass, { inputs }] of passes.length > 0 ? await step.calls(predicted) : [])
    for (const [name, given] of inputs) found.set(`${pass}.${name}`, given);
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
  for (const param of readParams(subject)) {
    const { name, span } = param;
    const [first] = batches;
    const changes = first === undefined ? [] : usualChanges(subject, first, name);
    let isFelt = changes.length === 0;
    for (const changed of changes)
      isFelt ||= await isVaried((batch) => outcomeOf(engine, subject, withParams(batch, changed)));
    if (isFelt || (await isParamFeltElsewhere(engine, subject, batches, name))) continue;
    const values = changes.map((changed) => JSON.stringify(changed[name])).join(" and ");
    found.push(
      noEffect(
        span,
        `the parameter \`${name}\` changes nothing: ${values} in place of ${JSON.stringify(first?.params[name])} gives the same inputs and gradients`,
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
  const others = [...otherParams(subject, batch), { ...batch, progress: 1 }];
  const scores = (["normal", "tens"] as const).map((kind) => ({ ...batch, scores: kind }));
  for (const other of [...scores, ...others])
    if (differs(await outcomeOf(engine, subject, other), await outcomeOf(engine, subject, other, name))) return true;
  return false;
}

/** The batch with each parameter changed that expressions read, by itself. */
export const otherParams = (subject: Subject, batch: TrialBatch): readonly TrialBatch[] =>
  readParams(subject).flatMap(({ name }) =>
    changesOf(subject.step.strategy, batch.params, name).map((changed) => withParams(batch, changed)),
  );

function noEffect(span: Suspicion["span"], message: string, help: string, batches: readonly TrialBatch[]): Suspicion {
  return { code: "LTX7121", span, message, help, batch: batches[0] ?? null };
}

/** Masks, tensors, and what passes are given. What a modality or a reference is made of has an effect by itself. */
function describingSources({ program, step: { strategy } }: Subject) {
  const used = program.modalities.flatMap(({ latents, texts }) => [latents, ...texts]);
  const ofPasses = program.passes.flatMap(({ texts }) => Object.values(texts).flat());
  return program.sources.filter(
    ({ name, kind }) =>
      (kind !== "text_embeddings" || ofPasses.includes(name)) &&
      !used.includes(name) &&
      !isReferenceNamed(name, strategy),
  );
}

const isReferenceNamed = (name: string, strategy: Subject["step"]["strategy"]): boolean =>
  strategy.sources.some((source) => source.name === name && isReference(source, strategy));

/** Parameters that expressions read. */
function readParams({ program }: Subject) {
  const read = paramsIn([program.prepare, program.loss, program.terms]);
  return program.params.filter(({ name }) => read.has(name));
}

type Change = Readonly<Record<string, unknown>>;

/** What is tried first: the extremes of a parameter, or twice its value. */
function usualChanges({ step }: Subject, { params }: TrialBatch, name: string): readonly Change[] {
  const own = limitsOf(step.strategy, params).filter((changed) => name in changed);
  const value = params[name];
  return own.length === 0 && typeof value === "number" && value !== 0 ? [{ [name]: 2 * value }] : own;
}

/** Other parameters, and changes of each, that a parameter is tried with. */
const [mostOthers, mostChanges] = [8, 4];

/**
 * Whether a parameter has an effect at the end of the run, at a value that a condition compares it with, or with another parameter changed:
 * `if low < high`, `if count > 100`, `soft and strong`.
 */
async function isParamFeltElsewhere(
  engine: Engine,
  subject: Subject,
  batches: readonly TrialBatch[],
  name: string,
): Promise<boolean> {
  const [batch] = batches;
  if (batch === undefined) return false;
  const { strategy } = subject.step;
  const others = readParams(subject).filter((each) => each.name !== name);
  const compared = [
    ...others.map((each) => batch.params[each.name]),
    ...comparedNumbers([subject.program.prepare, subject.program.loss, subject.program.terms]),
  ].filter((value) => typeof value === "number");
  const few = { ...batch, sizes: small };
  const changes = changesOf(strategy, batch.params, name, compared);
  for (const progress of [0, 0.5, 1]) if (await isFeltAt(engine, subject, { ...few, progress }, changes)) return true;
  for (const other of others.slice(0, mostOthers))
    for (const moved of changesOf(strategy, batch.params, other.name).slice(0, mostChanges)) {
      const there = withParams(few, moved);
      const own = changesOf(strategy, there.params, name).slice(0, mostChanges);
      if (await isFeltAt(engine, subject, there, own)) return true;
    }
  return false;
}

async function isFeltAt(
  engine: Engine,
  subject: Subject,
  batch: TrialBatch,
  changes: readonly Change[],
): Promise<boolean> {
  const base = await outcomeOf(engine, subject, batch);
  for (const changed of changes)
    if (differs(base, await outcomeOf(engine, subject, withParams(batch, changed)))) return true;
  return false;
}

const comparisons = new Set(["less", "lessEqual", "greater", "greaterEqual", "equal", "notEqual"]);

/** Numbers that are written on one side of a comparison. */
function comparedNumbers(value: unknown, found = new Set<number>(), isCompared = false): ReadonlySet<number> {
  if (typeof value !== "object" || value === null) return found;
  if (isCompared && "op" in value && value.op === "literal" && "value" in value && typeof value.value === "number")
    found.add(value.value);
  const compares = "fn" in value && comparisons.has(String(value.fn));
  for (const child of Object.values(value))
    comparedNumbers(child, found, compares || (isCompared && Array.isArray(value)));
  return found;
}

/** Names of the parameters in typed terms. */
function paramsIn(value: unknown, found = new Set<string>()): ReadonlySet<string> {
  if (typeof value !== "object" || value === null) return found;
  if ("op" in value && (value.op === "param" || value.op === "paramIs") && "name" in value)
    found.add(String(value.name));
  for (const child of Object.values(value)) paramsIn(child, found);
  return found;
}
