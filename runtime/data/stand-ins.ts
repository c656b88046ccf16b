/**
 * What samples have in place of an optional source that they lack: numbers of a sample that has it, in the shape that fits. Compiled
 * strategies read them nowhere; but since gradients are computed everywhere, they must be numbers for which all of it is finite.
 */
import type { HostTensor, VideoGrid } from "../contract.ts";
import type { SampleSizes } from "./buckets.ts";
import type { Sample } from "./dataset.ts";
import type { DataSource } from "./directories.ts";
import { lengthsOf, type FedModality } from "./grids.ts";
import type { HostAudioLatents, HostSample, HostSource, HostVideoLatents } from "./sample.ts";

/** Which samples have what others lack. */
export interface Patterns {
  /** Of a sample that lacks a source: one that has it, of equal sizes in all else where there is one. */
  of(sample: Sample, role: string): { readonly pattern: Sample; readonly isAlike: boolean } | null;
  /** A sample's sizes, with those of what it has in place of sources that it lacks; references have no stand-in in a batch. */
  completed(sample: Sample): SampleSizes;
}

/** `sizes`: of each sample. `references`: roles whose samples are not put together with those that lack them. */
export function patternsOf(
  samples: readonly Sample[],
  sizes: readonly SampleSizes[],
  sources: readonly DataSource[],
  references: ReadonlySet<string>,
): Patterns {
  const needed = sources.filter(({ optional }) => optional !== true).map(({ role }) => role);
  const optional = sources.filter((source) => source.optional === true).map(({ role }) => role);
  const groupOf = (size: SampleSizes) => JSON.stringify(needed.map((role) => size.get(role)?.key));
  const bySample = new Map(samples.map((sample, i) => [sample, sizes[i] ?? new Map()] as const));
  const [first, alike] = [new Map<string, Sample>(), new Map<string, Sample>()];
  for (const [sample, size] of bySample) {
    for (const role of optional.filter((each) => sample.files[each] !== undefined)) {
      const place = `${role} ${groupOf(size)}`;
      if (!first.has(role)) first.set(role, sample);
      if (!alike.has(place)) alike.set(place, sample);
    }
  }
  const of: Patterns["of"] = (sample, role) => {
    const near = alike.get(`${role} ${groupOf(bySample.get(sample) ?? new Map())}`);
    const pattern = near ?? first.get(role);
    return pattern === undefined ? null : { pattern, isAlike: near !== undefined };
  };
  return {
    of,
    completed(sample) {
      const size = new Map(bySample.get(sample));
      for (const role of optional.filter((each) => !size.has(each) && !references.has(each))) {
        const found = of(sample, role);
        const known = found?.isAlike === true ? bySample.get(found.pattern)?.get(role) : undefined;
        if (known !== undefined) size.set(role, known);
      }
      return size;
    },
  };
}

interface Completing {
  readonly sources: readonly DataSource[];
  readonly fed: readonly FedModality[];
  readonly patterns: Patterns;
  /** Reads these sources of a sample. */
  read(sample: Sample, roles: readonly string[]): Promise<HostSample>;
}

/** Completes samples. Each pattern is read once. */
export function completing({ sources, fed, patterns, read }: Completing) {
  const optional = sources.filter((source) => source.optional === true);
  const targets = fed.map(({ target }) => target);
  const known = new Map<string, Promise<HostSample>>();
  const patternOf = (pattern: Sample, role: string): Promise<HostSample> => {
    const key = `${role} ${pattern.name}`;
    const found = known.get(key) ?? read(pattern, [role, ...targets]);
    known.set(key, found);
    return found;
  };
  return async (sample: Sample, own: HostSample): Promise<HostSample> => {
    const marks = optional.map(({ role }) => [role, sample.files[role] !== undefined] as const);
    const made: Record<string, HostSource> = { ...own.sources };
    // What else a modality has is as long as its latents.
    const missing = optional.filter(({ role }) => sample.files[role] === undefined);
    const targetsFirst = missing.toSorted(
      (a, b) => Number(targets.includes(b.role)) - Number(targets.includes(a.role)),
    );
    for (const source of targetsFirst) {
      const found = patterns.of(sample, source.role);
      if (found === null) throw new Error(`no sample has ${source.role}`);
      const pattern = await patternOf(found.pattern, source.role);
      made[source.role] = standIn(source, pattern.sources, made, fed, found.isAlike);
    }
    const inOrder = sources.flatMap(({ role }) => (made[role] === undefined ? [] : [[role, made[role]] as const]));
    return { ...own, sources: Object.fromEntries(inOrder), marks: Object.fromEntries(marks) };
  };
}

