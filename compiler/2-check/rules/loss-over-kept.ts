/**
 * A loss over tokens that were kept clean trains the model to undo noise that is not there: the silent bug that hand-written
 * strategies have most. Reported where it can be proved; `over all` says that it is meant.
 *
 * Masks are read as propositional formulas over their parts. The region R of a term and the kept tokens K are compared by truth
 * table: R and K never both true is right; K implying R (all kept tokens are in) or R implying K (only kept ones are) is wrong; of
 * what remains only the data can tell.
 */
import type { Binding, CheckedLoss, Undecided } from "../checked.ts";
import { broadcastTo, map, reduce } from "../combine.ts";
import { childrenOf, literal, type Core, type ModalityName } from "../core.ts";
import { allNodes, readsPrediction } from "../dependencies.ts";
import type { Fix } from "../../diagnostics/diagnostic.ts";
import type { ModalityContext } from "../modality.ts";
import type { Report } from "../report.ts";

type Bindings = ReadonlyMap<string, Binding>;

type Formula =
  | { readonly kind: "constant"; readonly value: boolean }
  | { readonly kind: "atom"; readonly name: string }
  | { readonly kind: "not"; readonly of: Formula }
  | { readonly kind: "and" | "or"; readonly of: readonly Formula[] };

/** Beyond this many parts a truth table is too large, and nothing is claimed. */
const MAX_ATOMS = 12;

/** Reports terms that cover kept tokens for sure; returns those of which only the data can tell. */
export function lossOverKept(
  losses: readonly CheckedLoss[],
  contexts: readonly ModalityContext[],
  bindings: Bindings,
  report: Report,
): Undecided[] {
  return contexts.flatMap((context) => {
    const { syntax } = context;
    const keep = bindings.get(`${syntax.name}.keep`);
    if (keep === undefined || (syntax.keep === null && syntax.noiseMask === null)) return [];
    return losses.flatMap(({ name, core }) => {
      const covering = maskedMeans(core, bindings).filter((mean) => isAtRisk(mean, syntax.name, bindings));
      const overlaps = covering.flatMap((mean) => judge(mean, keep, context, bindings, report));
      const [first, ...rest] = overlaps;
      if (first === undefined) return [];
      return [{ term: name, overlap: rest.reduce((a, b) => map(report, "or", [a, b], null, "`or`"), first) }];
    });
  });
}

function isAtRisk({ error, overAll }: MaskedMean, modality: ModalityName, bindings: Bindings): boolean {
  return !overAll && error.type.axes.includes(`token:${modality}`) && readsPrediction(error, bindings, modality);
}

/** Nothing where region and kept tokens never meet, a finding where they surely do, else what the run has to look at. */
function judge(
  mean: MaskedMean,
  keep: Binding,
  { syntax }: ModalityContext,
  bindings: Bindings,
  report: Report,
): Core[] {
  const verdict = compareRegions(regionOf(mean, bindings), formulaOf(keep.core, bindings));
  if (verdict === "apart" || mean.weights.some((weight) => readsPrediction(weight, bindings))) return [];
  if (verdict === "unknown") return [overlapOf(mean, keep, syntax.name, report)];
  const span = mean.span ?? { start: 0, end: 0 };
  const clause = `over ${syntax.name}.generated`;
  const fix: Fix = { title: `add \`${clause}\``, edits: [{ span: { ...span, start: span.end }, text: ` ${clause}` }] };
  report.error("LTX5002", span, "this loss covers tokens that are kept clean", {
    labels: [{ span: keep.span ?? syntax.keySpan, message: "these tokens are kept" }],
    help: `write \`${clause}\`, or \`over all\` if kept tokens are meant to count`,
    // What was meant by another region than all tokens, only its author knows.
    ...(mean.weights.length === 0 ? { fix } : {}),
  });
  return [];
}

