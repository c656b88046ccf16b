import type { GoldenTensor, Manifest } from "./case.ts";
import type { DrawSource } from "../runtime/training/draws.ts";

interface RecordedDraw {
  readonly name: string;
  readonly kind: string;
}

/**
 * Hands the recorded draws of a strategy case to the step's named ones. The reference records them in the order in which it drew:
 * text-to-video's first-frame draw, the sampler's, then the noise of video and audio. It makes no first-frame draw where no
 * sample could be conditioned; the step, which always asks, then gets 0, the value most likely to condition one.
 */
export function recordedDraws(
  draws: readonly RecordedDraw[],
  sampler: Manifest,
  tensor: (name: string) => GoldenTensor,
): DrawSource {
  const byRole = assignRoles(draws, sampler["type"] ?? sampler["mode"]);
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

function assignRoles(draws: readonly RecordedDraw[], sampler: string): ReadonlyMap<string, string> {
  const level = sampler === "uniform" ? [".uniform"] : [".normal", ".uniform", ".mix"];
  const noises = draws.filter((draw) => draw.kind === "randn_like").length;
  const roles = [...level.map((part) => `video.sigma${part}`), ...["video.noise", "audio.noise"].slice(0, noises)];
  if (draws.length > roles.length) roles.unshift("video.keep[0]");
  return new Map(roles.map((role, i) => [role, draws[i]?.name ?? ""]));
}
