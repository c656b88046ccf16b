/**
 * A loss over tokens that were kept clean trains the model to undo noise that is not there: the silent bug that hand-written
 * strategies have most. Reported where it can be proved; `over all` says that it is meant.
 *
 * Masks are read as propositional formulas over their parts. The region R of a term and the kept tokens K are compared by truth
 * table: R and K never both true is right; K implying R (all kept tokens are in) or R implying K (only kept ones are) is wrong; of
 * what remains only the data can tell.
 */
import { isJoined } from "../axes.ts";
import type { Binding, CheckedLoss, Undecided } from "../checked.ts";
import { broadcastTo, map, reduce } from "../combine.ts";
import { literal, type Core, type ModalityName, type Term } from "../core.ts";
import { allNodes, readsPrediction, structureOf } from "../dependencies.ts";
import type { Fix } from "../../diagnostics/diagnostic.ts";
import type { ModalityContext } from "../modality.ts";
import type { Report } from "../report.ts";

type Bindings = ReadonlyMap<string, Binding>;

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
  // That all tokens are kept is a finding of its own.
  if (report.hasErrorAt(keep.span ?? syntax.keySpan)) return [];
  const verdict = compareRegions(mean.weights, keep.core, bindings);
  if (verdict === "apart" || mean.weights.some((weight) => readsPrediction(weight, bindings))) return [];
  if (verdict === "unknown" || verdict === "may meet") {
    if (verdict === "may meet") mayCover(mean, keep, { syntax }, report);
    return [overlapOf(mean, keep, syntax.name, report)];
  }
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

/** `keep` says of the region itself that it is generated, and then keeps some of it for another reason. */
function mayCover(mean: MaskedMean, keep: Binding, { syntax }: Pick<ModalityContext, "syntax">, report: Report): void {
  const [weight, ...more] = mean.weights;
  const m = weight === undefined || more.length > 0 ? null : report.textAt(weight.span);
  const generated = `${syntax.name}.generated`;
  const both =
    m === null || weight?.type.dtype !== "bool" ? null : `(${m.replace(/^\((.*)\)$/s, "$1")} and ${generated})`;
  const help = both === null ? `add \`over ${generated}\`` : `write \`over ${both}\``;
  report.warning(
    "LTX5042",
    weight?.span ?? mean.span ?? { start: 0, end: 0 },
    "this may cover tokens that are kept clean",
    {
      labels: [{ span: keep.span ?? syntax.keySpan, message: "some of them are kept here" }],
      help: `${help}, or \`over all\` if kept tokens are meant to count`,
    },
  );
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

type MaskedMean = Term<"maskedMean">;

function maskedMeans(core: Core, bindings: Bindings): MaskedMean[] {
  const means = [...allNodes(core, bindings)].filter((node) => node.op === "maskedMean");
  // Joined tokens are not those that `keep` is about.
  return means.filter(({ error }) => !error.type.axes.some(isJoined));
}

/** A mask as far as logic sees it; a reference leads to the mask that it names. */
type Shape =
  | { readonly kind: "constant"; readonly value: boolean }
  | { readonly kind: "atom"; readonly name: string }
  | { readonly kind: "ref"; readonly key: string; readonly target: Core }
  | { readonly kind: "not" | "and" | "or"; readonly of: readonly Core[] };

function shapeOf(core: Core, bindings: Bindings): Shape {
  switch (core.op) {
    case "literal":
      return { kind: "constant", value: core.value === true };
    case "ref": {
      const target = bindings.get(core.key)?.core;
      return target?.type.dtype === "bool" ? { kind: "ref", key: core.key, target } : atom(core);
    }
    case "tokens":
    case "grid":
    case "broadcast":
      return shapeOf(core.arg, bindings);
    case "map":
      if (core.fn === "and" || core.fn === "or" || core.fn === "not") return { kind: core.fn, of: core.args };
      // Numbers 0 and 1 restrict as their mask does.
      if (core.fn === "float") return shapeOf(core.args[0] as Core, bindings);
  }
  return atom(core);
}

function atom(core: Core): Shape {
  return { kind: "atom", name: structureOf(core) };
}

function compareRegions(
  weights: readonly Core[],
  keep: Core,
  bindings: Bindings,
): "apart" | "covers" | "may meet" | "unknown" {
  const parts = partsOf([...weights, keep], bindings);
  if (parts === null) return "unknown";
  const tables = new Tables(parts, bindings);
  const region = weights.reduce((table, weight) => table & tables.of(weight), tables.always);
  const kept = tables.of(keep);
  if ((region & kept) === 0n) return "apart";
  if ((kept & ~region) === 0n || (region & ~kept) === 0n) return "covers";
  const known = new Set(partsOf([keep], bindings)?.atoms);
  return partsOf(weights, bindings)?.atoms.every((atom) => known.has(atom)) === true ? "may meet" : "unknown";
}

/** What masks are made of. */
interface Parts {
  readonly atoms: readonly string[];
  /** Keys of the masks that they refer to. */
  readonly keys: ReadonlySet<string>;
}

/** Null for more atoms than a truth table may have. */
function partsOf(masks: readonly Core[], bindings: Bindings): Parts | null {
  const atoms = new Set<string>();
  const keys = new Set<string>();
  const stack = [...masks];
  for (let core = stack.pop(); core !== undefined; core = stack.pop()) {
    const shape = shapeOf(core, bindings);
    if (shape.kind === "atom") atoms.add(shape.name);
    if (shape.kind === "ref" && !keys.has(shape.key)) {
      keys.add(shape.key);
      stack.push(shape.target);
    }
    if ("of" in shape) stack.push(...shape.of);
    if (atoms.size > MAX_ATOMS) return null;
  }
  return { atoms: [...atoms], keys };
}

/** Truth tables of masks: bit `r` says whether the mask holds where exactly those atoms do whose bits are set in `r`. */
class Tables {
  /** Of a mask that always holds. */
  readonly always: bigint;
  readonly #bindings: Bindings;
  readonly #ofAtom: ReadonlyMap<string, bigint>;
  readonly #ofKey = new Map<string, bigint>();

  constructor({ atoms, keys }: Parts, bindings: Bindings) {
    const rows = Array.from({ length: 2 ** atoms.length }, (_, row) => row);
    this.always = (1n << BigInt(rows.length)) - 1n;
    this.#bindings = bindings;
    const column = (i: number) =>
      BigInt(
        `0b${rows
          .map((row) => (row >> i) & 1)
          .toReversed()
          .join("")}`,
      );
    this.#ofAtom = new Map(atoms.map((name, i) => [name, column(i)]));
    // Each after those that it needs, so that no reference leads to another one that is not known yet.
    for (const [key, { core }] of bindings) if (keys.has(key)) this.#ofKey.set(key, this.of(core));
  }

  of(mask: Core): bigint {
    const shape = shapeOf(mask, this.#bindings);
    switch (shape.kind) {
      case "constant":
        return shape.value ? this.always : 0n;
      case "atom":
        return this.#ofAtom.get(shape.name) ?? 0n;
      case "ref":
        return this.#ofKey.get(shape.key) ?? 0n;
      case "not":
        return this.always ^ shape.of.reduce((table, part) => table | this.of(part), 0n);
      case "and":
        return shape.of.reduce((table, part) => table & this.of(part), this.always);
      case "or":
        return shape.of.reduce((table, part) => table | this.of(part), 0n);
    }
  }
}
