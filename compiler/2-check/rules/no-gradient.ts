import type { Binding, CheckedLoss } from "../checked.ts";
import { sizeOf, type Core, type ModalityName } from "../core.ts";
import { allNodes, behind, factorsOf, readsModel, readsPrediction, structureOf } from "../dependencies.ts";
import type { ModalityContext } from "../modality.ts";
import { constantAlone } from "./constant-alone.ts";
import { spanOf, type Report } from "../report.ts";

type Bindings = ReadonlyMap<string, Binding>;

/**
 * Loss terms of which no gradient comes back to the model: they read nothing of it, the gradient is stopped, or what is in between is flat, as
 * a comparison, `floor` or a difference of a value from itself. An error where a modality has no other term.
 */
export function noGradient(
  losses: readonly CheckedLoss[],
  contexts: readonly ModalityContext[],
  bindings: Bindings,
  report: Report,
): void {
  // Where a modality has no term, or none is generated, that is said already.
  const isToldOf = ({ syntax, generated }: ModalityContext) =>
    generated ? !losses.some(({ core }) => readsPrediction(core, bindings, syntax.name)) : contexts.length === 1;
  const isComplete = !contexts.some(isToldOf);
  const flat = losses.filter(
    ({ core }) =>
      !carries(core, bindings) && constantAlone(core, bindings) === null && (isComplete || readsModel(core, bindings)),
  );
  for (const { core, span } of flat) {
    const untrained = contexts.find(({ syntax, generated }) => {
      const reads = (loss: CheckedLoss) => readsPrediction(loss.core, bindings, syntax.name);
      return generated && reads({ core } as CheckedLoss) && !losses.some((loss) => reads(loss) && !flat.includes(loss));
    });
    tell(core, untrained?.syntax.name ?? null, { span, bindings, report });
  }
  for (const { core } of losses) cancelled(core, bindings, report);
}

function tell(
  core: Core,
  untrained: ModalityName | null,
  {
    span,
    bindings,
    report,
  }: { readonly span: CheckedLoss["span"]; readonly bindings: Bindings; readonly report: Report },
): void {
  const blocked = blockedBy(core, bindings);
  const message = "no gradient of this term reaches the model, so it trains nothing";
  const help = adviceOn(blocked);
  const labels = blocked?.span ? [{ span: blocked.span, message: "it ends here" }] : [];
  if (untrained === null) report.warning("LTX5031", span, message, { help, labels });
  else report.error("LTX5031", span, message, { help, labels });
}

function adviceOn(blocked: Core | null): string {
  if (blocked === null)
    return "nothing in it is predicted by the model: compare `video.prediction` or what follows from it, or leave the term out";
  if (blocked.op === "stopGradient")
    return "take `stop_gradient` away from the prediction; it belongs around what shall not be trained, such as a weight";
  if (isConstantAnyway(blocked))
    return "this has the same value whatever the model predicts: to the power of 0, or subtracted from itself";
  return "a mask and `floor` are flat: their gradient is 0; compare the values themselves, e.g. `mse(video.prediction, video.target)`";
}

/** Whether a change of what the trained model puts out changes the value smoothly. */
export function carries(core: Core, bindings: Bindings): boolean {
  const isEnd = (node: Core) => node.op === "passPrediction" || isFlat(node);
  for (const node of allNodes(core, bindings, isEnd)) {
    if (node.op === "prediction" || node.op === "output") return true;
    if (node.op === "passPrediction" && !node.isConstant) return true;
  }
  return false;
}

const isFlat = (node: Core): boolean =>
  node.op === "stopGradient" ||
  node.type.dtype === "bool" ||
  (node.op === "map" && node.fn === "floor") ||
  isConstantAnyway(node);

/** `x ^ 0` and `x - x`; nobody writes `0 * x` by mistake. */
function isConstantAnyway(node: Core): boolean {
  if (node.op !== "map") return false;
  const [a, b] = node.args;
  if (a === undefined || b === undefined) return false;
  const isZero = (core: Core) => core.op === "literal" && core.value === 0;
  if (node.fn === "pow") return isZero(b);
  return node.fn === "sub" && sizeOf(a) < maxCompared && sizeOf(a) === sizeOf(b) && structureOf(a) === structureOf(b);
}

/** Comparing large values at every depth would take as long as the square of their size. */
const maxCompared = 100;

/** The first place where the gradient ends, behind which the model's output is read. */
function blockedBy(core: Core, bindings: Bindings): Core | null {
  for (const node of allNodes(core, bindings)) if (isFlat(node) && readsModel(node, bindings)) return node;
  return null;
}

/** `picture / max(sound, eps) * sound`: what is divided by itself is constant, and has no gradient. */
function cancelled(core: Core, bindings: Bindings, report: Report): void {
  for (const term of termsOf(core, bindings)) {
    const factors = factorsOf(term, bindings);
    for (const factor of factors) {
      const value = behind(factor, bindings);
      const [, divisor] = value.op === "map" && value.fn === "div" ? value.args : [];
      const divided = divisor === undefined ? null : unguarded(divisor, bindings);
      if (divided === null || !carries(divided, bindings)) continue;
      const same = [...factors.filter((other) => other !== factor), ...numerator(value, bindings)].find(
        (other) => structureOf(behind(other, bindings)) === structureOf(divided),
      );
      if (same === undefined) continue;
      const name = report.textAt(same.span) ?? "the loss";
      report.warning("LTX5031", factor.span ?? spanOf(same), `\`${name}\` is divided by itself: its gradient cancels`, {
        help: "a weight that is made of losses is a constant: write `stop_gradient(…)` around it",
      });
    }
  }
}

function numerator(value: Core, bindings: Bindings): readonly Core[] {
  const [top] = value.op === "map" ? value.args : [];
  return top === undefined ? [] : factorsOf(top, bindings);
}

/** `x` of `max(x, eps)` and `x + eps`. */
function unguarded(divisor: Core, bindings: Bindings): Core | null {
  const value = behind(divisor, bindings);
  if (value.op !== "map" || (value.fn !== "maximum" && value.fn !== "add")) return value;
  const [a, b] = value.args;
  if (a === undefined || b === undefined) return null;
  if (b.op === "literal" || b.op === "param") return behind(a, bindings);
  return a.op === "literal" || a.op === "param" ? behind(b, bindings) : null;
}

/** The summands of a value. */
function termsOf(core: Core, bindings: Bindings): readonly Core[] {
  const terms: Core[] = [];
  const left = [core];
  for (let next = left.pop(); next !== undefined && terms.length < maxTerms; next = left.pop()) {
    const value = behind(next, bindings);
    if (value.op === "map" && (value.fn === "add" || value.fn === "sub")) left.push(...value.args);
    else terms.push(next);
  }
  return terms;
}

/** Names that use each other twice over would double with every step. */
const maxTerms = 64;
