/** What must be true of a step on any batch: what its strategy expects, and what the model requires of every strategy. */
import type { Code } from "../../compiler/diagnostics/index.ts";
import type { Span } from "../../compiler/source/index.ts";
import type { HostTensor } from "../../runtime/contract.ts";
import type { ModalityName, Observation, Seen } from "../probe/observe.ts";
import {
  describeEntries,
  describeLocation,
  entriesAt,
  gridsOf,
  partsOf,
  locationOf,
  shortNumber,
  tokensOf,
  type Location,
} from "../probe/locations.ts";
import type { Subject } from "../probe/subject.ts";

/** One mistake on one batch. */
export interface Violation {
  readonly code: Code;
  readonly span: Span;
  /** The value: violations with the same code, span and value are one finding. */
  readonly of: string;
  readonly message: string;
}

export function violations(subject: Subject, observation: Observation): Violation[] {
  const look = { subject, observation, gridOf: gridsOf(subject.step.strategy, observation) };
  return [
    ...expectations(look),
    ...notFinite(look),
    ...levels(look),
    ...weights(look),
    ...kept(look),
    ...attention(look),
  ];
}

/** Values and losses that differ, bit for bit, when the same step is computed again: only the first of them, which the others follow from. */
export function differences(subject: Subject, first: Observation, second: Observation): Violation[] {
  if (first === second) return [];
  const message = (what: string) =>
    `${what} differs when the same step is computed again, so an imported function is not pure`;
  const isSame = (a: HostTensor, b: HostTensor | undefined) =>
    b !== undefined && a.data.every((x, i) => Object.is(x, b.data[i]));
  const values = [...first.values.values()].filter(
    (seen) => !isSame(seen.tensor, second.values.get(seen.value.key)?.tensor),
  );
  const [value] = values;
  if (value !== undefined)
    return [{ code: "LTX5052", span: spanOf(subject, value), of: value.value.key, message: message(nameOf(value)) }];
  const term = subject.program.terms.find(({ name }) => {
    const loss = first.losses[name];
    return loss !== undefined && !isSame(loss, second.losses[name]);
  });
  return term === undefined
    ? []
    : [{ code: "LTX5052", span: term.span, of: term.name, message: message(`the loss \`${term.name}\``) }];
}

interface Look {
  readonly subject: Subject;
  readonly observation: Observation;
  readonly gridOf: ReturnType<typeof gridsOf>;
}

function expectations(look: Look): Violation[] {
  return [...look.observation.values.values()].flatMap((seen) => {
    const { key, span, reads } = seen.value;
    const flat = key.startsWith("expect[") ? seen.tensor.data.indexOf(0) : -1;
    if (flat < 0 || span === null) return [];
    const message = `this is expected, but false${surroundings(look, locationOf(seen, flat, look.gridOf), reads)}`;
    return [{ code: "LTX7101", span, of: key, message }];
  });
}

/** " at sample 0, frame 1: `hole` is true, `video.sigma` is 0.4" */
function surroundings({ observation, gridOf }: Look, location: Location, keys: readonly string[]): string {
  const values = keys.flatMap((key) => {
    const seen = observation.values.get(key);
    if (seen === undefined) return [];
    const text = describeEntries(entriesAt(seen, location, gridOf), seen.tensor.dtype);
    return [`\`${key.replace(/^source\./, "")}\` is ${text}`];
  });
  return (
    (location.size === 0 ? "" : ` at ${describeLocation(location)}`) +
    (values.length === 0 ? "" : `: ${values.join(", ")}`)
  );
}

/** Only the first broken value is reported, not those that are computed from it. */
function notFinite(look: Look): Violation[] {
  const { subject, observation } = look;
  const broken = new Map([...observation.values].filter(([, { tensor }]) => firstNotFinite(tensor) >= 0));
  const roots = [...broken.values()].filter(({ value }) => !value.reads.some((key) => broken.has(key)));
  if (roots.length === 0) return lossesNotFinite(look);
  return roots.map((seen) => {
    const flat = firstNotFinite(seen.tensor);
    const around = surroundings(look, locationOf(seen, flat, look.gridOf), seen.value.reads);
    const message = `${nameOf(seen)} is ${numberAt(seen, flat)}${around}`;
    return { code: "LTX7102", span: spanOf(subject, seen), of: seen.value.key, message };
  });
}

function lossesNotFinite({ subject, observation }: Look): Violation[] {
  return subject.program.terms.flatMap(({ name, span }) => {
    const term = observation.losses[name];
    const sample = term === undefined ? -1 : firstNotFinite(term);
    if (term === undefined || sample < 0) return [];
    return [
      { code: "LTX7102", span, of: name, message: `the loss \`${name}\` is ${term.data[sample]} for sample ${sample}` },
    ];
  });
}

const firstNotFinite = ({ data }: HostTensor): number => data.findIndex((value) => !Number.isFinite(value));

const numberAt = ({ tensor }: Seen, flat: number): string => shortNumber(tensor.data[flat] ?? NaN);

