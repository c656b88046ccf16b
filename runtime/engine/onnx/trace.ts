/**
 * What a function asks of the operations, call by call. Two runs that ask for the same are one recording: their graph differs in
 * nothing but the values that go in.
 */
import type { DType, HostTensor, Ops, Shape, Tensor } from "../../contract.ts";
import type { KeptRecording } from "./kept-recordings.ts";
import { DeviceTensor } from "./tensor.ts";

export type OpName = keyof Ops;
export type Argument =
  Tensor | HostTensor | readonly Tensor[] | readonly number[] | number | string | boolean | null | undefined;

/** Where a value goes in: the n-th tensor from outside, host value or number that the function used. */
export interface Place {
  readonly kind: "leaf" | "host" | "number";
  readonly index: number;
}

/** Operations whose numbers are values; in all others they are part of what is asked for, as an axis is. */
export const takesNumbers: ReadonlySet<string> = new Set<OpName>([
  ...(["add", "sub", "mul", "div", "pow", "maximum", "minimum", "where", "float"] as const),
  ...(["less", "lessEqual", "greater", "greaterEqual", "equal", "notEqual"] as const),
]);

export class Trace {
  /** Tensors from outside, in the order of their first use. */
  readonly leaves: DeviceTensor[] = [];
  /** What `input` and `constant` were given. */
  readonly hosts: HostTensor[] = [];
  /** Numbers that stood for tensors. */
  readonly numbers: number[] = [];
  readonly #names = new Map<object, string>();
  #results = 0;

  /** What is asked for, in words: equal for two traces if their graphs are. */
  describe(op: OpName, args: readonly Argument[]): string {
    return `${op}(${args.map((x) => this.#argument(op, x)).join(" ")})`;
  }

  /** Gives a result its name for later calls. */
  name(result: Tensor): void {
    this.#names.set(result, `%${this.#results++}`);
  }

  /** The tensor's name, which a tensor from outside gets on its first use. */
  nameOf(x: Tensor): string {
    const known = this.#names.get(x);
    if (known !== undefined) return known;
    if (!(x instanceof DeviceTensor))
      throw new Error("a tensor of another engine, or one that did not leave its tidy, is used");
    const name = `$${this.leaves.length}`;
    this.#names.set(x, name);
    this.leaves.push(x);
    const place = x.stored === null ? "" : `${x.stored.dtype} ${x.stored.path}@${x.stored.offset}`;
    return `${name}:${x.dtype}[${x.shape.join()}]${place}`;
  }

  /** Of a tensor from outside, the place among them. */
  indexOf(x: DeviceTensor): number {
    this.nameOf(x);
    return this.leaves.indexOf(x);
  }

  has(x: object): boolean {
    return x instanceof DeviceTensor || this.#names.has(x);
  }

  #argument(op: OpName, x: Argument): string {
    switch (typeof x) {
      case "number":
        if (!takesNumbers.has(op)) return String(x);
        this.numbers.push(x);
        return "#";
      case "object":
        return x === null ? "null" : this.#object(op, x);
      default:
        return String(x);
    }
  }

  #object(op: OpName, x: Tensor | HostTensor | readonly (Tensor | number)[]): string {
    if (Array.isArray(x))
      return `[${x.map((item: Tensor | number) => (typeof item === "number" ? item : this.nameOf(item))).join()}]`;
    if (op !== "input" && op !== "constant") return this.nameOf(x as Tensor);
    const value = x as HostTensor;
    this.hosts.push(value);
    return `${value.dtype}[${value.shape.join()}]`;
  }
}

/** A recording that is ready to run. */
export interface Recording {
  readonly session: number;
  /** What each input of the graph is fed with. */
  readonly places: readonly Place[];
  /** The numbers that are part of the graph; null for those that are fed. */
  readonly numbers: readonly (number | null)[];
  /** Types and shapes of the graph's outputs. */
  readonly outputs: readonly { readonly shape: Shape; readonly dtype: DType }[];
  /** By parameter, whether the loss depends on it; those that do have a gradient among the outputs, behind the results. */
  readonly hasGradient: readonly boolean[];
}

/** What was asked for, in words, and what it gives. */
export interface Call {
  readonly key: string;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** All recordings, as a tree of what was asked for: runs share their way until they ask for something different. */
export interface Branch {
  readonly next: Branches;
  /** What the last call of the way gives. */
  readonly result: { readonly shape: Shape; readonly dtype: DType };
  recording: Recording | null;
  /** Of an earlier run, for as long as there is none. */
  kept: KeptRecording | null;
}

/** A tree of what was asked for so far, by the first call. */
export type Branches = Map<string, Branch>;

/** Where a way ends; what is not known of it yet is made. Errors: throws for a way without calls. */
export function endOf(tree: Branches, way: readonly Call[]): Branch {
  let branches = tree;
  let last: Branch | null = null;
  for (const { key, shape, dtype } of way) {
    last = branches.get(key) ?? { next: new Map(), result: { shape, dtype }, recording: null, kept: null };
    branches.set(key, last);
    branches = last.next;
  }
  if (last === null) throw new Error("a way has no calls");
  return last;
}

/** The numbers of a run that differ from those in the graph, beside those that are fed anyway. */
export function changedNumbers(recording: Pick<Recording, "numbers">, numbers: readonly number[]): number[] {
  return numbers.flatMap((x, i) => {
    const known = recording.numbers[i];
    return known === null || Object.is(known, x) ? [] : [i];
  });
}
