/** What to do about a run that does not fit: one change, and what is enough. */
import { planBytes, stepSeconds, type EngineSpeed, type Plan } from "../../runtime/index.ts";
import { bytes } from "../shell/text.ts";
import { alternativeText, speedWith, type Alternative } from "./alternatives.ts";

const bytesOf = ({ plan }: { readonly plan: Plan }): number => planBytes(plan);

const isSingle = ({ settings, smaller }: Alternative): boolean => settings.length === 1 && smaller === null;

/** Seconds of a step; infinite where they are not known, and with smaller samples, which train on something else. */
function secondsOf(one: Alternative, speed: EngineSpeed | null): number {
  const own = one.smaller === null ? speedWith(one, speed) : null;
  return own === null ? Infinity : stepSeconds(one.plan.commonest, own);
}

/** Numbers in ascending order; infinite ones are alike. */
const ascending = (a: number, b: number): number => (a === b ? 0 : a - b);

/**
 * Those that take no more than `most` bytes: with the fewest changes first, of equally many the one whose steps take the least time, and where
 * that is not known the one that saves most. Smaller samples keep their order, as all of them are just small enough.
 * @param speed of the run's engine; null where it is not known
 */
export function fittingOf(
  alternatives: readonly Alternative[],
  most: number,
  speed: EngineSpeed | null,
): readonly Alternative[] {
  const changes = ({ settings, smaller }: Alternative) => settings.length + (smaller === null ? 0 : 1);
  const size = (one: Alternative) => (one.smaller === null ? bytesOf(one) : most);
  return alternatives
    .filter((one) => bytesOf(one) <= most)
    .toSorted(
      (a, b) => changes(a) - changes(b) || ascending(secondsOf(a, speed), secondsOf(b, speed)) || size(a) - size(b),
    );
}

/**
 * As in "`runtime.offload: blocks` saves most: then it needs about 8.5 GiB, and fits". Of several single changes that are enough, the one that
 * costs the least time is named, where that is known.
 */
export function remedyText(alternatives: readonly Alternative[], most: number, speed: EngineSpeed | null): string {
  const singles = alternatives.filter(isSingle);
  const [best] = singles.toSorted((a, b) => bytesOf(a) - bytesOf(b));
  const [fitting] = fittingOf(alternatives, most, speed);
  const enough =
    fitting === undefined
      ? null
      : `with ${alternativeText(fitting)} it needs about ${bytes(bytesOf(fitting))}, and fits`;
  if (best === undefined) return enough ?? "nothing that `ltxc plan` tries saves memory";
  if (fitting !== undefined && fitting !== best && isSingle(fitting))
    return `\`${alternativeText(fitting)}\` is enough, and costs the least time: then it needs about ${bytes(bytesOf(fitting))}, and fits`;
  const saving = `\`${alternativeText(best)}\` saves most: then it needs about ${bytes(bytesOf(best))}`;
  if (bytesOf(best) <= most) return `${saving}, and fits`;
  return `${saving}, which is still too much; ${enough ?? "nor is anything enough that `ltxc plan` tries"}`;
}
