/** The weights of graphs, in the files that they are stored in: mapped into memory on the CPU, copied once to a GPU. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { byteSize, type Initializer } from "../../graph/graph.ts";
import type { Handle, Torch } from "./library.ts";
import type { Constant } from "./plan.ts";

type FileRange = Exclude<Initializer["bytes"], Uint8Array>;

/** Arguments of `mmap`: readable pages, and a mapping that changes nothing for others. */
const [PROT_READ, MAP_PRIVATE] = [1, 2];

interface Held {
  readonly handle: Handle;
  /** How many graphs read it. */
  users: number;
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

  #load(weight: Constant, range: FileRange): Handle {
    const { shape, dtype, readAs } = weight;
    const stored = this.#stored(weight, range);
    if (readAs === dtype && this.#torch.device === "cpu") return stored;
    try {
      const made = this.#torch.empty(shape, readAs);
      this.#torch.copy(stored, made);
      return made;
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
