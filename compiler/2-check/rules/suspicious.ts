/** What is well typed, and yet surely or most probably trains something else than was meant. */
import type { StrategySyntax } from "../../1-parse/syntax.ts";
import type { Binding, CheckedLoss, CheckedParam, CheckedSource } from "../checked.ts";
import type { ModalityContext } from "../modality.ts";
import type { Report } from "../report.ts";
import { denoisedIsClean } from "./denoised-is-clean.ts";
import { drawnAnew } from "./drawn-anew.ts";
import { levelOfOther } from "./foreign-level.ts";
import { foregoneComparisons, foregoneEntries } from "./foregone.ts";
import { lossBound } from "./loss-bound.ts";
import { framesAndSteps, targetIsReference } from "./mixed-up.ts";
import { levelOfNoise, noiseIsNormal } from "./noise-and-level.ts";
import { squareOfMean } from "./odd-reductions.ts";
import { keyframesEverywhere, neverKept } from "./on-every-grid.ts";
import { reducedOverKept } from "./reduced-over-kept.ts";
import { shortLists } from "./short-lists.ts";
import { weightOfLatents } from "./weight-of-latents.ts";
import { cancelledByOver, cancelledFactors, unboundedWeight, weightOfKept } from "./weights.ts";

interface Strategy {
  readonly syntax: StrategySyntax;
  readonly sources: readonly CheckedSource[];
  readonly params: readonly CheckedParam[];
  readonly losses: readonly CheckedLoss[];
  readonly contexts: readonly ModalityContext[];
  readonly bindings: ReadonlyMap<string, Binding>;
}

/** Warnings about a strategy without errors. */
export function suspicious(strategy: Strategy, report: Report): void {
  const { syntax, sources, params, losses, contexts, bindings } = strategy;
  noiseIsNormal(contexts, bindings, report);
  levelOfNoise(contexts, bindings, report);
  unboundedWeight(losses, bindings, report);
  reducedOverKept(losses, contexts, bindings, report);
  weightOfKept(losses, contexts, bindings, report);
  cancelledByOver(losses, bindings, report);
  cancelledFactors(losses, bindings, report);
  weightOfLatents(losses, sources, bindings, report);
  squareOfMean(losses, bindings, report);
  lossBound(losses, bindings, params, report);
  shortLists(params, losses, bindings, report);
  neverKept(contexts, bindings, report);
  keyframesEverywhere(contexts, bindings, report);
  denoisedIsClean(contexts, bindings, report);
  framesAndSteps(contexts, bindings, report);
  targetIsReference(contexts, sources, report);
  drawnAnew(syntax, report);
  foregoneComparisons(losses, { bindings, params }, report);
  foregoneEntries(syntax, report);
  levelOfOther(losses, contexts, bindings, report);
}
