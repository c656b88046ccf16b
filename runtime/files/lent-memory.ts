/**
 * Memory that is lent for a moment. A file's bytes are needed only until its numbers are widened; to take fresh memory for them from the
 * system costs more than reading them.
 */

/** As many as Node reads files at once. */
const MAX_KEPT = 4;
const MAX_KEPT_BYTES = 2 ** 26;

/** Lends `length` bytes, of any content and with an aligned start, until what `use` returns is settled. */
type Lend = <Result>(length: number, use: (memory: Buffer) => Promise<Result>) => Promise<Result>;

/** Makes a store of memory that lends from what was given back. */
export function memoryStore(): Lend {
  const kept: Buffer[] = [];
  return async (length, use) => {
    const memory = take(kept, length);
    try {
      return await use(memory.subarray(0, length));
    } finally {
      if (memory.length <= MAX_KEPT_BYTES) keep(kept, memory);
    }
  };
}

/** Lends from the store that all readers of files share. */
export const withMemory = memoryStore();

/** The smallest one that is large enough. */
function take(kept: Buffer[], length: number): Buffer {
  const index = kept.findIndex((memory) => memory.length >= length);
  const [found] = index < 0 ? [] : kept.splice(index, 1);
  return found ?? Buffer.allocUnsafeSlow(length);
}

/** In ascending order of size; of too many, the smallest goes. */
function keep(kept: Buffer[], memory: Buffer): void {
  kept.push(memory);
  kept.sort((a, b) => a.length - b.length);
  if (kept.length > MAX_KEPT) kept.shift();
}
