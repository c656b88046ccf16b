/**
 * Calculates once what a program says several times: a value that occurs in several places gets a statement of its own, before the first
 * that needs it. Draws make no difference: the same place of the file gives the same numbers.
 */
import { childrenOf, withChildren, type Core, type Elementwise } from "../../2-check/core.ts";
import { placeKey } from "../../2-check/environment.ts";
import type { Program, Statement } from "../program.ts";
import { Values } from "../values.ts";

export function share(program: Program): Program {
  const functions = new Map(program.functions.map(({ name, body }) => [placeKey(body), name]));
  const prepare = shareList(program.prepare, [], { functions, taken: [] });
  const loss = shareList(program.loss, program.terms, {
    functions,
    taken: program.terms.map(({ name }) => `loss.${name}`),
  });
  return { ...program, prepare: prepare.statements, loss: loss.statements, terms: loss.ends };
}

interface Valued {
  readonly core: Core;
}

interface Naming {
  /** Bindings with arguments, by the places of their bodies. */
  readonly functions: ReadonlyMap<string, string>;
  /** Keys that other values have. */
  readonly taken: readonly string[];
}

/** `ends` come after all statements. */
function shareList<End extends Valued>(
  statements: readonly Statement[],
  ends: readonly End[],
  { functions, taken }: Naming,
) {
  const values = new Values([...statements, ...ends].map(({ core }) => core));
  const keys = new Set([...statements.map(({ key }) => key), ...taken]);
  const named = new Map<number, string>();
  const before: Statement[] = [];

  /** The value with what is shared replaced by references to statements, which are added to `before`. */
  const replace = (core: Core, owner: string): Core => {
    const id = values.idOf(core);
    const known = named.get(id);
    if (known !== undefined) return { op: "ref", key: known, type: core.type, span: core.span };
    const inner = withChildren(core, (child) => replace(child, owner));
    if (!values.isShared(id) || !isWorthAName(core)) return inner;
    const key = free(namesFor(core, owner, functions), keys);
    named.set(id, key);
    before.push({ key, core: inner, span: null });
    return { op: "ref", key, type: core.type, span: core.span };
  };
  /** A statement is the name of its own value, unless an earlier one is. */
  const body = (core: Core, owner: string): Core => {
    const key = named.get(values.idOf(core));
    if (key !== undefined) return { op: "ref", key, type: core.type, span: core.span };
    return withChildren(core, (child) => replace(child, owner));
  };

  const shared = statements.flatMap((statement): Statement[] => {
    const core = body(statement.core, statement.key);
    if (isWorthAName(statement.core)) named.set(values.idOf(statement.core), statement.key);
    return [...before.splice(0), { ...statement, core }];
  });
  const last = ends.map((end) => ({ ...end, core: replace(end.core, "loss") }));
  return { statements: [...shared, ...before], ends: last };
}

/** Tensors that take work; names, sources and numbers do not. */
function isWorthAName({ op, type }: Core): boolean {
  const isFree = op === "ref" || op === "source" || op === "key" || op === "literal" || op === "output";
  return type.stage === "device" && !isFree;
}

/** From the one that fits best to the one that tells it from others like it. */
function namesFor(core: Core, owner: string, functions: Naming["functions"]): readonly string[] {
  if (core.op === "coordinate") {
    const name = core.coordinate.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    return [`${core.modality}.${core.sequence ? "sequence." : ""}${name}`];
  }
  if (core.op === "tokens" && core.arg.op === "ref") return [`${core.arg.key}.tokens`];
  if (core.op === "tokens" && core.arg.op === "source") return [`${core.arg.source}.tokens`];
  if (core.op === "has") return [`${core.source}.present`];
  const word = (core.span === null ? undefined : functions.get(placeKey(core.span))) ?? wordFor(core);
  return [`${owner}.${word}`, ...readsOf(core).map((read) => `${owner}.${read}.${word}`)];
}

/** The names that a value is made of, the last part of each. */
function readsOf(core: Core): readonly string[] {
  if (core.op === "ref") return [core.key.split(".").at(-1)?.replace(/\W/g, "") ?? core.key];
  if (core.op === "source") return [core.source];
  return childrenOf(core).flatMap(readsOf);
}

/** What a value without a name is called, behind what it is a part of. */
function wordFor(core: Core): string {
  if (core.op === "map") return words[core.fn] ?? (core.type.dtype === "bool" ? "mask" : "part");
  if (core.op === "reduce") return core.fn === "any" || core.fn === "all" ? "mask" : core.fn;
  if (core.op === "maskedMean") return "mean";
  if (core.op === "grid" || core.op === "tokens" || core.op === "quantile") return core.op;
  if (core.op === "neighbours") return core.fn === "blur" ? "blurred" : "dilated";
  if (core.op === "dft") return "frequencies";
  if (core.op === "shift") return "shifted";
  return core.type.dtype === "bool" ? "mask" : "part";
}

const words: Readonly<Partial<Record<Elementwise, string>>> = {
  add: "sum",
  sub: "difference",
  mul: "product",
  div: "quotient",
  pow: "power",
  maximum: "larger",
  minimum: "smaller",
  where: "choice",
  float: "number",
  neg: "negated",
  abs: "size",
  sqrt: "root",
  square: "square",
  exp: "exponential",
  log: "logarithm",
  floor: "whole",
};

/** The first name that is free; where none is, the first one with a number. */
function free(wanted: readonly string[], taken: Set<string>): string {
  const [first = "", ...others] = wanted;
  let name = [first, ...others].find((each) => !taken.has(each)) ?? first;
  for (let i = 2; taken.has(name); i++) name = `${first}${i}`;
  taken.add(name);
  return name;
}