/** any(region and keep) for each sample. */
function overlapOf({ weights }: MaskedMean, keep: Binding, modality: ModalityName, report: Report): Core {
  const kept: Core = { op: "ref", key: keep.key, type: keep.core.type, span: null };
  const masks = weights.map((weight) =>
    weight.type.dtype === "bool" ? weight : map(report, "greater", [weight, literal(0)], null, "`over`"),
  );
  const both = masks.reduce((a, b) => map(report, "and", [a, b], null, "`and`"), kept);
  return reduce(report, "any", broadcastTo(both, ["batch", `token:${modality}`]), [], { start: 0, end: 0 });
}

type MaskedMean = Extract<Core, { op: "maskedMean" }>;

function maskedMeans(core: Core, bindings: Bindings): MaskedMean[] {
  return [...allNodes(core, bindings)].filter((node) => node.op === "maskedMean");
}

function regionOf({ weights }: MaskedMean, bindings: Bindings): Formula {
  return { kind: "and", of: weights.map((weight) => formulaOf(weight, bindings)) };
}

function formulaOf(core: Core, bindings: Bindings): Formula {
  switch (core.op) {
    case "literal":
      return { kind: "constant", value: core.value === true };
    case "ref": {
      const target = bindings.get(core.key);
      return target?.core.type.dtype === "bool" ? formulaOf(target.core, bindings) : atom(core);
    }
    case "tokens":
    case "grid":
    case "broadcast":
      return formulaOf(core.arg, bindings);
    case "map":
      if (core.fn === "and" || core.fn === "or")
        return { kind: core.fn, of: core.args.map((arg) => formulaOf(arg, bindings)) };
      if (core.fn === "not") return { kind: "not", of: formulaOf(core.args[0] as Core, bindings) };
      // Numbers 0 and 1 restrict as their mask does.
      if (core.fn === "float") return formulaOf(core.args[0] as Core, bindings);
  }
  return atom(core);
}

function atom(core: Core): Formula {
  return { kind: "atom", name: structureOf(core) };
}

/** The same text for the same value, wherever it was written. */
function structureOf(core: Core): string {
  const { span: _, type, ...rest } = core;
  const own = Object.fromEntries(
    Object.entries(rest).filter(([, value]) => typeof value !== "object" || value === null),
  );
  return `${JSON.stringify(own)}${type.axes.join()}(${childrenOf(core).map(structureOf).join()})`;
}

function compareRegions(region: Formula, kept: Formula): "apart" | "covers" | "unknown" {
  const atoms = [...new Set([...atomsOf(region), ...atomsOf(kept)])];
  if (atoms.length > MAX_ATOMS) return "unknown";
  let [both, keptOutside, regionOutside] = [false, false, false];
  for (let row = 0; row < 2 ** atoms.length; row++) {
    const isTrue = new Set(atoms.filter((_, i) => (row >> i) & 1));
    const [inRegion, isKept] = [evaluate(region, isTrue), evaluate(kept, isTrue)];
    both ||= inRegion && isKept;
    keptOutside ||= isKept && !inRegion;
    regionOutside ||= inRegion && !isKept;
  }
  if (!both) return "apart";
  return keptOutside && regionOutside ? "unknown" : "covers";
}

function atomsOf(formula: Formula): string[] {
  switch (formula.kind) {
    case "constant":
      return [];
    case "atom":
      return [formula.name];
    case "not":
      return atomsOf(formula.of);
    default:
      return formula.of.flatMap(atomsOf);
  }
}

function evaluate(formula: Formula, isTrue: ReadonlySet<string>): boolean {
  switch (formula.kind) {
    case "constant":
      return formula.value;
    case "atom":
      return isTrue.has(formula.name);
    case "not":
      return !evaluate(formula.of, isTrue);
    case "and":
      return formula.of.every((part) => evaluate(part, isTrue));
    case "or":
      return formula.of.some((part) => evaluate(part, isTrue));
  }
}
