/** A graph as a list of calls, made once: which slot holds which value, and after which call it is freed. */
import { byteSize, type ElementType, type Graph, type Initializer, type Node, type Value } from "../../graph/graph.ts";
import { executionOrder } from "../../graph/order.ts";
import { CallBuilder, type Call } from "./calls.ts";
import type { Torch } from "./library.ts";
import { smallNumbers } from "./numbers.ts";
import { operators } from "./operators/index.ts";
import type { Operand } from "./operators/lowering.ts";

/**
 * What a run goes through. A step of a large model has a hundred thousand calls, each of them once, so what they need lies close together:
 * looking it up would take longer than to call.
 */
interface Loop {
  readonly runs: readonly Call["run"][];
  /** Slots that nothing reads after a call, in the order of the calls. */
  readonly frees: Int32Array;
  /** By call, where its part of `frees` ends. */
  readonly freesEnd: Int32Array;
}

/** An output of the graph. */
export interface PlannedOutput extends Pick<Value, "shape" | "dtype"> {
  readonly slot: number;
  /** Whether the slot's handle stays where it is, since it is an input, a constant, or a later output as well. */
  readonly isShared: boolean;
  /** Whether it may be a view, so that memory of which it is a part would live on with it. */
  readonly isView: boolean;
}

/** An initializer, in the type in which it is read. */
export interface Constant extends Initializer {
  readonly readAs: ElementType;
}

export interface Plan {
  readonly calls: readonly Call[];
  readonly loop: Loop;
  /** How many there are. */
  readonly slots: number;
  /** One slot per input of the graph. */
  readonly inputs: readonly number[];
  /** The slots of inputs and constants, which no call writes. */
  readonly given: ReadonlySet<number>;
  /** What calls read of the initializers, by slot. */
  readonly constants: ReadonlyMap<number, Constant>;
  readonly outputs: readonly PlannedOutput[];
}

/** Throws an Error for a node that has no call, or that is not as its operator needs it. */
export function planOf(torch: Torch, graph: Graph): Plan {
  const values = new Values(graph);
  const build = new CallBuilder(torch);
  const slots = new Map<string, number>();
  const slotOf = (name: string): number => {
    const known = slots.get(name) ?? build.slot();
    slots.set(name, known);
    return known;
  };
  const inputs = graph.inputs.map(({ name }) => slotOf(name));
  const narrowed = narrowedWeights(graph);
  for (const node of executionOrder(graph))
    if (!aliases.has(node.op) && !narrowed.has(node.outputs[0]?.name ?? "")) lower(node, build, { values, slotOf });
  const initializers = new Map<number, Constant>([
    ...graph.initializers.map((x) => [slotOf(x.name), { ...x, readAs: x.dtype }] as const),
    ...[...narrowed].map(([name, x]) => [slotOf(name), x] as const),
  ]);
  const given = new Set([...inputs, ...initializers.keys()]);
  const outputs = outputsOf(graph, values, { build, slotOf, kept: given });
  const read = new Set([...build.calls.flatMap(({ reads }) => reads), ...outputs.map(({ slot }) => slot)]);
  const constants = new Map([...initializers].filter(([slot]) => read.has(slot)));
  const kept = new Set([...given, ...outputs.map(({ slot }) => slot)]);
  return { calls: build.calls, loop: loopOf(build.calls, kept), slots: build.slots, inputs, given, constants, outputs };
}

/** Operators whose output is another name of their first operand. `After` has done its work once the order of the nodes is known. */
export const aliases: ReadonlySet<string> = new Set(["Identity", "After"]);

/**
 * Weights of a file that are read in a smaller type, by the names of the Casts: these are done once, when the graph is opened. (A larger
 * type is made when it is needed, and freed.)
 */
function narrowedWeights({ nodes, initializers }: Graph): ReadonlyMap<string, Constant> {
  const weights = new Map(initializers.flatMap((x) => (x.bytes instanceof Uint8Array ? [] : [[x.name, x] as const])));
  return new Map(
    nodes.flatMap(({ op, inputs, outputs }) => {
      const [weight, made] = [weights.get(inputs[0] ?? ""), outputs[0]];
      if (op !== "Cast" || weight === undefined || made === undefined || byteSize(made) >= byteSize(weight)) return [];
      return [[made.name, { ...weight, readAs: made.dtype }] as const];
    }),
  );
}

