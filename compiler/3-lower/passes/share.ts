/**
 * Calculates once what a program says several times: a value that occurs in several places gets a statement of its own, before the first
 * that needs it. Draws make no difference: the same place of the file gives the same numbers.
 */
import { childrenOf, withChildren, type Core, type Elementwise } from "../../2-check/core.ts";
import type { Program, Statement } from "../program.ts";

export function share(program: Program): Program {
  const prepare = shareList(program.prepare, []);
  const loss = shareList(
    program.loss,
    program.terms,
    program.terms.map(({ name }) => `loss.${name}`),
  );
  return { ...program, prepare: prepare.statements, loss: loss.statements, terms: loss.ends };
}

interface Valued {
  readonly core: Core;
}

/** `ends` come after all statements; `taken`: keys that other values have. */
function shareList<End extends Valued>(
  statements: readonly Statement[],
  ends: readonly End[],
  taken: readonly string[] = [],
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
    const key = free(nameFor(core, owner), keys);
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

/** Numbers the values of a program, the same value the same number, and counts where each is used. */
class Values {
  readonly #ids = new Map<string, number>();
  readonly #byCore = new Map<Core, number>();
  readonly #uses: number[] = [];

  constructor(roots: readonly Core[]) {
    for (const root of roots) this.#use(root);
  }

  idOf(core: Core): number {
    return this.#byCore.get(core) ?? this.#number(core);
  }

  /** Whether several different values, or statements, are made of it. */
  isShared(id: number): boolean {
    return (this.#uses[id] ?? 0) > 1;
  }

  #use(core: Core): void {
    const id = this.idOf(core);
    const uses = (this.#uses[id] ?? 0) + 1;
    this.#uses[id] = uses;
    if (uses === 1) childrenOf(core).forEach((child) => this.#use(child));
  }

  #number(core: Core): number {
    const children = childrenOf(core).map((child) => this.idOf(child));
    const text = `${ownText(core)}(${children.join()})`;
    const id = this.#ids.get(text) ?? this.#ids.size;
    this.#ids.set(text, id);
    this.#byCore.set(core, id);
    return id;
  }
}

/** What a node is, without its children and its place. */
function ownText(core: Core): string {
  const { span: _, ...rest } = core;
  return JSON.stringify(rest, (_key, value: unknown) => (isCore(value) ? undefined : value));
}

function isCore(value: unknown): boolean {
  return typeof value === "object" && value !== null && "op" in value && "span" in value;
}

/** Tensors that take work; names, sources and numbers do not. */
function isWorthAName({ op, type }: Core): boolean {
  const isFree = op === "ref" || op === "source" || op === "key" || op === "literal" || op === "output";
  return type.stage === "device" && !isFree;
}

function nameFor(core: Core, owner: string): string {
  if (core.op === "coordinate") {
    const name = core.coordinate.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    return `${core.modality}.${core.sequence ? "sequence." : ""}${name}`;
  }
  if (core.op === "tokens" && core.arg.op === "ref") return `${core.arg.key}.tokens`;
  if (core.op === "tokens" && core.arg.op === "source") return `${core.arg.source}.tokens`;
  if (core.op === "has") return `${core.source}.present`;
  return `${owner}.${wordFor(core)}`;
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

function free(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let i = 2; taken.has(name); i++) name = `${wanted}${i}`;
  taken.add(name);
  return name;
}
