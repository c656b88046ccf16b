/** The weights of graphs, in the files that they are stored in: mapped into memory on the CPU, copied once to a GPU. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { totalmem } from "node:os";
import { byteSize, type Initializer } from "../../graph/graph.ts";
import type { Handle, Torch } from "./library.ts";
import type { Constant } from "./plan.ts";

type FileRange = Exclude<Initializer["bytes"], Uint8Array>;

/** Arguments of `mmap`: readable pages, and a mapping that changes nothing for others. */
const [PROT_READ, MAP_PRIVATE] = [1, 2];

/** Advice to the system about mapped pages: they will be read soon; they are not needed any more. */
const [MADV_WILLNEED, MADV_DONTNEED] = [3, 4];

/** Bytes of a page, to whose multiples advice is given. A multiple of the system's own does no harm. */
const PAGE = 2 ** 16;

/** Of the machine's memory, how much may be locked for weights that wait on the host. */
const MOST_LOCKED = 0.6;

interface Held {
  readonly handle: Handle;
  /** How many graphs read it. */
  users: number;
}

/** On the host. */
interface Waiting extends Held {
  /** Bytes of locked memory that it takes. */
  readonly locked: number;
}

interface Mapping {
  readonly address: number;
  readonly size: number;
}

export class Weights {
  readonly #torch: Torch;
  readonly #held = new Map<string, Held>();
  /** Files are mapped once and stay mapped: outputs of graphs may read them. That takes addresses, not memory. */
  readonly #mapped = new Map<string, Mapping>();
  /** Those that wait on the host. */
  readonly #waiting = new Map<string, Waiting>();
  #locked = 0;

  constructor(torch: Torch) {
    this.#torch = torch;
  }

  /** The weight's handle, for one more graph, which calls `release` at its end. */
  take(weight: Constant, range: FileRange): Handle {
    const key = keyOf(weight, range);
    const held = this.#held.get(key) ?? { handle: this.#load(weight, range), users: 0 };
    held.users++;
    this.#held.set(key, held);
    return held.handle;
  }

  release(weight: Constant, range: FileRange): void {
    const held = this.#held.get(keyOf(weight, range));
    if (held === undefined || --held.users > 0) return;
    this.#torch.drop(held.handle);
    this.#held.delete(keyOf(weight, range));
  }

  /** What tells a weight, and the type that it is read in, from others. */
  keyOf(weight: Constant): string {
    return keyOf(weight, rangeOf(weight));
  }

  /** The weight on the host, from where it is copied to the device when it is needed: in its file, or for a GPU in locked memory. */
  onHost(weight: Constant): Handle {
    const key = this.keyOf(weight);
    const held = this.#waiting.get(key) ?? { ...this.#hostCopy(weight), users: 0 };
    held.users++;
    this.#waiting.set(key, held);
    return held.handle;
  }

  releaseHost(weight: Constant): void {
    const key = this.keyOf(weight);
    const held = this.#waiting.get(key);
    if (held === undefined || --held.users > 0) return;
    this.#torch.drop(held.handle);
    this.#locked -= held.locked;
    this.#waiting.delete(key);
  }

  /** Has the system read a weight from its file, beside the computation. */
  announce(weight: Constant): void {
    this.#advise(weight, MADV_WILLNEED);
  }

  /** Lets the system have the memory of a weight that was copied; it stays in its cache of files as long as there is room. */
  passed(weight: Constant): void {
    this.#advise(weight, MADV_DONTNEED);
  }

  /** Of whole pages alone: what lies next to the weight may be in use. Files that are mapped for the graph stay mapped in any case. */
  #advise(weight: Constant, advice: number): void {
    const { path, offset, length } = rangeOf(weight);
    const mapping = this.#mapped.get(path);
    if (mapping === undefined) return;
    const [first, end] = [mapping.address + offset, mapping.address + offset + length];
    const [from, to] = [Math.ceil(first / PAGE) * PAGE, Math.floor(end / PAGE) * PAGE];
    if (to > from) this.#torch.system("int madvise(uint64_t at, size_t length, int advice)")(from, to - from, advice);
  }

  /** Locked, the memory can be copied beside the computation. Where that is not to be had, copies are slower. */
  #hostCopy(weight: Constant): Omit<Waiting, "users"> {
    const stored = this.#stored(weight, rangeOf(weight));
    const inFile = { handle: stored, locked: 0 };
    const { shape, readAs } = weight;
    const size = byteSize({ shape, dtype: readAs });
    if (this.#torch.device === "cpu" || this.#locked + size > MOST_LOCKED * totalmem()) return inFile;
    const locked = this.#torch.locked(shape, readAs);
    if (locked === null) return inFile;
    try {
      this.#torch.copy(stored, locked);
      this.passed(weight);
    } catch (error) {
      this.#torch.drop(locked);
      throw error;
    } finally {
      this.#torch.drop(stored);
    }
    this.#locked += size;
    return { handle: locked, locked: size };
  }

  #load(weight: Constant, range: FileRange): Handle {
    const { shape, dtype, readAs } = weight;
    const stored = this.#stored(weight, range);
    if (readAs === dtype && this.#torch.device === "cpu") return stored;
    let made: Handle = 0;
    try {
      made = this.#torch.empty(shape, readAs);
      this.#torch.copy(stored, made);
      // Else the pages of the file would count as memory of the process, as long as it runs.
      this.passed(weight);
      return made;
    } catch (error) {
      if (made !== 0) this.#torch.drop(made);
      throw error;
    } finally {
      this.#torch.drop(stored);
    }
  }

  /** As it lies in the file, on the CPU. */
  #stored({ shape, dtype }: Initializer, { path, offset, length }: FileRange): Handle {
    const isAligned = offset % Math.max(1, byteSize({ shape: [], dtype })) === 0;
    // Kernels expect numbers at multiples of their size; not every program writes files so.
    if (!isAligned || length === 0) return this.#torch.upload(bytesOf(path, offset, length), shape, dtype, "cpu");
    const mapping = this.#mapped.get(path) ?? this.#map(path);
    if (offset + length > mapping.size) throw new Error(`${path} ends before the weight at ${offset}`);
    return this.#torch.over(mapping.address + offset, shape, dtype);
  }

  #map(path: string): Mapping {
    const { size } = statSync(path);
    const file = openSync(path, "r");
    const map = this.#torch.system(
      "uint64_t mmap(uint64_t at, size_t length, int protection, int flags, int file, int64_t offset)",
    );
    const address = Number(map(0, size, PROT_READ, MAP_PRIVATE, file, 0));
    closeSync(file);
    // The largest address says that it failed.
    if (address > Number.MAX_SAFE_INTEGER) throw new Error(`${path} could not be mapped into memory`);
    const mapping = { address, size };
    this.#mapped.set(path, mapping);
    return mapping;
  }
}

function rangeOf({ bytes }: Constant): FileRange {
  if (bytes instanceof Uint8Array) throw new Error("the weight is in no file");
  return bytes;
}

function keyOf({ shape, dtype, readAs }: Constant, { path, offset }: FileRange): string {
  return `${dtype} as ${readAs} [${shape.join()}] ${offset}@${path}`;
}

function bytesOf(path: string, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const file = openSync(path, "r");
  try {
    for (let at = 0; at < length;) {
      const count = readSync(file, bytes, at, length - at, offset + at);
      if (count === 0) throw new Error(`${path} ends before the weight at ${offset}`);
      at += count;
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}
