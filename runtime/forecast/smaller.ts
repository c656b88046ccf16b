/** What a run would take with smaller samples: its largest one cut to fewer frames, or to a smaller picture. */
import type { RunConfig } from "../config/run-config.ts";
import type { Step, VideoGrid } from "../contract.ts";
import { cropGrid, cropSample, cropSteps, tokensOf, type Crop } from "../data/crop.ts";
import { FindingsError } from "../findings.ts";
import type { Outline, SourceOutline } from "../opening/look-at-samples.ts";
import type { Preflight } from "../opening/preflight.ts";
import { planBytes, type Plan, type PlannedEngine } from "./plan.ts";
import { planOf, typicalOf } from "./step-plan.ts";

/** What is made smaller. */
export type Smaller = "frames" | "picture";

/** A run whose largest sample is smaller. */
export interface SmallerPlan {
  /** Latent cells of the largest sample, as it is and as it would have to be. */
  readonly crop: Crop;
  readonly plan: Plan;
}

interface Room {
  readonly engine: PlannedEngine;
  /** Bytes that the run may take. */
  readonly most: number;
}

/** Looks at so many sizes at most; a plan of a large model takes seconds. */
const MOST_TRIES = 4;

/**
 * The largest of the sizes with which the run takes no more than `most`; null where none does, or where its sources can not be cut so.
 * Errors: as `planOf`, other than findings.
 */
export async function smallerThatFits(
  config: RunConfig,
  step: Step,
  examined: Preflight,
  { what, engine, most }: Room & { readonly what: Smaller },
): Promise<SmallerPlan | null> {
  const { largest } = typicalOf(examined.data.outlines);
  const crops = cropsOf(largest, what);
  const planned = (i: number) => planCropped(config, step, examined, { crop: crops[i] as Crop, largest, engine });
  const smallest = crops.length === 0 ? null : await planned(crops.length - 1);
  if (smallest === null || planBytes(smallest) > most) return null;
  // Everything before `low` is known not to fit, `found` to do so. Memory is nearly linear in the tokens, so the next try is where the line
  // through the sizes that are known reaches `most`.
  let [low, high, found] = [0, crops.length - 1, smallest];
  for (let tries = 1; tries < MOST_TRIES && low < high; tries++) {
    const at = tries === 1 ? Math.floor((low + high) / 2) : guess(crops, most, { low, high, found });
    const plan = await planned(at);
    if (plan !== null && planBytes(plan) <= most) [high, found] = [at, plan];
    else low = at + 1;
  }
  return { crop: crops[high] as Crop, plan: found };
}

/** The size between two at which memory per token, with all else unchanged, should reach `most`. */
function guess(
  crops: readonly Crop[],
  most: number,
  { low, high, found }: { readonly low: number; readonly high: number; readonly found: Plan },
): number {
  const { memory, tokens } = found.largest;
  const perToken = (memory.step + memory.allocator) / tokens;
  const more = (most - planBytes(found)) / perToken;
  const wanted = tokensOf((crops[high] as Crop).to) + more;
  const at = crops.findIndex(({ to }) => tokensOf(to) <= wanted);
  return Math.min(Math.max(at, low), high - 1);
}

/** Smaller sizes, the largest first, to which all latents of the sample can be cut. */
function cropsOf({ sources }: Outline, what: Smaller): readonly Crop[] {
  const grids = Object.values(sources).flatMap((source) => (source.kind === "video_latents" ? [gridIn(source)] : []));
  const [first] = grids.toSorted((a, b) => tokensOf(b) - tokensOf(a));
  if (first === undefined) return [];
  const count = (what === "frames" ? first.frames : first.height) - 1;
  const sizes = Array.from({ length: Math.max(0, count) }, (_, i) => smaller(first, what, i + 1));
  return sizes
    .map((to) => ({ from: first, to }))
    .filter((crop) => crop.to.width > 0 && grids.every((grid) => cropGrid(grid, crop) !== null));
}

/** A picture keeps its proportions, as far as whole cells allow. */
function smaller(grid: VideoGrid, what: Smaller, less: number): VideoGrid {
  if (what === "frames") return { ...grid, frames: grid.frames - less };
  const height = grid.height - less;
  return { ...grid, height, width: Math.round((grid.width * height) / grid.height) };
}

function gridIn({ grid: [frames = 1, height = 1, width = 1] }: SourceOutline & { kind: "video_latents" }): VideoGrid {
  return { frames, height, width };
}

interface ToCrop {
  readonly crop: Crop;
  readonly largest: Outline;
  readonly engine: PlannedEngine;
}

/** The plan with the largest sample alone, cut. Null where a source does not allow it, or the strategy not. */
async function planCropped(
  config: RunConfig,
  step: Step,
  examined: Preflight,
  { crop, largest, engine }: ToCrop,
): Promise<Plan | null> {
  const { data } = examined;
  const outline = { ...largest, sources: cropOutline(largest, crop) };
  const read: typeof data.read = async (sample) => {
    const cut = cropSample(await data.read(sample), crop);
    if (cut === null) throw new FindingsError([]);
    return cut;
  };
  try {
    return await planOf(config, step, { ...examined, data: { ...data, outlines: [outline], read } }, engine);
  } catch (error) {
    if (error instanceof FindingsError) return null;
    throw error;
  }
}

function cropOutline({ sources }: Outline, crop: Crop): Outline["sources"] {
  const entries = Object.entries(sources).map(([role, source]): readonly [string, SourceOutline] => {
    if (source.kind === "audio_latents") return [role, { ...source, grid: [cropSteps(source.grid[0] ?? 1, crop)] }];
    if (source.kind !== "video_latents") return [role, source];
    const { frames, height, width } = cropGrid(gridIn(source), crop) ?? gridIn(source);
    return [role, { ...source, grid: [frames, height, width] }];
  });
  return Object.fromEntries(entries);
}
