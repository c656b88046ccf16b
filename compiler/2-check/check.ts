/** The check phase: from what a file says to a strategy whose names, axes and masks are right. */
import type { Expression } from "../1-parse/expression/ast.ts";
import type { StrategySyntax } from "../1-parse/syntax.ts";
import type { Bag } from "../diagnostics/bag.ts";
import type { SourceFile } from "../source/source-file.ts";
import type { Binding, CheckedLoss, CheckedParam, CheckedStrategy } from "./checked.ts";
import type { Type } from "./core.ts";
import { declare, type Declarations } from "./declarations.ts";
import type { ModalityContext } from "./modality.ts";
import { needsOthers } from "./other-samples.ts";
import { checkedPasses, type PassContext } from "./passes.ts";
import { Report } from "./report.ts";
import { attentionWithoutKey } from "./rules/attention-without-key.ts";
import { calledNetworks } from "./rules/called-networks.ts";
import { checkDatasets } from "./rules/datasets.ts";
import { fpsWithReferences } from "./rules/fps-with-references.ts";
import { frozenKeys } from "./rules/frozen-keys.ts";
import { importPaths } from "./rules/import-paths.ts";
import { languageTwo } from "./rules/language-2.ts";
import { checkLike } from "./rules/like.ts";
import { lossOverKept } from "./rules/loss-over-kept.ts";
import { missingLoss } from "./rules/missing-loss.ts";
import { noGradient } from "./rules/no-gradient.ts";
import { levelBounds, noiseForEachElement } from "./rules/noise-and-level.ts";
import { notItsTarget } from "./rules/not-its-target.ts";
import { overTheBatch } from "./rules/odd-reductions.ts";
import { alwaysKept, queryWithoutKey } from "./rules/on-every-grid.ts";
import { passRules, targetOfAnother, unreadPasses } from "./rules/passes.ts";
import { guardedReads, neededSources } from "./rules/optional-sources.ts";
import { paramDefaults } from "./rules/param-defaults.ts";
import { paramUnits } from "./rules/param-units.ts";
import { predictionTooEarly } from "./rules/prediction-too-early.ts";
import { checkSources } from "./rules/source-directories.ts";
import { suspicious } from "./rules/suspicious.ts";
import { unlikeFeatures } from "./rules/unlike-features.ts";
import { unused } from "./rules/unused.ts";
import { Scope } from "./scope.ts";
import { checkWeights } from "./weights.ts";

/** What a check has learnt, for editors: there, too, where it found errors. */
export interface Learnt {
  /** Values that could be checked, by their keys. */
  readonly bindings: Map<string, Binding>;
  /** Types of the expressions that have one; null if nobody asks for them. */
  readonly types: Map<Expression, Type> | null;
  /** The names of the strategy. */
  declarations: Declarations | null;
}

