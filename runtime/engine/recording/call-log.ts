import type { HostTensor, Ops, Tensor } from "../../contract.ts";
import { DeviceTensor, ShapedTensor } from "./device-tensor.ts";

export type OpName = keyof Ops;
export type OpResult = Tensor | readonly Tensor[];
export type Argument =
  Tensor | HostTensor | readonly Tensor[] | readonly number[] | number | string | boolean | null | undefined;

/**
 * Operations whose number arguments are values, like the 2 in `mul(x, 2)`: the same recording serves other numbers. In all other
 * operations numbers are part of the call, like an axis.
 */
export const takesNumbers: ReadonlySet<string> = new Set<OpName>([
  ...(["add", "sub", "mul", "div", "pow", "maximum", "minimum", "where", "float"] as const),
  ...(["less", "lessEqual", "greater", "greaterEqual", "equal", "notEqual"] as const),
]);

/** Operations that return a list of tensors. */
export const returnsList: ReadonlySet<string> = new Set<OpName>(["adamw"]);

/** How many logs there were. */
let logs = 0;

/**
 * The calls of a function to the operations, described as text. Two runs with equal descriptions have equal graphs, which differ in
 * nothing but the values that are fed.
 */
export class CallLog {
  /** Tensors from outside the function, in the order of their first use. */
  readonly tensors: DeviceTensor[] = [];
  /** The values given to `input` and `constant`. */
  readonly hosts: HostTensor[] = [];
  /** Numbers that were given in place of tensors. */
  readonly numbers: number[] = [];
  /** Where tensors stand that do not say it themselves, by the tensor. */
  readonly #places = new Map<object, number>();
  readonly #serial = ++logs;
  #results = 0;

  /** Describes a call, and adds its tensors and values to the log. */
  describe(op: OpName, args: readonly Argument[]): string {
    // Every operation of every step comes here.
    let text = `${op}(`;
    for (let i = 0; i < args.length; i++) text += (i === 0 ? "" : " ") + this.#argument(op, args[i]);
    return `${text})`;
  }

  /** Names the result of the call that was described last, so that later calls can refer to it. */
  name(result: Tensor): void {
    if (result instanceof ShapedTensor) this.#mark(result, this.#results++);
    else this.#places.set(result, this.#results++);
  }

  /** The place of a tensor that has a name: 0, 1, … for results of calls, -1, -2, … for tensors from outside; null for all others. */
  placeOf(x: object): number | null {
    if (x instanceof ShapedTensor || x instanceof DeviceTensor) return x.log === this.#serial ? x.place : null;
    return this.#places.get(x) ?? null;
  }

  /** Gives a tensor from outside its place. */
  addTensor(x: DeviceTensor): void {
    this.#mark(x, -1 - this.tensors.length);
    this.tensors.push(x);
  }

  #mark(x: ShapedTensor | DeviceTensor, place: number): void {
    x.log = this.#serial;
    x.place = place;
  }

  /** The tensor's name. A tensor from outside gets one on its first use, which also tells its shape, type and file. */
  nameOf(x: Tensor): string {
    const place = this.placeOf(x);
    if (place !== null) return place < 0 ? `$${-1 - place}` : `%${place}`;
    if (!(x instanceof DeviceTensor))
      throw new Error("a tensor of another engine, or one that did not leave its tidy, is used");
    const name = `$${this.tensors.length}`;
    this.addTensor(x);
    const file = x.stored === null ? "" : `${x.stored.dtype} ${x.stored.path}@${x.stored.offset}`;
    return `${name}:${x.dtype}[${x.shape.join()}]${file}`;
  }

  /** The index of a tensor in `tensors`, to which it is added if necessary. */
  indexOf(x: DeviceTensor): number {
    this.nameOf(x);
    return this.tensors.indexOf(x);
  }

  /** Whether `x` is a tensor: one from outside, or the result of a call. */
  has(x: object): boolean {
    return x instanceof DeviceTensor || this.placeOf(x) !== null;
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
