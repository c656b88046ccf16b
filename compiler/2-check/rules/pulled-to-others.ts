import type { Binding, CheckedLoss, CheckedParam } from "../checked.ts";
import type { Core } from "../core.ts";
import { allNodes, behind, readsModel, readsPrediction } from "../dependencies.ts";
import { spanOf, type Report } from "../report.ts";
import { distancesIn } from "./loss-bound.ts";

type Bindings = ReadonlyMap<string, Binding>;

/**
 * A prediction that is trained towards what belongs to the other samples of its batch, which are drawn at random: at best it learns their
 * mean. Where a distance to them is subtracted, or one between predictions, the term is a contrast or a comparison of distributions.
 */
export function pulledToOthers(
  losses: readonly CheckedLoss[],
  bindings: Bindings,
  params: readonly CheckedParam[],
  report: Report,
): void {
  for (const { core } of losses) {
    const distances = (distancesIn(core, bindings, params) ?? []).flatMap((part) => {
      const compared = othersIn(part.core, bindings);
      return compared === null ? [] : [{ ...compared, factor: part.factor }];
    });
    if (distances.some(({ factor, ofModel }) => factor < 0 || ofModel)) continue;
    const [first] = distances;
    if (first === undefined) continue;
    const text = report.textAt(first.others.span) ?? "others(x)";
    report.warning("LTX5085", spanOf(first.others), "this trains towards what belongs to other samples of the batch", {
      help: `a sample is compared with what is its own: without \`others\`; to tell samples apart, subtract the distance to \`${text}\`, with a factor below 1`,
    });
  }
}

interface Compared {
  readonly others: Core;
  /** Whether it is the others' predictions that are compared with. */
  readonly ofModel: boolean;
}

/** The values of other samples that a prediction is compared with in a distance; null where there are none. */
function othersIn(distance: Core, bindings: Bindings): Compared | null {
  for (const node of allNodes(distance, bindings)) {
    if (node.op !== "map" || node.fn !== "sub") continue;
    const [a, b] = node.args;
    if (a === undefined || b === undefined) continue;
    const [others, own] = behind(a, bindings).op === "others" ? [a, b] : [b, a];
    if (behind(others, bindings).op !== "others" || !isOfModel(own, bindings)) continue;
    return { others, ofModel: isOfModel(others, bindings) };
  }
  return null;
}

const isOfModel = (core: Core, bindings: Bindings): boolean =>
  readsPrediction(core, bindings) || readsModel(core, bindings);
