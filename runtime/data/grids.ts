import type { SourceKind } from "../contract.ts";
import { FindingsError, type Finding, DATA_ROOT } from "../findings.ts";
import { referenceFactors } from "../references.ts";
import type { Sample } from "./dataset.ts";
import type { DataSource } from "./directories.ts";
import type { HostSample, HostSource, HostVideoLatents } from "./sample.ts";

/** The sources of one modality that the model is fed with, by role. */
export interface FedModality {
  readonly target: string;
  readonly references: readonly string[];
}

/** A role's file and what was read from it. */
interface File {
  readonly path: string;
  readonly source: HostSource;
}

const kindOfMask: Readonly<Partial<Record<SourceKind, SourceKind>>> = {
  video_latents: "video_mask",
  audio_latents: "audio_mask",
};

/** Frames per second are stored as decimals of fractions such as 24000/1001; a wrong factor is off by half at least. */
const fpsTolerance = 0.005;

/**
 * Whether all sources of a sample lie where a strategy takes for granted: on the grid of the latents that feed the model, except
 * for references, which are an exact fraction of it. References in audio have a length of their own.
 * @param declared all sources, of which tensors have axes: along those of a grid they are as long as its latents
 * Errors: FindingsError LTX6135 (mask), LTX6136 (latents, tensors), LTX6137 (reference), each naming the files.
 */
export function checkGrids(
  { files }: Sample,
  { sources }: HostSample,
  fed: readonly FedModality[],
  declared: readonly DataSource[] = [],
): void {
  const file = (role: string): File | null => {
    const source = sources[role];
    return source === undefined ? null : { path: files[role] ?? "", source };
  };
  const findings = fed.flatMap(({ target, references }) => {
    const targetFile = file(target);
    if (targetFile === null) return [];
    const others = Object.keys(sources).flatMap((role) => {
      const other = file(role);
      return other === null ? [] : [{ ...other, isReference: references.includes(role) }];
    });
    return others.flatMap(({ isReference, ...other }) =>
      isReference ? checkReference(targetFile, other) : checkSame(targetFile, other),
    );
  });
  const lengths = fed.flatMap(({ target, references }) => [
    ...lengthsAlong(file(target), ""),
    ...references.flatMap((role) => lengthsAlong(file(role), role)),
  ]);
  for (const source of declared) findings.push(...checkTensor(source, file(source.role), new Map(lengths)));
  if (findings.length > 0) throw new FindingsError(findings);
}

/** Of an axis, how long it is, and the file that says so. */
type Lengths = ReadonlyMap<string, { readonly length: number; readonly path: string }>;

function lengthsAlong(file: File | null, reference: string) {
  if (file === null) return [];
  const { path, source } = file;
  const ofReference = (axis: string) => (reference === "" ? axis : `${axis.replace(/:.*/, "")}:${reference}`);
  return Object.entries(lengthsOf(source)).map(([axis, length]) => [ofReference(axis), { length, path }] as const);
}

/** Lengths of the axes of a tensor that are those of a grid: of its frames, rows, columns and tokens. */
export function lengthsOf(source: HostSource): Readonly<Record<string, number>> {
  if (source.kind === "audio_latents") return { step: source.steps, "token:audio": source.steps };
  if (source.kind !== "video_latents") return {};
  const { frames, height, width } = source;
  return { frame: frames, height, width, "token:video": frames * height * width };
}

/** A length of 1 would be repeated along the whole axis in silence. */
function checkTensor({ key = "", axes = [] }: DataSource, file: File | null, lengths: Lengths): Finding[] {
  if (file?.source.kind !== "tensor") return [];
  const { shape } = file.source.value;
  return axes.flatMap((axis, i) => {
    const known = lengths.get(axis);
    if (known === undefined || known.length === shape[i]) return [];
    const message = `${file.path}: \`${key}\` has a length of ${shape[i]} along \`${axis}\`, ${known.path} of ${known.length}`;
    return [refuse("LTX6136", message, "make it for each latent cell of its clip, or correct the source's `axes`")];
  });
}

/** Of a source other than a reference: nothing is expected of another modality's. */
function checkSame(target: File, other: File): Finding[] {
  if (other.source.kind === kindOfMask[target.source.kind]) return checkMask(target, other);
  const [grid, found] = [gridOf(target.source), gridOf(other.source)];
  if (other.source.kind !== target.source.kind || grid === found) return [];
  const message = `${other.path} has ${found}, but ${target.path} has ${grid}`;
  return [refuse("LTX6136", message, "preprocess both with the same resolution and number of frames")];
}

function checkMask(target: File, { path, source }: File): Finding[] {
  const values = "mask" in source ? source.mask.data.length : 0;
  const tokens = tokensOf(target.source);
  if (values === tokens) return [];
  const message = `${path}: \`mask\` has ${values} values, ${target.path} has ${tokens} tokens`;
  return [refuse("LTX6135", message, "a mask has one value per latent cell; preprocess it together with its clip")];
}

function checkReference(target: File, reference: File): Finding[] {
  const [whole, part] = [target.source, reference.source];
  if (whole.kind !== "video_latents" || part.kind !== "video_latents") return [];
  const factors = referenceFactors(whole, part);
  if (factors !== null) return checkRate(target.path, whole, reference.path, part, factors.time);
  const message = `${reference.path} has ${gridOf(part)}, which is no exact fraction of the ${gridOf(whole)} of ${target.path}`;
  const help =
    "preprocess references at the target's size, or with height and width divided by one whole number and the frames after the first by another";
  return [refuse("LTX6137", message, help)];
}

/** Both frame rates must tell of the same factor as the numbers of frames; those of single frames mean nothing. */
function checkRate(
  targetPath: string,
  target: HostVideoLatents,
  path: string,
  reference: HostVideoLatents,
  factor: number,
): Finding[] {
  if (target.frames === 1 || reference.frames === 1) return [];
  const expected = target.fps / factor;
  if (Math.abs(reference.fps / expected - 1) <= fpsTolerance) return [];
  const message =
    `${path} has ${reference.frames} latent frames at ${reference.fps} frames per second, ` +
    `but ${targetPath} has ${target.frames} at ${target.fps}`;
  const help = `with these numbers of frames the reference has ${rounded(expected)} frames per second; preprocess it from the same clip`;
  return [refuse("LTX6137", message, help)];
}

const rounded = (value: number): string => `${Number(value.toFixed(3))}`;

const refuse = (code: string, message: string, help: string): Finding => ({
  code,
  severity: "error",
  path: DATA_ROOT,
  message,
  help,
});

function gridOf(source: HostSource): string {
  if (source.kind === "audio_latents") return `${source.steps} steps`;
  if (source.kind !== "video_latents") return "";
  return `${source.frames} x ${source.height} x ${source.width} latent cells (frames, height, width)`;
}

function tokensOf(source: HostSource): number {
  if (source.kind === "audio_latents") return source.steps;
  return source.kind === "video_latents" ? source.frames * source.height * source.width : 0;
}
