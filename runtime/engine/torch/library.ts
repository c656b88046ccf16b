/**
 * PyTorch's C interface, called through koffi. A tensor is a handle: the address of a small object that owns a share of the tensor's
 * memory. Handles fit into a JavaScript number, and nothing is copied on the way of a call.
 * Sources: torch/csrc/inductor/aoti_torch/c/shim.h and torch/csrc/stable/c/shim.h, which PyTorch promises to keep within a major version.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Shape } from "../../contract.ts";
import { byteSize, type ElementType } from "../../graph/graph.ts";
import { koffiOf, type Koffi } from "../koffi.ts";

/** A tensor's handle; 0 is none. */
export type Handle = number;

export type TorchDevice = "cpu" | "cuda";

/** What the library says of a call that failed. */
export class TorchError extends Error {}

/** A function of the library. Numbers stand for handles, integers and doubles; typed arrays for pointers. */
type Native = (...args: readonly (number | bigint | string | ArrayBufferView | null)[]) => number;

/** Element types by the names that the library gives them. */
const typeNames = [
  "float64",
  "float32",
  "bfloat16",
  "float16",
  "int32",
  "int64",
  "bool",
  "int8",
  "float8_e4m3fn",
] as const;
export type TorchType = (typeof typeNames)[number];

/** A word of memory holds two of these. */
const HALF = 2 ** 32;

/** The i-th word, as a number. */
export const wordAt = (words: Uint32Array, i: number): number => (words[2 * i] ?? 0) + (words[2 * i + 1] ?? 0) * HALF;

/** Writes a number as the i-th word. The memory cuts numbers to 32 bits, and fractions off. */
export function putWord(words: Uint32Array, i: number, value: number): void {
  words[2 * i] = value;
  words[2 * i + 1] = value / HALF;
}

export class Torch {
  readonly device: TorchDevice;
  /** The library's numbers for element types. */
  readonly types: Readonly<Record<TorchType, number>>;
  /** Handles that were made and not dropped. */
  alive = 0;
  readonly #library: ReturnType<Koffi["load"]>;
  readonly #koffi: Koffi;
  #system: ReturnType<Koffi["load"]> | null = null;
  readonly #natives = new Map<string, Native>();
  // Called for every value of every run.
  #newHandle: Native | null = null;
  #deleteHandle: Native | null = null;
  readonly #devices: Readonly<Record<TorchDevice, number>>;
  /** Where the library writes what it returns. */
  readonly out = new Uint32Array(2);

  /** @param folder of the package `torch`. Errors: whatever keeps the library from being loaded. */
  constructor(folder: string, device: TorchDevice) {
    this.device = device;
    this.#koffi = koffiOf(createRequire(import.meta.url));
    this.#library = this.#koffi.load(join(folder, "lib", libraryName(device)), { global: true });
    const number = (name: string) => this.native("int32_t", `aoti_torch_${name}`, "")();
    this.types = Object.fromEntries(typeNames.map((name) => [name, number(`dtype_${name}`)])) as Torch["types"];
    this.#devices = { cpu: number("device_type_cpu"), cuda: number("device_type_cuda") };
    // No operation records its gradient; the setting is the thread's.
    this.native("void", "aoti_torch_grad_mode_set_enabled", "uint8_t on")(0);
  }

  /** A function of the library by its C declaration. */
  native(result: string, name: string, parameters: string): Native {
    const known = this.#natives.get(name);
    if (known !== undefined) return known;
    const made = this.#library.func(`${result} ${name}(${parameters})`) as Native;
    this.#natives.set(name, made);
    return made;
  }

  /** Null where this version of the library does not have the function. */
  nativeIfAny(result: string, name: string, parameters: string): Native | null {
    try {
      return this.native(result, name, parameters);
    } catch {
      return null;
    }
  }

  /** A function of C's own library by its declaration. */
  system(declaration: string): Native {
    const known = this.#natives.get(declaration);
    if (known !== undefined) return known;
    this.#system ??= this.#koffi.load(null);
    const made = this.#system.func(declaration) as Native;
    this.#natives.set(declaration, made);
    return made;
  }

  /** Another library of the system; null if it is not there. */
  open(name: string): ReturnType<Koffi["load"]> | null {
    try {
      return this.#koffi.load(name);
    } catch {
      return null;
    }
  }

  /** A function of the kernels of this device: it borrows its arguments and takes scalars as doubles. */
  kernel(name: string, parameters: string): Native {
    return this.native("int", `aoti_torch_${this.device}_${name}`, parameters);
  }

  /** Throws what the library says if a call failed. */
  check(code: number, name: string): void {
    if (code !== 0) this.#fail(name);
  }

