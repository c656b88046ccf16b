/** What would make a run take less memory: other settings, and smaller samples. */
import type { RunConfig } from "../../runtime/config/index.ts";
import type { Step } from "../../runtime/contract.ts";
import {
  planBytes,
  planOf,
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
import { changesOf, smallestBatch, type Change } from "./changes.ts";
import { pace } from "./plan-text.ts";
import { smallerText, type SmallerSize } from "./smaller-text.ts";

/** The run with other settings, written as in the run config, and maybe with smaller samples. */
export interface Alternative {
  readonly settings: readonly string[];
  readonly smaller: SmallerSize | null;
  readonly plan: Plan;
}

/** What alternatives are looked for with. */
interface Search {
  /** The run as it is. */
  readonly plan: Plan;
  readonly engine: PlannedEngine;
  /** Bytes that the run may take. */
  readonly most: number;
  /** Whether all combinations of the main settings are wanted, and smaller samples in any case. */
  readonly isTable: boolean;
  /** Is told what is tried next, in words for the user. */
  readonly tell?: (text: string) => void;
}

/**
 * Each change that saves memory on its own, and all of them together; for a table also other combinations. Where nothing of this fits, the
 * samples with which it would. Errors: FindingsError as `planOf`.
 */
export async function alternativesOf(
  config: RunConfig,
  step: Step,
  examined: Preflight,
  search: Search,
): Promise<readonly Alternative[]> {
  const { plan, engine, most, isTable, tell = () => {} } = search;
  const planned: Planned = async (chosen) => {
    const settings = chosen.map(({ setting }) => setting);
    tell(settings.join(" and "));
    return { settings, smaller: null, plan: await planOf(changed(config, chosen), step, examined, engine) };
  };
  const singles = await singlesOf(changesOf(config, engine, smallestBatch(step.strategy, examined)), plan, planned);
  const saving = singles.map(({ change }) => change);
  const found = singles.map(({ alternative }) => alternative);
  if (isTable) for (const chosen of combinations(saving)) found.push(await planned(chosen));
  else if (planBytes(plan) > most) found.push(...(await fewestOf(singles, most, planned)));
  const all = saving.length < 2 ? null : await planned(saving);
  if (all !== null && found.every((one) => saves(all.plan, one.plan))) found.push(all);
  const least = all ?? found.at(-1) ?? null;
  const hasFitting = [plan, ...found.map((one) => one.plan)].some((one) => planBytes(one) <= most);
  if (hasFitting && !(isTable && planBytes(plan) > most)) return found;
  const withAll = { chosen: saving, whole: least?.plan ?? plan };
  const tried = isTable && least !== null ? [{ chosen: [], whole: plan }, withAll] : [withAll];
  for (const one of tried.filter(({ whole }) => planBytes(whole) > most))
    for (const what of ["frames", "picture"] as const) {
      tell(smallerKinds[what]);
      found.push(...(await smallerWith(config, step, examined, { ...one, what, engine, most })));
    }
  return found;
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

/** Several of the main changes together, but not all changes, which are an alternative anyway. */
function combinations(saving: readonly Change[]): readonly (readonly Change[])[] {
  const main = saving.filter(({ isMain }) => isMain);
  const subsets = main.reduce<readonly (readonly Change[])[]>(
    (sets, change) => [...sets, ...sets.map((set) => [...set, change])],
    [[]],
  );
  return subsets.filter(({ length }) => length > 1 && length < saving.length);
}

interface ToFit {
  readonly chosen: readonly Change[];
  /** With them, and with the samples as they are. */
  readonly whole: Plan;
  readonly what: Smaller;
  readonly engine: PlannedEngine;
  readonly most: number;
}

async function smallerWith(
  config: RunConfig,
  step: Step,
  examined: Preflight,
  { chosen, ...wanted }: ToFit,
): Promise<readonly Alternative[]> {
  const found: SmallerPlan | null = await smallerThatFits(changed(config, chosen), step, examined, wanted);
  if (found === null) return [];
  const { time, height, width } = examined.model?.scaleFactors ?? { time: 1, height: 1, width: 1 };
  const smaller = { what: wanted.what, ...found.crop, cell: { time, height, width } };
  return [{ settings: chosen.map(({ setting }) => setting), smaller, plan: found.plan }];
}

const changed = (config: RunConfig, chosen: readonly Change[]): RunConfig =>
  chosen.reduce((before, { apply }) => apply(before), config);

/** Whether one plan takes less memory than another, as far as people are told: where both read alike, nothing is gained. */
const saves = (less: Plan, than: Plan): boolean =>
  planBytes(less) < planBytes(than) && bytes(planBytes(less)) !== bytes(planBytes(than));

/** What is done in an alternative, in words. */
export function alternativeText({ settings, smaller }: Alternative): string {
  return [...settings, ...(smaller === null ? [] : [smallerText(smaller)])].join(" and ");
}

const timeOf = ({ commonest }: Plan, speed: EngineSpeed | null): string =>
  speed === null ? "" : `about ${pace(stepSeconds(commonest, speed))} a step`;

/** Rows of a table: settings, memory, and the time of a step where the speed is known. */
export function alternativeRows(alternatives: readonly Alternative[], speed: EngineSpeed | null): string[][] {
  const most = Math.max(...alternatives.map(({ settings }) => settings.length));
  const nameOf = (alternative: Alternative): string => {
    if (alternative.settings.length < 2 || alternative.settings.length < most) return alternativeText(alternative);
    return alternativeText({ ...alternative, settings: ["all of these"] });
  };
  return alternatives.map((one) => [nameOf(one), `about ${bytes(planBytes(one.plan))}`, timeOf(one.plan, speed)]);
}

/** Rows of the whole table: the run as it is and every alternative, and whether each fits. */
export function tableRows(
  plan: Plan,
  alternatives: readonly Alternative[],
  { speed, most }: { readonly speed: EngineSpeed | null; readonly most: number },
): string[][] {
  const rows = [
    { name: "as it is", plan },
    ...alternatives.map((one) => ({ name: alternativeText(one), plan: one.plan })),
  ];
  return rows.map(({ name, plan: own }) => [
    name,
    `about ${bytes(planBytes(own))}`,
    planBytes(own) <= most ? "fits" : `${bytes(planBytes(own) - most)} too much`,
    timeOf(own, speed),
  ]);
}
