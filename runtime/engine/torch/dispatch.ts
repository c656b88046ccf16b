/**
 * Calls of any operator by its name, through PyTorch's dispatcher. It takes what it is given: handles, lists and cells are made for each
 * call, and the dispatcher frees them. Numbers of the type Scalar are refused; kernels take those (`Torch.kernel`).
 */
import type { Torch } from "./library.ts";

/** An argument. Tensors are named by their slots. */
export type Argument =
  | { readonly kind: "tensor"; readonly slot: number }
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "ints"; readonly list: readonly number[] }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "none" }
  /** An optional argument that is given. */
  | { readonly kind: "some"; readonly inner: Argument };

export const tensor = (slot: number): Argument => ({ kind: "tensor", slot });
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
const HALF = 2 ** 32;

/** Writes an argument as one word: its lower and its upper half. */
type Writer = (slots: Slots, words: Uint32Array, at: number) => void;

export class Dispatcher {
  readonly #torch: Torch;
  readonly #words = new Uint32Array(2 * MOST_WORDS);
  readonly #version: number | bigint;

  constructor(torch: Torch) {
    this.#torch = torch;
    this.#version = torch.native("uint64_t", "aoti_torch_abi_version", "")();
  }

  /** A call that is made ready once. It writes the handles of its results to `results`, which are slots. */
  prepare(
    name: string,
    overload: string,
    args: readonly Argument[],
    results: readonly number[],
  ): (slots: Slots) => void {
    const [torch, words, version] = [this.#torch, this.#words, this.#version];
    const call = torch.native(
      "int",
      "torch_call_dispatcher",
      "const void *name, const void *overload, void *stack, uint64_t version",
    );
    const [op, over] = [Buffer.from(`aten::${name}\0`), Buffer.from(`${overload}\0`)];
    const writers = args.map((argument) => this.#writer(argument));
    return (slots) => {
      writers.forEach((write, i) => write(slots, words, 2 * i));
      torch.check(call(op, over, words, version), name);
      torch.alive += results.length;
      results.forEach((slot, i) => (slots[slot] = (words[2 * i] ?? 0) + (words[2 * i + 1] ?? 0) * HALF));
    };
  }

  #writer(argument: Argument): Writer {
    switch (argument.kind) {
      case "none":
        return constant(0n);
      case "int":
        return constant(BigInt.asUintN(64, BigInt(argument.value)));
      case "float":
        return constant(bitsOf(argument.value));
      case "tensor": {
        const [torch, { slot }] = [this.#torch, argument];
        return (slots, words, at) => put(words, at, torch.lent(slots[slot] ?? 0));
      }
      case "ints":
        return this.#list(argument.list);
      case "text":
        return this.#text(argument.text);
      case "some":
        return this.#cell(this.#writer(argument.inner));
    }
  }

  #list(list: readonly number[]): Writer {
    const torch = this.#torch;
    const make = torch.native("int", "torch_new_list_reserve_size", "size_t n, void *ret");
    const push = torch.native("int", "torch_list_push_back", "uint64_t list, int64_t x");
    return (_slots, words, at) => {
      torch.check(make(list.length, torch.out), "list");
      const handle = torch.word();
      for (const x of list) torch.check(push(handle, x), "list");
      put(words, at, handle);
    };
  }

  #text(value: string): Writer {
    const torch = this.#torch;
    const bytes = Buffer.from(value);
    const make = torch.native("int", "torch_new_string_handle", "const void *s, size_t n, void *ret");
    return (_slots, words, at) => {
      torch.check(make(bytes, bytes.length, torch.out), "text");
      put(words, at, torch.word());
    };
  }

  /** An optional argument lies in a cell of its own. */
  #cell(write: Writer): Writer {
    const make = cellMaker(this.#torch);
    const fill = this.#torch.system("void *memcpy(uint64_t to, const void *from, size_t n)");
    const word = new Uint32Array(2);
    return (slots, words, at) => {
      write(slots, word, 0);
      const cell = make();
      fill(cell, word, 8);
      put(words, at, cell);
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

function constant(value: bigint): Writer {
  const [low, high] = [Number(value & 0xffffffffn), Number(value >> 32n)];
  return (_slots, words, at) => {
    words[at] = low;
    words[at + 1] = high;
  };
}

function bitsOf(value: number): bigint {
  return new BigUint64Array(Float64Array.of(value).buffer)[0] ?? 0n;
}

function put(words: Uint32Array, at: number, value: number): void {
  words[at] = value % HALF;
  words[at + 1] = Math.floor(value / HALF);
}