/** Null where anything is an error; all findings of the file are in the bag. `learnt` is filled in. */
export function checkStrategy(
  syntax: StrategySyntax,
  bag: Bag,
  file: SourceFile,
  learnt: Learnt = { bindings: new Map(), types: null, declarations: null },
): CheckedStrategy | null {
  const { bindings } = learnt;
  const report = new Report(bag, bindings, file, learnt.types);
  const declarations = (learnt.declarations = declare(syntax, report));
  declarationRules(syntax, declarations, report);
  const sources = checkSources(syntax, declarations, report);
  const datasets = checkDatasets(syntax, declarations, report);
  const scope = new Scope(syntax, declarations, report, bindings);
  const modalities = scope.modalities();
  for (const { syntax: binder } of lets(declarations)) scope.touch(binder.binder.name.text, binder.binder.name.span);
  const losses = syntax.losses.flatMap((loss) => scope.loss(loss));
  const metadata = syntax.metadata.map((entry) => scope.metadata(entry));
  const expectations = syntax.expect.flatMap((value, i) => scope.expectation(value, i));

  const passes = scope.touchPasses();
  const networks = calledNetworks(syntax.networks, declarations, report);
  const weights = checkWeights(syntax.weights, declarations, modalities, passes, report);
  const contexts = [...scope.contexts.values()];
  for (const context of contexts) modalityRules(context, report);
  const meetings = rules({ syntax, declarations, scope, losses, passes, bindings }, report);
  const checked = { declarations, contexts, passes, bindings };
  const needed = neededSources(checked, report);
  guardedReads({ ...checked, losses, metadata, expectations }, needed, report);
  const undecided = lossOverKept(losses, contexts, scope.bindings.finished, report);
  // A mistake hides uses, so what is unread can be told only without one.
  if (!bag.hasErrors) unreadPasses(passes, losses, contexts, bindings, report);
  if (bag.hasErrors) return null;
  notItsTarget(losses, bindings, report);
  targetOfAnother(losses, passes, scope, report);
  attentionWithoutKey(contexts, bindings, report);
  const params = paramsOf(declarations);
  const everything = [...losses, ...bindings.values()].map(({ core }) => core);
  suspicious({ syntax, sources, params, losses, contexts, bindings }, report);
  unused(declarations, report);
  return {
    name: syntax.name?.text ?? "",
    description: syntax.description?.value ?? "",
    language: syntax.language?.value ?? 1,
    params,
    sources: sources.map((source) => ({ ...source, meets: [...(meetings.get(source.name) ?? [])] })),
    datasets,
    modalities,
    bindings: scope.bindings.finished,
    losses,
    smallestBatch: needsOthers(everything, bindings) ? 2 : 1,
    passes: checkedPasses(passes, scope.contexts),
    undecided,
    outputs: [...declarations.outputs.values()],
    weights,
    networks,
    ...functionsOf(syntax, declarations, scope),
    metadata,
    expectations,
  };
}

/** What can be said before any value is read. */
function declarationRules(syntax: StrategySyntax, declarations: Declarations, report: Report): void {
  paramDefaults(syntax, report);
  paramUnits(syntax, report);
  importPaths(syntax.imports, report);
  languageTwo(syntax, report);
  checkLike(declarations, report);
}

function modalityRules(context: ModalityContext, report: Report): void {
  frozenKeys(context, report);
  fpsWithReferences(context, report);
  levelBounds(context, report);
}

interface Ruled {
  readonly syntax: StrategySyntax;
  readonly declarations: Declarations;
  readonly scope: Scope;
  readonly losses: readonly CheckedLoss[];
  readonly passes: readonly PassContext[];
  readonly bindings: ReadonlyMap<string, Binding>;
}

/** Rules that hold also where something else is wrong. Gives the sources whose features meet those of heads and networks. */
function rules({ syntax, declarations, scope, losses, passes, bindings }: Ruled, report: Report) {
  const contexts = [...scope.contexts.values()];
  predictionTooEarly(contexts, bindings, report);
  missingLoss(syntax, contexts, losses, scope.bindings.finished, report);
  noiseForEachElement(contexts, bindings, report);
  noGradient(losses, contexts, bindings, report);
  passRules(passes, losses, bindings, report);
  alwaysKept(contexts, bindings, report);
  queryWithoutKey(contexts, bindings, report);
  overTheBatch(losses, bindings, report);
  return unlikeFeatures({ declarations, losses, bindings }, report);
}

/** Bindings without arguments; those with arguments are checked where they are used. */
function lets({ byName }: Declarations) {
  return [...byName.values()].flatMap((entry) =>
    entry.kind === "let" && entry.syntax.binder.parameters === null ? [entry] : [],
  );
}

/** Functions that are used. */
/** Functions that are used: imported ones, and bindings with arguments. */
function functionsOf(
  { imports }: StrategySyntax,
  { used }: Declarations,
  scope: Scope,
): Pick<CheckedStrategy, "imports" | "functions"> {
  const imported = imports.flatMap(({ name, from, python, type }) =>
    from !== null && used.has(name.text)
      ? [{ name: name.text, from: from.value, span: from.span, python, arity: type?.parameters.length ?? 0 }]
      : [],
  );
  return { imports: imported, functions: scope.functions() };
}

/** The params that could be read, also of a strategy with errors elsewhere. */
export function paramsOf({ byName }: Declarations): readonly CheckedParam[] {
  return [...byName.values()].flatMap((entry) =>
    entry.kind === "param"
      ? [{ name: entry.name.text, type: entry.type, schema: entry.syntax.schema, span: entry.name.span }]
      : [],
  );
}
