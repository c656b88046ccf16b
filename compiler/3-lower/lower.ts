/** Splits a checked strategy at the model: what the prediction decides goes into the loss, all else is prepared before. */
import { keysForModel, type CheckedMetadata, type CheckedStrategy } from "../2-check/checked.ts";
import { childrenOf, withChildren, type Core, type PassField } from "../2-check/core.ts";
import { probeStatements, probedValues } from "./probe.ts";
import type { Probe, Program, Statement } from "./program.ts";

export function lower(strategy: CheckedStrategy, options: { readonly probe: boolean }): Program {
  const { bindings, modalities, losses, passes, undecided, metadata, expectations, ...head } = strategy;
  const statements = withInputs([...bindings.values()]);
  const late = lateKeys(statements);
  const byKey = new Map<string, Statement>(statements.map((statement) => [statement.key, statement]));

  const terms = losses.map((term) => ({ ...term, core: readSourcesEarly(term.core, byKey) }));
  const loss = statements.filter(({ key }) => late.has(key)).map((statement) => withSourcesEarly(statement, byKey));
  const usedLate = reachable(
    terms.map(({ core }) => core),
    new Map(loss.map((statement) => [statement.key, statement])),
  );
  const lossStatements = loss.filter(({ key }) => usedLate.has(key));
  const probe = options.probe ? probeOf(strategy, loss, byKey) : null;
  const shown = probe === null ? [] : keysOf(probe).filter((key) => byKey.has(key));
  const values = [...new Set([...usedLate, ...shown])].filter((key) => !late.has(key));

  const overlaps = undecided.map(({ term, overlap }) => ({ key: `overlap.${term}`, core: overlap, span: null }));
  for (const statement of overlaps) byKey.set(statement.key, statement);
  const wanted = [...modalities.flatMap(keysForModel), ...values, ...overlaps.map(({ key }) => key)];
  const roots = wanted.flatMap((key) => byKey.get(key)?.core ?? []);
  const early = new Set([...wanted, ...reachable(roots, byKey)]);
  const prepare = [...byKey.values()].filter(({ key }) => early.has(key) && !late.has(key));
  return {
    ...head,
    modalities,
    passes: statements.flatMap(({ core }) => passes.filter(({ name }) => core.op === "pass" && core.pass === name)),
    prepare,
    loss: lossStatements,
    values,
    terms,
    undecided: undecided.map(({ term }) => term),
    metadata: lowerMetadata(metadata, statements),
    expected: expectations.length,
    probe,
  };
}

/**
 * Where a call is given what exists only after the step's own, its other inputs are prepared before: as a function of what is missing, since
 * the loss gets no batch to make them from.
 */
function withInputs(statements: readonly Statement[]): readonly Statement[] {
  const late = lateKeys(statements);
  return statements.flatMap((statement): Statement[] => {
    const { core, key } = statement;
    if (core.op !== "pass" || core.inputs.op !== "passInputs" || !late.has(key)) return [statement];
    const { inputs } = core;
    const isGiven = ({ core: field }: PassField) => field.op === "ref" && late.has(field.key);
    const given = inputs.fields.filter(isGiven);
    const prepared = { ...inputs, given, fields: inputs.fields.filter((field) => !isGiven(field)) };
    const ref: Core = { op: "ref", key: `${key}.inputs`, type: inputs.type, span: null };
    const call: Core = { ...core, inputs: ref, args: given.map((field) => field.core) };
    return [
      { key: `${key}.inputs`, core: prepared, span: null },
      { ...statement, core: call },
    ];
  });
}

function lowerMetadata(entries: readonly CheckedMetadata[], statements: readonly Statement[]): Program["metadata"] {
  const cores = entries.flatMap(({ parts }) => parts.filter((part) => typeof part !== "string"));
  const needed = reachable(cores, new Map(statements.map((statement) => [statement.key, statement])));
  return { entries, statements: statements.filter(({ key }) => needed.has(key)) };
}

function probeOf(strategy: CheckedStrategy, late: readonly Statement[], byKey: Map<string, Statement>): Probe {
  const added = probeStatements(strategy).map((statement) => withSourcesEarly(statement, byKey));
  return {
    statements: [...late, ...added],
    values: probedValues([...strategy.bindings.values()], added, (key) => byKey.get(key)),
  };
}

function keysOf({ statements, values }: Probe): string[] {
  const cores = statements.map(({ core }) => core);
  return [...values.map(({ key }) => key), ...reachable(cores, new Map())];
}

/** Keys of the statements that exist only after the model has run; each comes after those that it refers to. */
function lateKeys(statements: readonly Statement[]): ReadonlySet<string> {
  const late = new Set<string>();
  const isLate = (core: Core): boolean =>
    core.op === "prediction" ||
    core.op === "output" ||
    (core.op === "ref" && late.has(core.key)) ||
    childrenOf(core).some(isLate);
  for (const { key, core } of statements) if (isLate(core)) late.add(key);
  return late;
}

/** Keys that the values refer to, through `statements`. */
function reachable(cores: readonly Core[], statements: ReadonlyMap<string, Statement>): Set<string> {
  const found = new Set<string>();
  // Not by recursion: statements may refer to each other thousands deep.
  const left = cores.toReversed();
  for (let core = left.pop(); core !== undefined; core = left.pop()) {
    left.push(...childrenOf(core).toReversed());
    if (core.op !== "ref" || found.has(core.key)) continue;
    found.add(core.key);
    const target = statements.get(core.key);
    if (target !== undefined) left.push(target.core);
  }
  return found;
}

/** The loss does not get the batch: a source that it reads becomes a value of `prepare`. */
function readSourcesEarly(core: Core, byKey: Map<string, Statement>): Core {
  const key = sourceKey(core);
  if (key === null) return withChildren(core, (child) => readSourcesEarly(child, byKey));
  byKey.set(key, { key, core, span: core.span });
  return { op: "ref", key, type: core.type, span: core.span };
}

function withSourcesEarly(statement: Statement, byKey: Map<string, Statement>): Statement {
  return { ...statement, core: readSourcesEarly(statement.core, byKey) };
}

/** Key of a value that is read off the batch, null for any other. */
function sourceKey(core: Core): string | null {
  if (core.op === "source") return `source.${core.source}`;
  if (core.op === "in") return `in.${core.dataset}`;
  if (core.op === "has") return `has.${core.source}`;
  if (core.op === "fps") return `${core.source}.fps`;
  return core.op === "size" && core.of !== "video" && core.of !== "audio" ? `${core.of}.${core.size}` : null;
}