const nameOf = ({ value: { key } }: Seen): string =>
  key.startsWith("weight.") ? `the weight of \`${key.slice(7)}\`` : `\`${key}\``;

/** Noise levels and timesteps lie in [0, 1]; timesteps follow from sigma. */
function levels(look: Look): Violation[] {
  const isOutside = (value: number) => value < 0 || value > 1;
  return firstWith(
    look,
    /^(video|audio)\.(sigma|timesteps)$/,
    isOutside,
    "LTX7103",
    "noise levels lie in 0 to 1",
  ).slice(0, 1);
}

/** The weights after `over` are never below 0; a mask counts as 0 and 1. */
function weights(look: Look): Violation[] {
  return firstWith(look, /^weight\./, (value) => value < 0, "LTX7104", "weights are not below 0");
}

function firstWith(
  look: Look,
  keys: RegExp,
  isWrong: (value: number) => boolean,
  code: Code,
  rule: string,
): Violation[] {
  const wrong = [...look.observation.values].filter(([key, { tensor }]) => keys.test(key) && tensor.data.some(isWrong));
  return wrong.map(([key, seen]) => {
    const flat = seen.tensor.data.findIndex(isWrong);
    const at = describeLocation(locationOf(seen, flat, look.gridOf));
    return {
      code,
      span: spanOf(look.subject, seen),
      of: key,
      message: `${nameOf(seen)} is ${numberAt(seen, flat)} at ${at}: ${rule}`,
    };
  });
}

/** Where a value was written; for a default the span of its modality, for a weight that of its loss term. */
function spanOf({ program }: Subject, { value }: Seen): Span {
  const [owner, field] = value.key.split(".");
  const term = program.terms.find(({ name }) => owner === "weight" && name === field);
  const modality = program.modalities.find(({ name }) => name === owner);
  return value.span ?? term?.span ?? modality?.span ?? { start: 0, end: 0 };
}

// ------------------------------------------------------------------------------------------------------- what the model gets

/** Kept tokens, and all tokens of references, enter the model unchanged, with timestep 0; a sample without its optional latents has none. */
function kept(look: Look): Violation[] {
  return look.subject.program.modalities.flatMap(({ name, span }) => {
    const token = firstNotClean(look, name);
    if (token === null) return [];
    const message = `\`${name}\` keeps token ${token.token} of sample ${token.sample}, which is ${token.what}`;
    return [{ code: "LTX7105", span, of: name, message }];
  });
}

function firstNotClean({ observation, subject }: Look, name: ModalityName) {
  const inputs = observation.inputs[name];
  const [generated, clean] = ["generated", "clean"].map((field) => observation.values.get(`${name}.${field}`)?.tensor);
  if (inputs === null || clean === undefined) return null;
  const [samples = 0, tokens = 0, channels = 0] = clean.shape;
  const sequence = inputs.latent.shape[1] ?? 0;
  const parts = partsOf(subject.step.strategy, observation, name);
  const first = parts.reduce((sum, { grid, isTarget }) => sum + (isTarget ? 0 : tokensOf(grid)), 0);
  const isThere = observation.batch.marks?.[subject.step.strategy.modalities[name]?.latents ?? ""];
  for (let i = 0; i < samples * tokens; i++) {
    if (generated?.data[i] === 1) continue;
    const [sample, token] = [Math.floor(i / tokens), i % tokens];
    if (isThere?.[sample] === false) continue;
    const at = sample * sequence + first + token;
    if (inputs.timesteps.data[at] !== 0) return { sample, token, what: "given a timestep all the same" };
    const own = clean.data.subarray(i * channels, (i + 1) * channels);
    if (own.some((value, c) => inputs.latent.data[at * channels + c] !== value))
      return { sample, token, what: "not clean all the same" };
  }
  return null;
}

/** Every query must have at least one key. */
function attention({ observation, subject }: Look): Violation[] {
  return subject.program.modalities.flatMap(({ name, span: modality }) => {
    const mask = observation.inputs[name]?.attentionMask;
    if (mask === undefined || mask === null) return [];
    const keys = mask.shape[2] ?? 0;
    const row = firstRow(mask.data, keys, (entries) => entries.every((entry) => entry === 0));
    if (row < 0) return [];
    const queries = mask.shape[1] ?? 1;
    const span = observation.values.get(`${name}.attention`)?.value.span ?? modality;
    // A mask with a batch of one is the same for all samples.
    const where = mask.shape[0] === 1 ? "any sample" : `sample ${Math.floor(row / queries)}`;
    const message = `token ${row % queries} of the ${queries} of \`${name}\` may attend to none, in ${where}`;
    return [{ code: "LTX7010", span, of: name, message }];
  });
}

function firstRow(data: HostTensor["data"], length: number, isWrong: (row: HostTensor["data"]) => boolean): number {
  for (let row = 0; row * length < data.length; row++) {
    if (isWrong(data.subarray(row * length, (row + 1) * length))) return row;
  }
  return -1;
}
