/** What a graph's nodes become: calls of the library, made ready once, which read and write slots. */
import type { Shape } from "../../contract.ts";
import { Dispatcher, int, none, tensor, type Argument, type Slots } from "./dispatch.ts";
import { integers, putWord, type Handle, type Torch, type TorchType } from "./library.ts";

const view = "uint64_t x, void *list, int64_t n, void *ret";
const addmm = "uint64_t out, uint64_t sum, uint64_t x, uint64_t y, double beta, double alpha";

/** One call. Its results belong to their slots. */
export interface Call {
  /** The node that it belongs to, by its first output. */
  readonly node: string;
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  /** Whether what it writes may lie in the memory of what it reads. */
  readonly mayShare: boolean;
  readonly run: (slots: Slots) => void;
  /** Null if it only borrows the handles of its operands. */
  readonly taking: Taking | null;
}

/** A call that can take the handles of operands for good, where nothing reads them any more. */
interface Taking {
  /** The operands whose handles it can take. */
  readonly slots: readonly number[];
  /** The same call, which takes those in these slots. */
  prepare(taken: ReadonlySet<number>): (slots: Slots) => void;
}

/** Operators that return their operand where there is nothing to do. */
const mayReturnOperand: ReadonlySet<string> = new Set(["to", "contiguous"]);

/** Builds the calls of a graph. Methods that make a tensor return the slot that it is in: the one that is given, or a new one. */
export class CallBuilder {
  readonly torch: Torch;
  readonly calls: Call[] = [];
  readonly #dispatcher: Dispatcher;
  /** The node that calls are added for, by its first output. */
  node = "";
  #slots = 0;
  readonly #owners = new Set<number>();
  readonly #shared = new Map<string, number>();
  readonly #lists = new Map<string, BigInt64Array>();
  readonly #makers = new Map<string, () => Handle>();

  constructor(torch: Torch) {
    this.torch = torch;
    this.#dispatcher = new Dispatcher(torch);
  }

  get slots(): number {
    return this.#slots;
  }

  slot(): number {
    return this.#slots++;
  }

  /** Whether what was written to the slot has memory of its own. */
  isOwner(slot: number): boolean {
    return this.#owners.has(slot);
  }

  /** Any operator, by name. `args` are its arguments, all of them. */
  dispatch(
    name: string,
    args: readonly Argument[],
    {
      overload = "",
      to = [this.slot()],
      isOwner = true,
    }: { overload?: string; to?: readonly number[]; isOwner?: boolean } = {},
  ): number {
    const prepare = (taken: ReadonlySet<number>) =>
      this.#dispatcher.prepare(name, overload, args, { results: to, taken });
    const reads = args.flatMap(slotsIn);
    const operands = args.flatMap((x) => (x.kind === "tensor" ? [x.slot] : []));
    // What is read twice can not be taken twice.
    const slots = operands.filter((slot) => reads.indexOf(slot) === reads.lastIndexOf(slot));
    const mayShare = !isOwner || mayReturnOperand.has(name);
    this.#add(reads, to, isOwner, prepare(new Set()), { mayShare, taking: { slots, prepare } });
    return to[0] ?? -1;
  }

  /** An operator whose one result is a list of tensors, one for each slot of `to`. */
  dispatchToList(
    name: string,
    args: readonly Argument[],
    { overload, to }: { readonly overload: string; readonly to: readonly number[] },
  ): void {
    this.#add(args.flatMap(slotsIn), to, true, this.#dispatcher.prepareList(name, overload, args, to));
  }

  /** What `make` makes, once for all who ask with the same key; its slot is freed after the last of them has read it. */
  once(key: string, make: () => number): number {
    const slot = this.#shared.get(key) ?? make();
    this.#shared.set(key, slot);
    return slot;
  }

  /** The same numbers in another type; the tensor itself if it has the type already. */
  cast(
    x: number,
    type: TorchType,
    { to = this.slot(), isOwner = true }: { to?: number; isOwner?: boolean } = {},
  ): number {
    const args = [tensor(x), int(this.torch.types[type]), int(0), int(0), none];
    return this.dispatch("to", args, { overload: "dtype", to: [to], isOwner });
  }

  /** x + factor y, for floating-point types. */
  add(x: number, y: number, factor: number, to = this.slot()): number {
    const { torch } = this;
    const f = torch.kernel("add_Tensor", "uint64_t x, uint64_t y, double alpha, void *ret");
    this.#add([x, y], [to], true, (s) => (s[to] = torch.made(f(s[x] ?? 0, s[y] ?? 0, factor, torch.out), "add")));
    return to;
  }

