/** What to do about a run that does not fit: the one change that saves most, and what is enough. */
import { planBytes, type Plan } from "../../runtime/index.ts";
import { bytes } from "../shell/text.ts";
import { alternativeText, type Alternative } from "./alternatives.ts";

const bytesOf = ({ plan }: { readonly plan: Plan }): number => planBytes(plan);

/**
 * Those that take no more than `most` bytes: with the fewest changes first, of equally many the one that saves most. Smaller samples keep
 * their order, as all of them are just small enough.
 */
export function fittingOf(alternatives: readonly Alternative[], most: number): readonly Alternative[] {
  const changes = ({ settings, smaller }: Alternative) => settings.length + (smaller === null ? 0 : 1);
  const size = (one: Alternative) => (one.smaller === null ? bytesOf(one) : most);
  return alternatives
    .filter((one) => bytesOf(one) <= most)
    .toSorted((a, b) => changes(a) - changes(b) || size(a) - size(b));
}

/** As in "`runtime.offload: blocks` saves most: then it needs about 8.5 GiB, and fits". */
export function remedyText(alternatives: readonly Alternative[], most: number): string {
  const singles = alternatives.filter(({ settings, smaller }) => settings.length === 1 && smaller === null);
  const [best] = singles.toSorted((a, b) => bytesOf(a) - bytesOf(b));
  const [fitting] = fittingOf(alternatives, most);
  const enough =
    fitting === undefined
      ? null
      : `with ${alternativeText(fitting)} it needs about ${bytes(bytesOf(fitting))}, and fits`;
  if (best === undefined) return enough ?? "nothing that `ltxc plan` tries saves memory";
  const saving = `\`${alternativeText(best)}\` saves most: then it needs about ${bytes(bytesOf(best))}`;
  if (bytesOf(best) <= most) return `${saving}, and fits`;
  return `${saving}, which is still too much; ${enough ?? "nor is anything enough that `ltxc plan` tries"}`;
}
