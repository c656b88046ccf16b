/** Checks what later code relies on. A violation is a bug of the compiler, so it throws. */
import { childrenOf, type Core } from "../2-check/core.ts";
import type { Program, Statement } from "./program.ts";

export function verify(program: Program): void {
  const prepared = verifyList(program.prepare, new Map());
  for (const key of program.values) if (!prepared.has(key)) broken(`the loss needs ${key}, which is not prepared`);
  const values = new Set(program.values);
  const visible = new Map([...prepared].filter(([key]) => values.has(key)));
  const known = verifyList(program.loss, visible);
  for (const term of program.terms) verifyCore(term.core, known, `term ${term.name}`);
  if (program.probe !== null) verifyList(program.probe.statements, visible);
}

function verifyList(statements: readonly Statement[], known: ReadonlyMap<string, Core>): ReadonlyMap<string, Core> {
  const defined = new Map(known);
  for (const { key, core } of statements) {
    if (defined.has(key)) broken(`${key} is defined twice`);
    verifyCore(core, defined, key);
    defined.set(key, core);
  }
  return defined;
}

function verifyCore(core: Core, known: ReadonlyMap<string, Core>, where: string): void {
  for (const child of childrenOf(core)) verifyCore(child, known, where);
  const { axes } = core.type;
  if (new Set(axes).size !== axes.length) broken(`${where}: an axis twice in [${axes.join(", ")}]`);
  if (core.op === "error") broken(`${where}: a reported mistake reached the program`);
  if (core.op === "ref") {
    const target = known.get(core.key);
    if (target === undefined) broken(`${where}: ${core.key} is used before it is defined`);
    else if (target.type.axes.join() !== axes.join()) broken(`${where}: ${core.key} has other axes`);
  }
  if (core.op === "map") {
    const foreign = core.args.flatMap((arg) => arg.type.axes).find((axis) => !axes.includes(axis));
    if (foreign !== undefined) broken(`${where}: ${core.fn} loses the axis ${foreign}`);
  }
  if (core.op === "maskedMean") {
    const foreign = core.weights.flatMap(({ type }) => type.axes).find((axis) => !core.error.type.axes.includes(axis));
    if (foreign !== undefined) broken(`${where}: a weight over ${foreign}, which the error has not`);
  }
  if (core.op === "reduce" && core.axes.some((axis) => !core.arg.type.axes.includes(axis) || axes.includes(axis))) {
    broken(`${where}: ${core.fn} over [${core.axes.join(", ")}] of [${core.arg.type.axes.join(", ")}]`);
  }
}

function broken(what: string): never {
  throw new Error(`the lowered strategy is inconsistent: ${what}`);
}
