/** What would make a run take less memory: other settings, and smaller samples. */
import { precisionOf, type RunConfig } from "../../runtime/config/index.ts";
import type { Step } from "../../runtime/contract.ts";
import {
  halved,
  planBytes,
  smallerThatFits,
  stepSeconds,
  type EngineSpeed,
  type Plan,
  type PlannedEngine,
  type Preflight,
  type Smaller,
  type SmallerPlan,
} from "../../runtime/index.ts";
import { bytes } from "../shell/text.ts";
import { changesOf, offloadTo, quantizingOf, smallestBatch, toTorch, type Change } from "./changes.ts";
import { canOffload, plansOf, settledWith, type MakePlan, type Settled } from "./offload.ts";
import { pace } from "./plan-text.ts";
import { smallerText, type SmallerSize } from "./smaller-text.ts";

/** The run with other settings, written as in the run config, and maybe with smaller samples. */
export interface Alternative {
  readonly settings: readonly string[];
  /** The same in fewer letters. */
  readonly short: readonly string[];
  readonly smaller: SmallerSize | null;
  readonly plan: Plan;
  readonly engine: PlannedEngine;
  /** Whether weights of blocks wait on the host. */
  readonly isStreamed: boolean;
}

/** What alternatives are looked for with. */
interface Search {
  readonly engine: PlannedEngine;
  /** Bytes that the run may take. */
  readonly most: number;
  /** Whether all combinations of the main settings are wanted, and smaller samples in any case. */
  readonly isTable: boolean;
  /** The run as it is, where its plan is made already. */
  readonly own?: Settled;
  /** Default: one that has made no plan yet. */
  readonly make?: MakePlan;
  /** Is told what is tried next, in words for the user. */
  readonly tell?: (text: string) => void;
}

/**
 * Each change that saves memory on its own, and all of them together; for a table also combinations of the main settings, whatever they take.
 * Where nothing of this fits, the samples with which it would. What `offload: auto` does is decided anew for each.
 * @param config as it is written, with `auto` left open
 * Errors: FindingsError as `planOf`.
 */
export async function alternativesOf(
  config: RunConfig,
  step: Step,
  examined: Preflight,
  search: Search,
): Promise<readonly Alternative[]> {
  const { engine, most, isTable, make = plansOf(step, examined), tell = () => {} } = search;
  const settled = async (chosen: readonly Change[]): Promise<Run> => {
    const on = engineWith(chosen, config, engine);
    return { chosen, engine: on, ...(await settledWith(make, changed(config, chosen), on, most)) };
  };
  const planned: Planned = async (chosen) => {
    tell(chosen.map(({ setting }) => setting).join(" and "));
    return alternativeOf(await settled(chosen), null);
  };
  const own: Run = search.own === undefined ? await settled([]) : { ...search.own, chosen: [], engine };
  const isTooMuch = planBytes(own.plan) > most;
  const changes = changesOf(own.config, engine, smallestBatch(step.strategy, examined));
  // An engine is changed only where that is of use.
  const tried = changes.filter(({ isToTorch }) => isTooMuch || isToTorch !== true);
  const singles = await singlesOf(tried, own.plan, planned);
  const saving = singles.map(({ change }) => change);
  const found = singles.map(({ alternative }) => alternative);
  if (isTable) found.push(...(await combined(tried, canOffload(config, engine.name), planned)));
  if (isTable && tried.some(({ isToTorch }) => isToTorch) && canOffload(config, "torch"))
    found.push(...(await combined(quantizingOf(config), true, (chosen) => planned([toTorch, ...chosen]))));
  if (isTooMuch) found.push(...(await fewestOf(singles, most, planned)));
  const all = saving.length < 2 ? null : await planned(saving);
  if (all !== null && (isTable || found.every((one) => saves(all.plan, one.plan)))) found.push(all);
  const isEnough = !isTooMuch || found.some(({ plan }) => planBytes(plan) <= most);
  if (isEnough && !isTable) return found;
  const runs = [
    ...(isTable || saving.length === 0 ? [own] : []),
    ...(saving.length === 0 ? [] : [await settled(saving)]),
  ];
  for (const run of runs.filter(({ plan }) => planBytes(plan) > most || plan === own.plan))
    for (const what of ["frames", "picture"] as const) {
      tell(smallerKinds[what]);
      found.push(...(await smallerWith(run, step, examined, { what, most })));
    }
  return found.filter((one, i) => found.findIndex((other) => isSame(other, one)) === i);
}

/** A run with these changes, whose `offload` is decided. */
interface Run extends Settled {
  readonly chosen: readonly Change[];
  readonly engine: PlannedEngine;
}

const alternativeOf = ({ chosen, config, plan, engine }: Run, smaller: SmallerSize | null): Alternative => ({
  settings: chosen.map(({ setting }) => setting),
  short: chosen.map(({ short }) => short),
  smaller,
  plan,
  engine,
  isStreamed: config.runtime.offload === "blocks" && canOffload(config, engine.name),
});

const isSame = (a: Alternative, b: Alternative): boolean => alternativeText(a) === alternativeText(b);

/** On the CPU, PyTorch is reckoned in float32, which takes more. */
function engineWith(chosen: readonly Change[], config: RunConfig, engine: PlannedEngine): PlannedEngine {
  if (!chosen.some(({ isToTorch }) => isToTorch)) return engine;
  return engine.provider === "cuda"
    ? { name: "torch", provider: "cuda", precision: precisionOf(config) }
    : { name: "torch", provider: "cpu", precision: "float32" };
}

const smallerKinds: Readonly<Record<Smaller, string>> = { frames: "fewer frames", picture: "a smaller picture" };

