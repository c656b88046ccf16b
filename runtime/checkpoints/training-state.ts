import type { HostTensor } from "../contract.ts";
import type { StoredMoments } from "../optimizer/optimizer.ts";
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
  readonly moments: readonly (StoredMoments | null)[];
}

const KEY = "training_state";

/** A state as a safetensors file: step, fingerprint and update counts in the metadata, tensors under the parameters' `names`. */
export function encodeState({ globalStep, fingerprint, full }: TrainingState, names: readonly string[]): TensorFile {
  const updates = full?.moments.map((entry) => entry?.t ?? 0) ?? null;
  const header = { global_step: globalStep, config_fingerprint: fingerprint, updates };
  const tensors = names.flatMap((name, i): [string, HostTensor][] => {
    const [parameter, moments] = [full?.parameters[i], full?.moments[i]];
    if (parameter === undefined) return [];
    const own: [string, HostTensor][] = [[`parameter.${name}`, parameter]];
    return moments ? [...own, [`m.${name}`, moments.m], [`v.${name}`, moments.v]] : own;
  });
  return { tensors: new Map(tensors), metadata: { [KEY]: JSON.stringify(header) } };
}

/** The state in a file, or the reason why it does not fit parameters of these names and shapes. */
export function decodeState(
  { tensors, metadata }: TensorFile,
  parameters: readonly { readonly name: string; readonly shape: readonly number[] }[],
): TrainingState | string {
  const header = parseHeader(metadata[KEY]);
  if (header === null) return "it is not a training state";
  const { global_step: globalStep, config_fingerprint: fingerprint, updates } = header;
  if (updates === null) return { globalStep, fingerprint, full: null };
  const fits = (kind: string, { name, shape }: { name: string; shape: readonly number[] }) =>
    tensors.get(`${kind}.${name}`)?.shape.join() === shape.join();
  const misfit = parameters.find((parameter, i) =>
    ["parameter", ...(updates[i] ? ["m", "v"] : [])].some((kind) => !fits(kind, parameter)),
  );
  if (misfit !== undefined || updates.length !== parameters.length) {
    return `it does not fit the weights of this run${misfit === undefined ? "" : ` (${misfit.name})`}`;
  }
  const tensor = (kind: string, name: string) => tensors.get(`${kind}.${name}`) as HostTensor;
  const moments = parameters.map(({ name }, i) => {
    const t = updates[i] ?? 0;
    return t === 0 ? null : { t, m: tensor("m", name), v: tensor("v", name) };
  });
  return {
    globalStep,
    fingerprint,
    full: { parameters: parameters.map(({ name }) => tensor("parameter", name)), moments },
  };
}

/** The fingerprint of the run that saved a state, from the file's metadata; null when the file is not a training state. */
export function savedFingerprint(metadata: TensorFile["metadata"]): Fingerprint | null {
  return parseHeader(metadata[KEY])?.config_fingerprint ?? null;
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
}

const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;

function parseHeader(text: string | undefined): Header | null {
  try {
    const header = JSON.parse(text ?? "") as Header;
    const { global_step: step, config_fingerprint: fingerprint, updates } = header;
    const isRight = isCount(step) && typeof fingerprint === "object" && fingerprint !== null;
    return isRight && (updates === null || (Array.isArray(updates) && updates.every(isCount))) ? header : null;
  } catch {
    return null;
  }
}
