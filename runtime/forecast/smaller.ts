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

/** A run with its largest sample cut to so many cells. */
interface Cut {
  readonly cells: number;
  readonly plan: Plan;
}

/**
 * The largest of the sizes with which the run takes no more than `most`; null where none does, or where its sources can not be cut so.
 * @param whole the plan with the samples as they are, which takes more
 * Errors: as `planOf`, other than findings.
 */
export async function smallerThatFits(
  config: RunConfig,
  step: Step,
  examined: Preflight,
  { what, engine, most, whole }: Room & { readonly what: Smaller; readonly whole: Plan },
): Promise<SmallerPlan | null> {
  const { largest } = typicalOf(examined.data.outlines);
  const crops = cropsOf(largest, what);
  const planned = (i: number) => planCropped(config, step, examined, { crop: crops[i] as Crop, largest, engine });
  const cells = (i: number) => tokensOf((crops[i] as Crop).to);
  const smallest = crops.length === 0 ? null : await planned(crops.length - 1);
  if (smallest === null || planBytes(smallest) > most) return null;
  // Everything before `low` is known not to fit, `found` to do so.
  let [low, high] = [0, crops.length - 1];
  let found: Cut = { cells: cells(high), plan: smallest };
  let above: Cut = { cells: tokensOf((crops[0] as Crop).from), plan: whole };
  for (let tries = 1; tries < MOST_TRIES && low < high; tries++) {
    const wanted = cellsFor(most, found, above);
    const at = Math.max(low, findFrom(crops, wanted));
    if (at >= high) break;
    const plan = await planned(at);
    if (plan !== null && planBytes(plan) <= most) [high, found] = [at, { cells: cells(at), plan }];
    else [low, above] = [at + 1, plan === null ? above : { cells: cells(at), plan }];
  }
  return { crop: crops[high] as Crop, plan: found.plan };
}

/**
 * The run with its largest sample cut to half the frames or half the height; null where its sources can not be cut so.
 * Errors: as `planOf`, other than findings.
 */
export async function halved(
  config: RunConfig,
  step: Step,
  examined: Preflight,
  { what, engine }: Pick<Room, "engine"> & { readonly what: Smaller },
): Promise<SmallerPlan | null> {
  const { largest } = typicalOf(examined.data.outlines);
  const sizeOf = ({ frames, height }: VideoGrid) => (what === "frames" ? frames : height);
  const crop = cropsOf(largest, what).find(({ from, to }) => 2 * sizeOf(to) <= sizeOf(from) + 1);
  const plan = crop === undefined ? null : await planCropped(config, step, examined, { crop, largest, engine });
  return crop === undefined || plan === null ? null : { crop, plan };
}

/** Memory is nearly linear in the tokens: the cells at which the line through a size that fits and one that does not reaches `most`. */
function cellsFor(most: number, fits: Cut, above: Cut): number {
  const perCell = (planBytes(above.plan) - planBytes(fits.plan)) / (above.cells - fits.cells);
  return fits.cells + (most - planBytes(fits.plan)) / perCell;
}

/** The first of the sizes with no more than so many cells; behind the last where there is none. */
function findFrom(crops: readonly Crop[], cells: number): number {
  const at = crops.findIndex(({ to }) => tokensOf(to) <= cells);
  return at < 0 ? crops.length : at;
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