type Planned = (chosen: readonly Change[]) => Promise<Alternative>;

interface Single {
  readonly change: Change;
  readonly alternative: Alternative;
}

/** Those that save memory, each on its own. */
async function singlesOf(changes: readonly Change[], plan: Plan, planned: Planned): Promise<readonly Single[]> {
  const found: Single[] = [];
  for (const change of changes) {
    const alternative = await planned([change]);
    if (saves(alternative.plan, plan)) found.push({ change, alternative });
  }
  return found;
}

/** As few changes together as are enough, those that save most first; none where one is enough, or nothing less than all. */
async function fewestOf(singles: readonly Single[], most: number, planned: Planned): Promise<readonly Alternative[]> {
  const sizeOf = ({ alternative }: Single) => planBytes(alternative.plan);
  const order = singles.toSorted((a, b) => sizeOf(a) - sizeOf(b));
  if (order.some((single) => sizeOf(single) <= most)) return [];
  for (let count = 2; count < order.length; count++) {
    const alternative = await planned(order.slice(0, count).map(({ change }) => change));
    if (planBytes(alternative.plan) <= most) return [alternative];
  }
  return [];
}

/** The main changes in all combinations, each with weights of blocks on the host and on the device where there is the choice. */
async function combined(
  changes: readonly Change[],
  hasChoice: boolean,
  planned: Planned,
): Promise<readonly Alternative[]> {
  const main = changes.filter(({ isMain, setting }) => isMain && !offloads.includes(setting));
  const subsets = main.reduce<readonly (readonly Change[])[]>(
    (sets, change) => [...sets, ...sets.map((set) => [...set, change])],
    [[]],
  );
  const found: Alternative[] = [];
  for (const chosen of subsets) {
    const first = await planned(chosen);
    if (chosen.length > 0) found.push(first);
    if (hasChoice) found.push(await planned([...chosen, offloadTo(first.isStreamed ? "none" : "blocks")]));
  }
  return found;
}

const offloads = [offloadTo("blocks"), offloadTo("none")].map(({ setting }) => setting);

interface ToFit {
  readonly what: Smaller;
  readonly most: number;
}

/** The largest samples that fit; of a run that fits as it is, samples of half the size. */
async function smallerWith(
  run: Run,
  step: Step,
  examined: Preflight,
  { what, most }: ToFit,
): Promise<readonly Alternative[]> {
  const { config, plan: whole, engine } = run;
  const found: SmallerPlan | null =
    planBytes(whole) > most
      ? await smallerThatFits(config, step, examined, { what, most, whole, engine })
      : await halved(config, step, examined, { what, engine });
  if (found === null) return [];
  const { time, height, width } = examined.model?.scaleFactors ?? { time: 1, height: 1, width: 1 };
  const smaller = { what, ...found.crop, cell: { time, height, width } };
  return [alternativeOf({ ...run, plan: found.plan }, smaller)];
}

const changed = (config: RunConfig, chosen: readonly Change[]): RunConfig =>
  chosen.reduce((before, { apply }) => apply(before), config);

/** Whether one plan takes less memory than another, as far as people are told: where both read alike, nothing is gained. */
const saves = (less: Plan, than: Plan): boolean =>
  planBytes(less) < planBytes(than) && bytes(planBytes(less)) !== bytes(planBytes(than));

/** What is done in an alternative, in words. */
export function alternativeText({ settings, smaller }: Pick<Alternative, "settings" | "smaller">): string {
  return [...settings, ...(smaller === null ? [] : [smallerText(smaller)])].join(" and ");
}

const timeOf = ({ commonest }: Plan, speed: EngineSpeed | null): string =>
  speed === null ? "" : `about ${pace(stepSeconds(commonest, speed))} a step`;

/** What is known of the speed of the run as it is says nothing of another engine. */
export const speedWith = ({ settings }: Alternative, speed: EngineSpeed | null): EngineSpeed | null =>
  settings.includes(toTorch.setting) ? null : speed;

/** Rows of a table: settings, memory, and the time of a step where the speed is known. */
export function alternativeRows(alternatives: readonly Alternative[], speed: EngineSpeed | null): string[][] {
  const most = Math.max(...alternatives.map(({ settings }) => settings.length));
  const nameOf = (alternative: Alternative): string => {
    if (alternative.settings.length < 2 || alternative.settings.length < most) return alternativeText(alternative);
    return alternativeText({ ...alternative, settings: ["all of these"] });
  };
  return alternatives.map((one) => [
    nameOf(one),
    `about ${bytes(planBytes(one.plan))}`,
    timeOf(one.plan, speedWith(one, speed)),
  ]);
}

/** Rows of the whole table: the run as it is and what differs in every alternative, whether each fits, and where weights of blocks are. */
export function tableRows(
  { config, plan }: Pick<Settled, "config" | "plan">,
  alternatives: readonly Alternative[],
  { speed, most }: { readonly speed: EngineSpeed | null; readonly most: number },
): string[][] {
  const isStreamed = config.runtime.offload === "blocks";
  const rows = [
    { name: "as it is", plan, speed, isStreamed },
    ...alternatives.map((one) => ({
      ...one,
      name: alternativeText({ settings: one.short, smaller: one.smaller }),
      speed: speedWith(one, speed),
    })),
  ];
  const isMixed = rows.some((row) => row.isStreamed);
  return rows.map((row) => [
    row.name,
    `about ${bytes(planBytes(row.plan))}`,
    planBytes(row.plan) <= most ? "fits" : `${bytes(planBytes(row.plan) - most)} too much`,
    ...(isMixed ? [row.isStreamed ? "streamed" : ""] : []),
    timeOf(row.plan, row.speed),
  ]);
}