type Sources = Readonly<Record<string, HostSource>>;

/** What stands for a source, of the shape that the sample's other sources ask for. */
function standIn(
  source: DataSource,
  pattern: Sources,
  own: Sources,
  fed: readonly FedModality[],
  isAlike: boolean,
): HostSource {
  const { role } = source;
  const of = pattern[role];
  if (of === undefined) throw new Error(`the pattern lacks ${role}`);
  const [video, audio] = [targetOf(own, fed, "video_latents"), targetOf(own, fed, "audio_latents")];
  const isReference = fed.some(({ references }) => references.includes(role));
  switch (of.kind) {
    case "video_latents": {
      if (isReference || video === null) return of;
      const { frames, height, width } = video;
      const shape = [of.latents.shape[0] ?? 0, frames, height, width];
      return { ...of, frames, height, width, fps: video.fps, latents: filled(of.latents, shape) };
    }
    case "audio_latents": {
      const isTarget = fed.some(({ target }) => target === role);
      const before = targetOf(pattern, fed, "video_latents");
      const steps = isTarget ? (isAlike ? of.steps : stepsFor(of, before, video)) : (audio?.steps ?? of.steps);
      if (isReference) return of;
      const [channels = 0, , mel = 0] = of.latents.shape;
      return { ...of, steps, latents: filled(of.latents, [channels, steps, mel]) };
    }
    case "text_embeddings":
      return { ...of, mask: { ...of.mask, data: Int32Array.from(of.mask.data, () => 1) } };
    case "video_mask":
      return { ...of, mask: filled(of.mask, [video === null ? of.mask.data.length : tokensOf(video)]) };
    case "audio_mask":
      return { ...of, mask: filled(of.mask, [audio?.steps ?? of.mask.data.length]) };
    case "tensor": {
      const lengths = { ...(video === null ? {} : lengthsOf(video)), ...(audio === null ? {} : lengthsOf(audio)) };
      const shape = of.value.shape.map((length, i) => lengths[source.axes?.[i] ?? ""] ?? length);
      return { ...of, value: filled(of.value, shape) };
    }
  }
}

function targetOf<Kind extends HostSource["kind"]>(sources: Sources, fed: readonly FedModality[], kind: Kind) {
  for (const { target } of fed) {
    const source = sources[target];
    if (source?.kind === kind) return source as Extract<HostSource, { readonly kind: Kind }>;
  }
  return null;
}

const tokensOf = ({ frames, height, width }: VideoGrid): number => frames * height * width;

/** Pixel frames that a latent frame stands for, but the first. */
const TIME_SCALE = 8;
const secondsOf = ({ frames, fps }: HostVideoLatents): number => ((frames - 1) * TIME_SCALE + 1) / fps;

/** Steps of audio for a video, as many a second as another one has. */
function stepsFor(audio: HostAudioLatents, of: HostVideoLatents | null, now: HostVideoLatents | null): number {
  if (of === null || now === null) return audio.steps;
  return Math.max(1, Math.round((audio.steps * secondsOf(now)) / secondsOf(of)));
}

/** The numbers of a tensor over and over, in another shape. */
function filled(tensor: HostTensor, shape: readonly number[]): HostTensor {
  const length = shape.reduce((a, b) => a * b, 1);
  const { data } = tensor;
  return { shape, dtype: "float32", data: Float32Array.from({ length }, (_, i) => data[i % data.length] ?? 0) };
}
