/**
 * Calls of any operator by its name, through PyTorch's dispatcher. It takes what it is given: handles, lists and cells are made for each
 * call, and the dispatcher frees them. Numbers of the type Scalar are refused; kernels take those (`Torch.kernel`).
 */
import { putWord, wordAt, type Torch } from "./library.ts";

/** An argument. Tensors are named by their slots. */
export type Argument =
  | { readonly kind: "tensor"; readonly slot: number }
  | { readonly kind: "tensors"; readonly slots: readonly number[] }
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "ints"; readonly list: readonly number[] }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "none" }
  /** An optional argument that is given. */
  | { readonly kind: "some"; readonly inner: Argument };

export const tensor = (slot: number): Argument => ({ kind: "tensor", slot });
export const tensors = (slots: readonly number[]): Argument => ({ kind: "tensors", slots });
export const int = (value: number): Argument => ({ kind: "int", value });
export const float = (value: number): Argument => ({ kind: "float", value });
export const ints = (list: readonly number[]): Argument => ({ kind: "ints", list });
export const text = (value: string): Argument => ({ kind: "text", text: value });
export const some = (inner: Argument): Argument => ({ kind: "some", inner });
export const none: Argument = { kind: "none" };

/** Handles by slot. */
export type Slots = Float64Array;

/** The most arguments and results of one operator. */
const MOST_WORDS = 32;

const nothing: ReadonlySet<number> = new Set();

/** Kinds of arguments: a handle that is lent or taken, by its slot; the two halves of a word; what is written by a function of its own. */
const [LENT, TAKEN, WORD, OTHER] = [0, 1, 2, 3];

/** Writes an argument as the i-th word. */
type Writer = (slots: Slots, words: Uint32Array, i: number) => void;

export class Dispatcher {
  readonly #torch: Torch;
  /** Arguments of a call, and then its results. */
  readonly #words = new Uint32Array(2 * MOST_WORDS);
  /** Each word by itself. */
  readonly #each = Array.from({ length: MOST_WORDS }, (_, i) => this.#words.subarray(2 * i, 2 * i + 2));
  /** Names of operators and overloads, as C reads them. */
  readonly #names = new Map<string, Buffer>();
  readonly #version: number | bigint;

  constructor(torch: Torch) {
    this.#torch = torch;
    this.#version = torch.native("uint64_t", "aoti_torch_abi_version", "")();
  }

