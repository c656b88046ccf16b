import type { FlexibleModality, StrategyConfig } from "../runtime/config/index.ts";
import type { DrawSource } from "../runtime/random/sampler.ts";
import type { GoldenTensor, Manifest } from "./case.ts";

interface RecordedDraw {
  readonly name: string;
  readonly kind: string;
}

/**
 * Hands the recorded draws of a case to the step's named ones. The reference records them in the order in which it drew. It draws
 * for each condition, also where it is certain; the step does not, and those are left over. Where no sample can keep its first
 * frame, text-to-video draws nothing for it; the step, which always asks, then gets 0, the value most likely to keep one.
 */
export function recordedDraws(
  draws: readonly RecordedDraw[],
  { section, sampler }: { readonly section: StrategyConfig; readonly sampler: Manifest },
  tensor: (name: string) => GoldenTensor,
): DrawSource {
  const byRole = recordedNames(draws, { section, sampler });
  const values = (name: string, count: number): Float32Array => {
    const recorded = byRole.get(name);
    if (recorded === undefined && name === "video.keep[0]") return new Float32Array(count);
    if (recorded === undefined) throw new Error(`the step draws ${name}, which the case did not record`);
    const { data } = tensor(recorded);
    if (data.length !== count) throw new Error(`${name}: ${count} numbers asked for, ${data.length} recorded`);
    return Float32Array.from(data);
  };
  return { randn: values, rand: values };
}

/** The tensor that holds each named draw of a step. */
export function recordedNames(
  draws: readonly RecordedDraw[],
  { section, sampler }: { readonly section: StrategyConfig; readonly sampler: Manifest },
): ReadonlyMap<string, string> {
  const level = (sampler["type"] ?? sampler["mode"]) === "uniform" ? ["uniform"] : ["normal", "uniform", "mix"];
  const roles = section.name === "flexible" ? flexibleRoles(section, level) : legacyRoles(draws, level);
  if (roles.length !== draws.length) throw new Error(`${draws.length} draws are recorded, not ${roles.length}`);
  return new Map(roles.map((role, i) => [role, draws[i]?.name ?? ""]));
}

/** Level and noise of what is generated, then its conditions in their order, then the references in theirs; video first. */
function flexibleRoles(section: StrategyConfig, level: readonly string[]): string[] {
  return ["video", "audio"].flatMap((name) => {
    const { is_generated, conditions } = (section[name] ?? { is_generated: false, conditions: [] }) as FlexibleModality;
    const references = conditions.filter(({ type }) => type === "reference");
    const kept = is_generated ? conditions.length - references.length : 0;
    return [
      ...(is_generated ? [...level.map((part) => `${name}.sigma.${part}`), `${name}.noise`] : []),
      ...Array.from({ length: kept }, (_, i) => `${name}.keep[${i}]`),
      ...references.map((_, i) => `${name}.references[${i}]`),
    ];
  });
}

/** The first-frame draw, where there is one, the sampler's, then the noise of video and audio. */
function legacyRoles(draws: readonly RecordedDraw[], level: readonly string[]): string[] {
  const noises = draws.filter((draw) => draw.kind === "randn_like").length;
  const roles = [...level.map((part) => `video.sigma.${part}`), ...["video.noise", "audio.noise"].slice(0, noises)];
  return draws.length > roles.length ? ["video.keep[0]", ...roles] : roles;
}
