/** A `let` with arguments that is used several times in one body becomes a function there. */
import type { CheckedFunction } from "../../2-check/checked.ts";
import { childrenOf, withChildren, type Core, type Type } from "../../2-check/core.ts";
import { placeKey } from "../../2-check/environment.ts";
import { ownText, Values } from "../../3-lower/values.ts";

/** A parameter is a reference to `key`. */
interface Parameter {
  readonly name: string;
  readonly key: string;
  readonly type: Type;
}

export interface LocalFunction {
  readonly written: CheckedFunction;
  readonly parameters: readonly Parameter[];
  readonly body: Core;
}

interface LocalCall {
  readonly of: LocalFunction;
  /** A value for each parameter. */
  readonly args: readonly Core[];
}

/** The uses that become calls of a function, among the values of a body; all others stay where they are. */
export function localCalls(
  functions: readonly CheckedFunction[],
  roots: readonly Core[],
): ReadonlyMap<Core, LocalCall> {
  const values = new Values(roots);
  const calls = new Map<Core, LocalCall>();
  for (const written of functions) {
    const [first, ...more] = usesOf(written, roots);
    if (first === undefined) continue;
    const same = more.filter((use) => madeOf(written, [first, use], values) !== null);
    const uses = [first, ...same];
    const made = same.length === 0 ? null : madeOf(written, uses, values);
    if (made === null) continue;
    const of = { written, parameters: made.parameters, body: made.body };
    uses.forEach((use, i) => calls.set(use, { of, args: made.args.map((each) => each[i] ?? use) }));
  }
  return calls;
}

/** Tensors that were put in for the binding, the outer ones where it is used for its own argument. */
function usesOf({ body }: CheckedFunction, roots: readonly Core[]): Core[] {
  const found = new Set<Core>();
  const visit = (core: Core): void => {
    const isUse = core.span !== null && placeKey(core.span) === placeKey(body);
    if (isUse && core.op !== "ref" && core.type.stage === "device") found.add(core);
    else childrenOf(core).forEach(visit);
  };
  roots.forEach(visit);
  return [...found];
}

interface Made {
  readonly body: Core;
  readonly parameters: readonly Parameter[];
  /** Of each parameter the values in the uses. */
  readonly args: readonly (readonly Core[])[];
}

/** What the uses have in common, with parameters where they differ; null where they differ in more than values. */
function madeOf(written: CheckedFunction, uses: readonly Core[], values: Values): Made | null {
  const parameters = new Parameters(values);
  const common = (nodes: readonly Core[], around: Core | null): Core | null => {
    const [first] = nodes;
    if (first === undefined) return null;
    const isSame = nodes.every((node) => values.idOf(node) === values.idOf(first));
    const argument = argumentName(written, first);
    const name = argument ?? (isSame ? null : ownName(first, around));
    const parameter = name === null ? null : parameters.take(name, nodes);
    if (parameter !== null) return parameter;
    if ((name !== null && !isSame) || isPrintedOnce(first)) return null;
    return isSame && argumentsIn(written, first).length === 0 ? first : withCommon(nodes, common);
  };
  const body = common(uses, null);
  if (body === null || body.op === "ref") return null;
  return { body, ...parameters.inOrder([...new Set(written.given.values())]) };
}

/** Nodes that are alike, with what their children have in common. */
function withCommon(
  nodes: readonly Core[],
  common: (nodes: readonly Core[], around: Core) => Core | null,
): Core | null {
  const [first] = nodes;
  const [own, ...others] = nodes.map(childrenOf);
  if (first === undefined || own === undefined) return null;
  const isAlike = nodes.every((node) => ownText(node) === ownText(first));
  if (!isAlike || others.some(({ length }) => length !== own.length)) return null;
  const inner = own.map((child, at) => common([child, ...others.flatMap((each) => each[at] ?? [])], first));
  if (inner.includes(null)) return null;
  let at = 0;
  return withChildren(first, (child) => inner[at++] ?? child);
}

/** The parameters of a function, each with its values in the uses. */
class Parameters {
  readonly #values: Values;
  readonly #byValues = new Map<string, { readonly parameter: Parameter; readonly args: readonly Core[] }>();

  constructor(values: Values) {
    this.#values = values;
  }

  /** A reference to the parameter with these values; null where they can not be passed on, or another one has the name. */
  take(name: string, nodes: readonly Core[]): Core | null {
    const [first] = nodes;
    const types = new Set(nodes.map(({ type }) => JSON.stringify(type)));
    if (first === undefined || types.size > 1) return null;
    if (first.type.stage !== "device" && first.type.stage !== "host") return null;
    const id = nodes.map((node) => this.#values.idOf(node)).join();
    const known = this.#byValues.get(id)?.parameter;
    if (known === undefined && [...this.#byValues.values()].some(({ parameter }) => parameter.name === name))
      return null;
    const parameter = known ?? { name, key: `argument.${name}`, type: first.type };
    this.#byValues.set(id, { parameter, args: nodes });
    return { op: "ref", key: parameter.key, type: parameter.type, span: first.span };
  }

  /** Those of the binding first, as it lists them. */
  inOrder(names: readonly string[]): Pick<Made, "parameters" | "args"> {
    const place = ({ name }: Parameter) => (names.includes(name) ? names.indexOf(name) : names.length);
    const all = [...this.#byValues.values()].toSorted((a, b) => place(a.parameter) - place(b.parameter));
    return { parameters: all.map(({ parameter }) => parameter), args: all.map(({ args }) => args) };
  }
}

/** The binding's parameter that a value was given to; null for what is written in its body. */
function argumentName({ given, body }: CheckedFunction, core: Core): string | null {
  // How large it is made is told by what is around it.
  if (core.span === null || core.op === "enlarge") return null;
  const place = placeKey(core.span);
  // A use for the binding's own argument has the place of its body, too.
  return place === placeKey(body) && core.op !== "ref" ? null : (given.get(place) ?? null);
}

function argumentsIn(written: CheckedFunction, core: Core): readonly string[] {
  const own = argumentName(written, core);
  return own === null ? childrenOf(core).flatMap((child) => argumentsIn(written, child)) : [own];
}

/** What a value that differs between uses, and is no argument itself, is called; null where its parts are looked at instead. */
function ownName(core: Core, around: Core | null): string | null {
  if (core.op === "draw") return core.fn === "randn" ? "noise" : "random";
  if (core.op === "sampled") return "levels";
  if (core.op !== "literal") return null;
  // What is calculated of an argument, as `3.5 * radius`, is a number by now.
  return around?.op === "map" && around.fn === "mul" ? "factor" : "number";
}

/** Whether a value has numbers that are new in each step: each has a name of its own, under which it is passed on once. */
function isPrintedOnce(core: Core): boolean {
  const { stage } = core.type;
  const isOwn = stage === "sample" || stage === "step" || (core.op === "coordinate" && core.coordinate === "time");
  return isOwn || childrenOf(core).some(isPrintedOnce);
}