  multiply(x: number, y: number, to = this.slot()): number {
    const { torch } = this;
    const f = torch.kernel("mul_Tensor", "uint64_t x, uint64_t y, void *ret");
    this.#add([x, y], [to], true, (s) => (s[to] = torch.made(f(s[x] ?? 0, s[y] ?? 0, torch.out), "mul")));
    return to;
  }

  /** x + number, for floating-point types; the result has the type of x. */
  addNumber(x: number, number: number, to = this.slot()): number {
    const { torch } = this;
    const f = torch.kernel("add_Scalar", "uint64_t x, double y, double alpha, void *ret");
    this.#add([x], [to], true, (s) => (s[to] = torch.made(f(s[x] ?? 0, number, 1, torch.out), "add")));
    return to;
  }

  /** number x, for floating-point types; the result has the type of x. */
  scale(x: number, number: number, to = this.slot()): number {
    const { torch } = this;
    const f = torch.kernel("mul_Scalar", "uint64_t x, double y, void *ret");
    this.#add([x], [to], true, (s) => (s[to] = torch.made(f(s[x] ?? 0, number, torch.out), "mul")));
    return to;
  }

  /** A single number, on the CPU. */
  number(value: number, to = this.slot()): number {
    const { torch } = this;
    const f = torch.native("int", "aoti_torch_scalar_to_tensor_float32", "float value, void *ret");
    this.#add([], [to], true, (s) => (s[to] = torch.made(f(value, torch.out), "number")));
    return to;
  }

  /** A view where the memory allows it, else a copy. */
  reshape(x: number, shape: Shape, to = this.slot()): number {
    return this.#view("reshape", x, shape, to);
  }

  /** A view. */
  permute(x: number, order: readonly number[], to = this.slot()): number {
    return this.#view("permute", x, order, to);
  }

  /** A view of `length` elements along an axis. */
  narrow(x: number, axis: number, start: number, length: number, to = this.slot()): number {
    const { torch } = this;
    const f = torch.kernel("narrow", "uint64_t x, int64_t axis, int64_t start, int64_t length, void *ret");
    this.#add([x], [to], false, (s) => (s[to] = torch.made(f(s[x] ?? 0, axis, start, length, torch.out), "slice")));
    return to;
  }