/** The values of a graph, by all their names. */
class Values {
  readonly #values = new Map<string, Value>();
  readonly #names = new Map<string, string>();
  readonly #uses = new Map<string, number>();
  readonly #constants: ReadonlyMap<string, Initializer>;
  readonly #inputs: ReadonlySet<string>;
  /** Of the constants that were asked for. */
  readonly #numbers = new Map<string, readonly number[] | null>();

  constructor({ inputs, initializers, nodes, outputs }: Graph) {
    this.#inputs = new Set(inputs.map(({ name }) => name));
    this.#constants = new Map(initializers.map((x) => [x.name, x]));
    for (const value of [...inputs, ...initializers, ...nodes.flatMap((node) => node.outputs)])
      this.#values.set(value.name, value);
    for (const { op, inputs: read, outputs: made } of nodes)
      if (aliases.has(op)) this.#names.set(made[0]?.name ?? "", this.nameOf(read[0] ?? ""));
    const reads = nodes.flatMap((node) => (aliases.has(node.op) ? [] : node.inputs));
    for (const name of [...reads, ...outputs].map((x) => this.nameOf(x)))
      this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1);
  }

  nameOf(name: string): string {
    return this.#names.get(name) ?? name;
  }

  of(name: string): Value {
    const value = this.#values.get(name);
    if (value === undefined) throw new Error(`the graph has no value ${name}`);
    return value;
  }

  usesOf(name: string): number {
    return this.#uses.get(name) ?? 0;
  }

  /** Whether it is an input or an initializer. */
  isGiven(name: string): boolean {
    return this.#inputs.has(name) || this.#constants.has(name);
  }

  numbersOf(name: string): readonly number[] | null {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const constant = this.#constants.get(name);
    const numbers = constant === undefined ? null : smallNumbers(constant);
    this.#numbers.set(name, numbers);
    return numbers;
  }
}

interface Names {
  readonly values: Values;
  slotOf(name: string): number;
}

function lower(node: Node, build: CallBuilder, { values, slotOf }: Names): void {
  const operator = operators.get(node.op);
  const [first] = node.outputs;
  if (operator === undefined || first === undefined) throw new Error(`the engine torch has no operator ${node.op}`);
  const operandOf = (given: string): Operand => {
    const name = values.nameOf(given);
    const { shape, dtype } = values.of(name);
    const slot = slotOf(name);
    const isFree = values.usesOf(name) === 1 && build.isOwner(slot);
    return { slot, shape, dtype, numbers: values.numbersOf(name), isFree, isGiven: values.isGiven(name) };
  };
  build.node = first.name;
  operator({
    build,
    operands: node.inputs.filter((name) => name !== "").map(operandOf),
    attributes: node.attributes,
    outputs: node.outputs.map(({ name, shape, dtype }) => ({ slot: slotOf(name), shape, dtype })),
  });
}

function outputsOf(
  graph: Graph,
  values: Values,
  { build, slotOf, kept }: Pick<Names, "slotOf"> & { build: CallBuilder; kept: ReadonlySet<number> },
): PlannedOutput[] {
  const slots = graph.outputs.map((name) => slotOf(values.nameOf(name)));
  return graph.outputs.map((given, i) => {
    const { shape, dtype } = values.of(values.nameOf(given));
    const slot = slots[i] ?? -1;
    const isShared = kept.has(slot) || slots.includes(slot, i + 1);
    return { slot, shape, dtype, isShared, isView: !kept.has(slot) && !build.isOwner(slot) };
  });
}

function loopOf(calls: readonly Call[], kept: ReadonlySet<number>): Loop {
  const last = new Map<number, number>();
  calls.forEach(({ reads, writes }, i) => {
    for (const slot of [...writes, ...reads]) if (!kept.has(slot)) last.set(slot, i);
  });
  const unread: number[][] = calls.map(() => []);
  for (const [slot, i] of last) unread[i]?.push(slot);
  const frees: number[] = [];
  const freesEnd = new Int32Array(calls.length);
  const runs = calls.map(({ run, taking }, i) => {
    const slots = unread[i] ?? [];
    const taken = new Set(taking?.slots.filter((slot) => slots.includes(slot)));
    frees.push(...slots.filter((slot) => !taken.has(slot)));
    freesEnd[i] = frees.length;
    return taken.size === 0 ? run : (taking?.prepare(taken) ?? run);
  });
  return { runs, frees: Int32Array.from(frees), freesEnd };
}
