import type { Finding } from "../contract.ts";
import { FindingsError } from "../findings.ts";
import type { Sample } from "./dataset.ts";
import { ROOT_PLACE } from "./directories.ts";
import type { HostSample, HostSource } from "./sample.ts";

/**
 * Whether all latents of a sample lie on the grid of those that feed the model, as a strategy takes for granted.
 * `targets` are the roles that feed it. Errors: FindingsError LTX6136, naming both files.
 */
export function checkGrids({ files }: Sample, { sources }: HostSample, targets: readonly string[]): void {
  const findings = targets.flatMap((target) => {
    const grid = gridOf(sources[target]);
    const others = Object.entries(sources).filter(([, { kind }]) => kind === sources[target]?.kind);
    return others.flatMap(([role, source]) => mismatch(files[target] ?? "", grid, files[role] ?? "", gridOf(source)));
  });
  if (findings.length > 0) throw new FindingsError(findings);
}

function mismatch(targetFile: string, target: string, file: string, grid: string): Finding[] {
  if (grid === target) return [];
  const message = `${file} has ${grid}, but ${targetFile} has ${target}`;
  const help = "preprocess both with the same resolution and number of frames";
  return [{ code: "LTX6136", severity: "error", path: ROOT_PLACE, message, help }];
}

function gridOf(source: HostSource | undefined): string {
  if (source?.kind === "audio_latents") return `${source.steps} steps`;
  if (source?.kind !== "video_latents") return "";
  return `${source.frames} x ${source.height} x ${source.width} latent cells (frames, height, width)`;
}