  /** The same numbers with the elements of a row next to each other: a view, or a copy if they are not. */
  wholeRows(x: number, to = this.slot()): number {
    const { torch } = this;
    const stride = torch.native("int", "aoti_torch_get_stride", "uint64_t x, int64_t axis, void *ret");
    const flat = this.#dispatcher.prepare("contiguous", "", [tensor(x), int(0)], { results: [to] });
    this.#add(
      [x],
      [to],
      false,
      (s) => {
        torch.check(stride(s[x] ?? 0, -1, torch.out), "stride");
        if (torch.word() === 1) s[to] = torch.share(s[x] ?? 0);
        else flat(s);
      },
      { mayShare: true },
    );
    return to;
  }

  /** The same numbers in row-major order: another handle of the tensor, or a copy. */
  rowMajor(x: number, to = this.slot()): number {
    const { torch } = this;
    const copy = this.#dispatcher.prepare("contiguous", "", [tensor(x), int(0)], { results: [to] });
    this.#add(
      [x],
      [to],
      false,
      (s) => {
        if (torch.isRowMajor(s[x] ?? 0)) s[to] = torch.share(s[x] ?? 0);
        else copy(s);
      },
      { mayShare: true },
    );
    return to;
  }

  /** Memory that nothing was written to. */
  memory(shape: Shape, dtype: TorchType, to = this.slot()): number {
    const make = this.#maker(shape, dtype);
    this.#add([], [to], true, (s) => (s[to] = make()));
    return to;
  }

  concat(parts: readonly number[], axis: number, to = this.slot()): number {
    const { torch } = this;
    const f = torch.kernel("cat", "void *parts, int64_t n, int64_t axis, void *ret");
    const handles = new Uint32Array(2 * parts.length);
    this.#add(parts, [to], true, (s) => {
      for (let i = 0; i < parts.length; i++) putWord(handles, i, s[parts[i] as number] as number);
      s[to] = torch.made(f(handles, parts.length, axis, torch.out), "concat");
    });
    return to;
  }

  /** @param pairs numbers of elements before and after, the last axis first */
  pad(x: number, pairs: readonly number[], value: number, to = this.slot()): number {
    const { torch } = this;
    const f = torch.kernel("pad", "uint64_t x, void *pairs, int64_t n, const char *mode, void *value, void *ret");
    const [amounts, filled] = [this.#integers(pairs), Float64Array.of(value)];
    this.#add([x], [to], true, (s) => {
      s[to] = torch.made(f(s[x] ?? 0, amounts, pairs.length, "constant", filled, torch.out), "pad");
    });
    return to;
  }

  /** The product of two matrices. */
  product(x: number, y: number, { shape, dtype }: { shape: Shape; dtype: TorchType }, to = this.slot()): number {
    const { torch } = this;
    const f = torch.kernel("mm_out", "uint64_t out, uint64_t x, uint64_t y");
    const memory = this.#maker(shape, dtype);
    this.#add([x, y], [to], true, (s) => {
      const out = (s[to] = memory());
      torch.check(f(out, s[x] ?? 0, s[y] ?? 0), "product");
    });
    return to;
  }

  /** factor x y, for each of several matrices x and y: `[count, rows, columns]`. */
  products(
    [x, y]: readonly [number, number],
    factor: number,
    { shape, dtype }: { shape: Shape; dtype: TorchType },
    to = this.slot(),
  ): number {
    const { torch } = this;
    const f = torch.kernel("baddbmm_out", addmm);
    const memory = this.#maker(shape, dtype);
    this.#add([x, y], [to], true, (s) => {
      const out = (s[to] = memory());
      // Times 0 the kernel does not read what lies in the memory.
      torch.check(f(out, out, s[x] ?? 0, s[y] ?? 0, 0, factor), "products");
    });
    return to;
  }

  /**
   * sum + x y, for matrices x and y.
   * @param isInPlace whether the result takes the memory of the sum, which nobody else may read
   */
  addProduct(
    sum: number,
    [x, y]: readonly [number, number],
    { shape, dtype, isInPlace }: { shape: Shape; dtype: TorchType; isInPlace: boolean },
    to = this.slot(),
  ): number {
    const { torch } = this;
    const f = torch.kernel("addmm_out", addmm);
    const memory = this.#maker(shape, dtype);
    this.#add([sum, x, y], [to], true, (s) => {
      const out = (s[to] = isInPlace ? torch.share(s[sum] ?? 0) : memory());
      torch.check(f(out, s[sum] ?? 0, s[x] ?? 0, s[y] ?? 0, 1, 1), "product");
    });
    return to;
  }

  /**
   * Adds the product of two matrices to a matrix, in its memory, which nobody else may read.
   * @param shape of the result
   */
  accumulate(matrix: number, [x, y]: readonly [number, number], shape: Shape, to = this.slot()): number {
    const { torch } = this;
    const [add, reshape, sizes] = [
      torch.kernel("addmm_out", addmm),
      torch.kernel("reshape", view),
      this.#integers(shape),
    ];
    this.#add([matrix, x, y], [to], true, (s) => {
      const out = s[matrix] ?? 0;
      torch.check(add(out, out, s[x] ?? 0, s[y] ?? 0, 1, 1), "product");
      s[to] = torch.made(reshape(out, sizes, shape.length, torch.out), "reshape");
    });
    return to;
  }

  #maker(shape: Shape, dtype: TorchType): () => Handle {
    const key = `${dtype} ${shape.join()}`;
    const made = this.#makers.get(key) ?? this.torch.emptyMaker(shape, dtype);
    this.#makers.set(key, made);
    return made;
  }

  /** The same memory for equal lists: many calls have few shapes, which stay in the processor's cache. */
  #integers(list: readonly number[]): BigInt64Array {
    const key = list.join();
    const made = this.#lists.get(key) ?? integers(list);
    this.#lists.set(key, made);
    return made;
  }

  #view(name: "reshape" | "permute", x: number, list: readonly number[], to: number): number {
    const { torch } = this;
    const [f, numbers] = [torch.kernel(name, view), this.#integers(list)];
    this.#add([x], [to], false, (s) => (s[to] = torch.made(f(s[x] ?? 0, numbers, list.length, torch.out), name)));
    return to;
  }

  #add(
    reads: readonly number[],
    writes: readonly number[],
    isOwner: boolean,
    run: (slots: Slots) => unknown,
    { mayShare = !isOwner, taking = null }: Partial<Pick<Call, "mayShare" | "taking">> = {},
  ): void {
    this.calls.push({ node: this.node, reads, writes, mayShare, run, taking });
    if (isOwner) for (const slot of writes) this.#owners.add(slot);
  }
}

function slotsIn(argument: Argument): number[] {
  if (argument.kind === "tensor") return [argument.slot];
  if (argument.kind === "tensors") return [...argument.slots];
  return argument.kind === "some" ? slotsIn(argument.inner) : [];
}