  #fail(name: string): never {
    const what = this.nativeIfAny("const char *", "torch_exception_get_what_without_backtrace", "");
    const text = what === null ? "PyTorch printed the reason" : (what() as unknown as string);
    throw new TorchError(`${name}: ${firstSentence(text)}`);
  }

  /** The handle that a call has returned. */
  made(code: number, name: string): Handle {
    this.check(code, name);
    this.alive++;
    return this.word();
  }

  /** What a call has written to `out`. */
  word(): number {
    return wordAt(this.out, 0);
  }

  /** Writes another handle of the same tensor to a word of memory. It is not counted: for calls that take what they are given. */
  lend(x: Handle, word: Uint32Array): void {
    // The library would end the process.
    if (x === 0) throw new Error("a tensor is used that was freed");
    this.#newHandle ??= this.native("int", "aoti_torch_new_tensor_handle", "uint64_t x, void *ret");
    this.check(this.#newHandle(x, word), "handle");
  }

  /** The handle, for a call that takes it for good. */
  give(x: Handle): Handle {
    if (x === 0) throw new Error("a tensor is used that was freed");
    this.alive--;
    return x;
  }

  /** Another handle of the same tensor. */
  share(x: Handle): Handle {
    this.lend(x, this.out);
    this.alive++;
    return this.word();
  }

  drop(x: Handle): void {
    this.alive--;
    this.#deleteHandle ??= this.native("int", "aoti_torch_delete_tensor_object", "uint64_t x");
    this.#deleteHandle(x);
  }

  /** Memory that nothing was written to, row-major. */
  empty(shape: Shape, dtype: TorchType, device: TorchDevice = this.device): Handle {
    return this.emptyMaker(shape, dtype, device)();
  }

  /** A function that makes such memory anew at each call. */
  emptyMaker(shape: Shape, dtype: TorchType, device: TorchDevice = this.device): () => Handle {
    const [sizes, strides] = [integers(shape), integers(rowMajor(shape))];
    const [type, where] = [this.types[dtype], this.#devices[device]];
    const make = this.native(
      "int",
      "aoti_torch_empty_strided",
      "int64_t rank, void *sizes, void *strides, int32_t dtype, int32_t device, int32_t index, void *ret",
    );
    return () => this.made(make(shape.length, sizes, strides, type, where, 0, this.out), "memory");
  }

  /** Memory on the host that is locked, so that a GPU can copy from it; null where there is none. Nothing was written to it. */
  locked(shape: Shape, dtype: TorchType): Handle | null {
    const make = this.nativeIfAny(
      "int",
      "aoti_torch_empty_strided_pinned",
      "int64_t rank, void *sizes, void *strides, int32_t dtype, int32_t device, int32_t index, void *ret",
    );
    const [sizes, strides] = [integers(shape), integers(rowMajor(shape))];
    if (make?.(shape.length, sizes, strides, this.types[dtype], this.#devices.cpu, 0, this.out) !== 0) return null;
    this.alive++;
    return this.word();
  }

  /** A tensor over memory that is there already, row-major, which must outlive it. */
  over(address: number, shape: Shape, dtype: TorchType, device: TorchDevice = "cpu"): Handle {
    const make = this.native(
      "int",
      "aoti_torch_create_tensor_from_blob",
      "uint64_t data, int64_t rank, void *sizes, void *strides, int64_t offset, int32_t dtype, int32_t device, int32_t index, void *ret",
    );
    const [sizes, strides] = [integers(shape), integers(rowMajor(shape))];
    return this.made(
      make(address, shape.length, sizes, strides, 0, this.types[dtype], this.#devices[device], 0, this.out),
      "a tensor over memory",
    );
  }

  /** Whether the numbers of a tensor lie behind each other in row-major order. */
  isRowMajor(x: Handle): boolean {
    this.check(this.native("int", "aoti_torch_is_contiguous", "uint64_t x, void *ret")(x, this.out), "order");
    // It writes one byte.
    return ((this.out[0] ?? 0) & 1) === 1;
  }

  /** Bytes of the memory that a tensor has a part in. */
  storageSize(x: Handle): number {
    this.check(this.native("int", "aoti_torch_get_storage_size", "uint64_t x, void *ret")(x, this.out), "size");
    return this.word();
  }

  /** Where the numbers of a tensor lie. */
  address(x: Handle): number {
    this.check(this.native("int", "aoti_torch_get_data_ptr", "uint64_t x, void *ret")(x, this.out), "address");
    return this.word();
  }

  /**
   * Copies the numbers of one tensor into another of the same shape, whatever their devices and types.
   * @param isAsync whether the host may go on before it is done, which only memory that is locked allows
   */
  copy(from: Handle, to: Handle, isAsync = false): void {
    const copy = this.native("int", "aoti_torch_copy_", "uint64_t to, uint64_t from, int32_t isAsync");
    this.check(copy(to, from, Number(isAsync)), "copy");
  }

  /** A tensor on the device with these bytes, row-major. */
  upload(bytes: Uint8Array, shape: Shape, dtype: TorchType, device: TorchDevice = this.device): Handle {
    const made = this.empty(shape, dtype, device);
    if (bytes.length === 0) return made;
    try {
      this.#over(Number(this.#koffi.address(bytes)), shape, dtype, (host) => this.copy(host, made));
    } catch (error) {
      this.drop(made);
      throw error;
    }
    return made;
  }

  /** The numbers of a tensor, row-major, in memory of their own. */
  read(x: Handle, shape: Shape, dtype: ElementType): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(byteSize({ shape, dtype }));
    if (bytes.length > 0) this.#over(Number(this.#koffi.address(bytes)), shape, dtype, (host) => this.copy(x, host));
    return bytes;
  }

  #over(address: number, shape: Shape, dtype: TorchType, use: (host: Handle) => void): void {
    const host = this.over(address, shape, dtype);
    try {
      use(host);
    } finally {
      this.drop(host);
    }
  }
}

function libraryName(device: TorchDevice): string {
  return device === "cpu" ? "libtorch_cpu.so" : "libtorch_cuda.so";
}

export function integers(list: readonly number[]): BigInt64Array {
  return BigInt64Array.from(list, BigInt);
}

function rowMajor(shape: Shape): number[] {
  return shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
}

/** Without what follows for PyTorch's own developers. */
function firstSentence(text: string): string {
  return text.split("\n").find((line) => line.trim() !== "") ?? "no reason is given";
}
