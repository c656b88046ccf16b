import type { Binding, CheckedLoss, CheckedParam } from "../checked.ts";
import type { Core, Term } from "../core.ts";
import { allNodes, behind, readsPrediction } from "../dependencies.ts";
import { spanOf, type Report } from "../report.ts";
import { constantAlone } from "./constant-alone.ts";

type Bindings = ReadonlyMap<string, Binding>;

/** A distance in a sum, with its factor; distances grow with the error or with its square. */
interface Part {
  readonly factor: number;
  readonly grows: "linearly" | "quadratically";
  readonly core: Core;
}

/**
 * A sum of losses that can fall without end: the distances that it subtracts grow at least as fast as those that it adds, so the model is
 * trained to predict huge numbers. Parameters count with their defaults.
 */
export function lossBound(
  losses: readonly CheckedLoss[],
  bindings: Bindings,
  params: readonly CheckedParam[],
  report: Report,
): void {
  const known = { bindings, params, budget: { left: maxParts } };
  const parts = losses.map(({ core }) => partsOf(core, 1, known));
  // What has no such form may well bound the whole.
  if (parts.some((found) => found === null)) return;
  const all = parts.flatMap((found) => found ?? []);
  const subtracted = all.filter(({ factor }) => factor < 0);
  const [first] = subtracted;
  if (first === undefined) return;
  const total = (grows: Part["grows"]) => all.reduce((sum, part) => sum + (part.grows === grows ? part.factor : 0), 0);
  const squares = total("quadratically");
  const isQuadratic = all.some(({ grows }) => grows === "quadratically");
  if (isQuadratic ? squares > 0 : total("linearly") > 0) return;
  report.warning("LTX5043", spanOf(first.core), "the loss can fall without end: this distance is subtracted", {
    help: "give it a factor below that of the distances that are added, or bound it: `min(mse(a, b), 1)`",
  });
}

interface Known {
  readonly bindings: Bindings;
  readonly params: readonly CheckedParam[];
  readonly budget: { left: number };
}

/** Names that use each other twice over would double with every step. */
const maxParts = 500;

/** The distances of a sum; null where it has parts of another form, or too many. */
function partsOf(core: Core, factor: number, known: Known): readonly Part[] | null {
  known.budget.left -= 1;
  if (known.budget.left < 0) return null;
  const value = behind(core, known.bindings);
  if (value.op === "maskedMean") return partOf(value, core, factor, known);
  if (value.op !== "map") return null;
  const [a, b] = value.args;
  if (a === undefined) return null;
  if (value.fn === "neg") return partsOf(a, -factor, known);
  if (b === undefined) return null;
  if (value.fn === "add") return both(partsOf(a, factor, known), partsOf(b, factor, known));
  if (value.fn === "sub") {
    const constant = numberOf(a, known);
    return constant === null ? both(partsOf(a, factor, known), partsOf(b, -factor, known)) : partsOf(b, -factor, known);
  }
  const [left, right] = [numberOf(a, known), numberOf(b, known)];
  if (value.fn === "mul" && left !== null) return partsOf(b, factor * left, known);
  if (value.fn === "mul" && right !== null) return partsOf(a, factor * right, known);
  return value.fn === "div" && right !== null && right !== 0 ? partsOf(a, factor / right, known) : null;
}

function partOf({ error }: Term<"maskedMean">, core: Core, factor: number, { bindings }: Known): readonly Part[] {
  if (!readsPrediction(error, bindings) || constantAlone(error, bindings) !== null) return [];
  // The cosine lies between 0 and 2.
  if (error.op === "map" && error.fn === "sub") return [];
  const isSquare = error.op === "map" && error.fn === "square";
  const stops = [...allNodes(error, bindings)].some(({ op }) => op === "stopGradient");
  return stops ? [] : [{ factor, grows: isSquare ? "quadratically" : "linearly", core }];
}

const both = (a: readonly Part[] | null, b: readonly Part[] | null) => (a === null || b === null ? null : [...a, ...b]);

function numberOf(core: Core, known: Known): number | null {
  const { bindings, params } = known;
  const value = behind(core, bindings);
  if (value.op === "literal" && typeof value.value === "number") return value.value;
  if (value.op === "map" && value.fn === "neg" && value.args[0] !== undefined) {
    const inner = numberOf(value.args[0], known);
    return inner === null ? null : -inner;
  }
  if (value.op !== "param") return null;
  const standard = params.find(({ name }) => name === value.name)?.schema["default"];
  return typeof standard === "number" ? standard : null;
}
