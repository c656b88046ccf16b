import type { HostTensor } from "../contract.ts";
import { momentKinds, type MomentKind, type StoredMoments } from "../optimizer/optimizer.ts";
import type { Fingerprint } from "../training/fingerprint.ts";
import type { TensorFile } from "./tensor-file.ts";

/** What a resumed run needs. Random draws, data order and learning rate are functions of the step, so they are not stored. */
export interface TrainingState {
  readonly globalStep: number;
  readonly fingerprint: Fingerprint;
  /** Weights in full precision and the optimizer's moments, one entry per parameter; null in a minimal state. */
  readonly full: FullState | null;
}

interface FullState {
  readonly parameters: readonly HostTensor[];
  /** Null where the file has moments of another optimizer, which this run's can not use. */
  readonly moments: readonly (StoredMoments | null)[] | null;
  /** What the optimizer remembers besides; none if not given. */
  readonly numbers?: Readonly<Record<string, number>>;
  /** The moving average of the parameters, where the run keeps one. */
  readonly ema?: readonly HostTensor[];
}

const KEY = "training_state";

/** The moments that states hold which do not say so. */
const usualKinds: readonly MomentKind[] = ["m", "v"];

/** A state as a safetensors file: step, fingerprint and update counts in the metadata, tensors under the parameters' `names`. */
export function encodeState({ globalStep, fingerprint, full }: TrainingState, names: readonly string[]): TensorFile {
  const updates = full === null ? null : names.map((_, i) => full.moments?.[i]?.t ?? 0);
  const kinds = momentKinds.filter((kind) => full?.moments?.some((entry) => entry?.[kind] !== undefined) === true);
  const header = {
    global_step: globalStep,
    config_fingerprint: fingerprint,
    updates,
    ...(kinds.length === 0 || kinds.join() === usualKinds.join() ? {} : { moments: kinds }),
    ...(full?.numbers === undefined ? {} : { numbers: full.numbers }),
    ...(full?.ema === undefined ? {} : { ema: true }),
  };
  const tensors = names.flatMap((name, i) => {
    const own: readonly (readonly [string, HostTensor | undefined])[] = [
      ["parameter", full?.parameters[i]],
      ...kinds.map((kind) => [kind, full?.moments?.[i]?.[kind]] as const),
      ["ema", full?.ema?.[i]],
    ];
    return own.flatMap(([kind, value]): [string, HostTensor][] =>
      value === undefined ? [] : [[`${kind}.${name}`, value]],
    );
  });
  return { tensors: new Map(tensors), metadata: { [KEY]: JSON.stringify(header) } };
}

interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * The state in a file, or the reason why it does not fit parameters of these names and shapes.
 * @param wanted what the run's optimizer remembers of each
 */
export function decodeState(
  { tensors, metadata }: TensorFile,
  parameters: readonly Parameter[],
  wanted: readonly MomentKind[] = usualKinds,
): TrainingState | string {
  const header = parseHeader(metadata[KEY]);
  if (header === null) return "it is not a training state";
  const { global_step: globalStep, config_fingerprint: fingerprint, updates, moments: kinds = usualKinds } = header;
  if (updates === null) return { globalStep, fingerprint, full: null };
  const fits = (kind: string, { name, shape }: Parameter) =>
    tensors.get(`${kind}.${name}`)?.shape.join() === shape.join();
  const always = ["parameter", ...(header.ema === true ? ["ema"] : [])];
  const misfit = parameters.find((parameter, i) =>
    [...always, ...(updates[i] ? kinds : [])].some((kind) => !fits(kind, parameter)),
  );
  if (misfit !== undefined || updates.length !== parameters.length) {
    return `it does not fit the weights of this run${misfit === undefined ? "" : ` (${misfit.name})`}`;
  }
  const all = (kind: string) => parameters.map(({ name }) => tensors.get(`${kind}.${name}`) as HostTensor);
  const isOthers = updates.some((t) => t > 0) && wanted.toSorted().join() !== kinds.toSorted().join();
  const momentsOf = ({ name }: Parameter, t: number): StoredMoments | null => {
    const entries = wanted.map((kind) => [kind, tensors.get(`${kind}.${name}`)] as const);
    return t === 0 ? null : { t, ...Object.fromEntries(entries) };
  };
  const full: FullState = {
    parameters: all("parameter"),
    moments: isOthers ? null : parameters.map((parameter, i) => momentsOf(parameter, updates[i] ?? 0)),
    ...(header.numbers === undefined || isOthers ? {} : { numbers: header.numbers }),
    ...(header.ema === true ? { ema: all("ema") } : {}),
  };
  return { globalStep, fingerprint, full };
}

/** The fingerprint of the run that saved a state, from the file's metadata; null when the file is not a training state. */
export function savedFingerprint(metadata: TensorFile["metadata"]): Fingerprint | null {
  return parseHeader(metadata[KEY])?.config_fingerprint ?? null;
}

/** Up to which step a state goes, and whether it holds more than that, from the file's metadata; null when it is not a training state. */
export function savedProgress(
  metadata: TensorFile["metadata"],
): { readonly step: number; readonly isFull: boolean } | null {
  const header = parseHeader(metadata[KEY]);
  return header === null ? null : { step: header.global_step, isFull: header.updates !== null };
}

/** Why a state of this name cannot belong to weights of `step`, as text; null if it can. */
export function strayState(metadata: TensorFile["metadata"], step: number): string | null {
  const saved = parseHeader(metadata[KEY])?.global_step ?? null;
  return saved === null || saved === step ? null : `it was saved after step ${saved}, and its name says ${step}`;
}

interface Header {
  readonly global_step: number;
  readonly config_fingerprint: Fingerprint;
  readonly updates: readonly number[] | null;
  /** The tensors of each parameter that was updated. */
  readonly moments?: readonly MomentKind[];
  readonly numbers?: Readonly<Record<string, number>>;
  readonly ema?: boolean;
}

const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;
const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isKind = (value: unknown): boolean => (momentKinds as readonly unknown[]).includes(value);
const isOptional = (value: unknown, isRight: (value: unknown) => boolean): boolean =>
  value === undefined || isRight(value);

function parseHeader(text: string | undefined): Header | null {
  try {
    const header = JSON.parse(text ?? "") as Header;
    const { global_step: step, config_fingerprint: fingerprint, updates, moments, numbers, ema } = header;
    const isRight =
      isCount(step) &&
      isObject(fingerprint) &&
      (updates === null || (Array.isArray(updates) && updates.every(isCount))) &&
      isOptional(moments, (kinds) => Array.isArray(kinds) && kinds.every(isKind)) &&
      isOptional(numbers, (x) => isObject(x) && Object.values(x).every(Number.isFinite)) &&
      isOptional(ema, (x) => typeof x === "boolean");
    return isRight ? header : null;
  } catch {
    return null;
  }
}