  /**
   * A call that is made ready once. It writes the handles of its results to `results`, which are slots.
   * @param taken slots that nothing reads any more: the operator takes their handles, and leaves the slots empty
   */
  prepare(
    name: string,
    overload: string,
    args: readonly Argument[],
    { results, taken = nothing }: { readonly results: readonly number[]; readonly taken?: ReadonlySet<number> },
  ): (slots: Slots) => void {
    const [torch, words, call] = [this.#torch, this.#words, this.#call(name, overload, args, taken)];
    return (slots) => {
      call(slots);
      torch.alive += results.length;
      for (let i = 0; i < results.length; i++) slots[results[i] as number] = wordAt(words, i);
    };
  }

  /** The same for an operator whose one result is a list of tensors. */
  prepareList(
    name: string,
    overload: string,
    args: readonly Argument[],
    results: readonly number[],
  ): (slots: Slots) => void {
    const [torch, words, call] = [this.#torch, this.#words, this.#call(name, overload, args, nothing)];
    const item = torch.native("int", "torch_list_get_item", "uint64_t list, size_t i, void *ret");
    const free = torch.native("int", "torch_delete_list", "uint64_t list");
    return (slots) => {
      call(slots);
      const list = wordAt(words, 0);
      torch.alive += results.length;
      // The list holds handles as words: they outlive it.
      results.forEach((slot, i) => {
        torch.check(item(list, i, torch.out), "list");
        slots[slot] = torch.word();
      });
      torch.check(free(list), "list");
    };
  }

  #call(name: string, overload: string, args: readonly Argument[], taken: ReadonlySet<number>): (slots: Slots) => void {
    const [torch, words, each, version] = [this.#torch, this.#words, this.#each, this.#version];
    const call = torch.native(
      "int",
      "torch_call_dispatcher",
      "const void *name, const void *overload, void *stack, uint64_t version",
    );
    const [op, over] = [this.#name(`aten::${name}`), this.#name(overload)];
    const others: Writer[] = [];
    const code = args.flatMap((argument) => this.#code(argument, taken, others));
    return (slots) => {
      for (let at = 0, i = 0; at < code.length; at += 3, i++) {
        const [first, second] = [code[at + 1] as number, code[at + 2] as number];
        switch (code[at]) {
          case LENT:
            torch.lend(slots[first] as number, each[i] as Uint32Array);
            break;
          case WORD:
            words[2 * i] = first;
            words[2 * i + 1] = second;
            break;
          case TAKEN:
            putWord(words, i, torch.give(slots[first] as number));
            slots[first] = 0;
            break;
          default:
            (others[first] as Writer)(slots, words, i);
        }
      }
      torch.check(call(op, over, words, version), name);
    };
  }

  /** Three small integers for an argument, since a step has tens of thousands: what it is, and which. Others than the usual are added to `others`. */
  #code(
    argument: Argument,
    taken: ReadonlySet<number>,
    others: Writer[],
  ): [kind: number, first: number, second: number] {
    switch (argument.kind) {
      case "none":
        return [WORD, 0, 0];
      case "int":
        return [WORD, ...halvesOf(BigInt(argument.value))];
      case "float":
        return [WORD, ...halvesOf(bitsOf(argument.value))];
      case "tensor":
        return [taken.has(argument.slot) ? TAKEN : LENT, argument.slot, 0];
      default:
        return [OTHER, others.push(this.#writer(argument)) - 1, 0];
    }
  }

  #name(text: string): Buffer {
    const made = this.#names.get(text) ?? Buffer.from(`${text}\0`);
    this.#names.set(text, made);
    return made;
  }

  #writer(argument: Argument): Writer {
    switch (argument.kind) {
      case "none":
        return constant(0n);
      case "int":
        return constant(BigInt(argument.value));
      case "float":
        return constant(bitsOf(argument.value));
      case "tensor": {
        const [torch, each, { slot }] = [this.#torch, this.#each, argument];
        return (slots, _words, i) => torch.lend(slots[slot] ?? 0, each[i] as Uint32Array);
      }
      case "tensors": {
        const torch = this.#torch;
        return this.#list(argument.slots, (slot, slots) => {
          torch.lend(slots[slot] ?? 0, torch.out);
          return torch.word();
        });
      }
      case "ints":
        return this.#list(argument.list, (x) => x);
      case "text":
        return this.#text(argument.text);
      case "some":
        return this.#cell(this.#writer(argument.inner));
    }
  }

  #list(list: readonly number[], wordOf: (x: number, slots: Slots) => number): Writer {
    const torch = this.#torch;
    const make = torch.native("int", "torch_new_list_reserve_size", "size_t n, void *ret");
    const push = torch.native("int", "torch_list_push_back", "uint64_t list, int64_t x");
    return (slots, words, i) => {
      torch.check(make(list.length, torch.out), "list");
      const handle = torch.word();
      for (let k = 0; k < list.length; k++) torch.check(push(handle, wordOf(list[k] as number, slots)), "list");
      putWord(words, i, handle);
    };
  }

  #text(value: string): Writer {
    const torch = this.#torch;
    const bytes = Buffer.from(value);
    const make = torch.native("int", "torch_new_string_handle", "const void *s, size_t n, void *ret");
    return (_slots, words, i) => {
      torch.check(make(bytes, bytes.length, torch.out), "text");
      putWord(words, i, torch.word());
    };
  }

  /** An optional argument lies in a cell of its own. */
  #cell(write: Writer): Writer {
    const make = cellMaker(this.#torch);
    const fill = this.#torch.system("void *memcpy(uint64_t to, const void *from, size_t n)");
    const each = this.#each;
    return (slots, words, i) => {
      // What lies in the cell is written to the argument's own word first.
      write(slots, words, i);
      const cell = make();
      fill(cell, each[i] as Uint32Array, 8);
      putWord(words, i, cell);
    };
  }
}

/** Version 2.13 has a function for cells; those before free them as C++ does, which is what C's allocator gives. */
function cellMaker(torch: Torch): () => number {
  const make = torch.nativeIfAny("int", "torch_new_stable_ivalue", "void *ret");
  if (make === null) {
    const allocate = torch.system("uint64_t malloc(size_t n)");
    return () => allocate(8);
  }
  return () => {
    torch.check(make(torch.out), "cell");
    return torch.word();
  };
}

/** The lower and the upper half of a word, as 32-bit integers. */
function halvesOf(value: bigint): [low: number, high: number] {
  return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
}

function constant(value: bigint): Writer {
  const [low, high] = halvesOf(value);
  return (_slots, words, i) => {
    words[2 * i] = low;
    words[2 * i + 1] = high;
  };
}

function bitsOf(value: number): bigint {
  return new BigUint64Array(Float64Array.of(value).buffer)[0] ?? 0n;
}
