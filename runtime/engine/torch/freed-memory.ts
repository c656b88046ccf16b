import type { Torch } from "./library.ts";

/** Memory is given back before the process takes more than ever by so many bytes, and by this share. */
const [LEAST, SHARE] = [2 ** 25, 1 / 16];

/**
 * Gives memory of freed tensors on the CPU back to the system between runs. C's allocator keeps pieces that lie between others in use and are
 * a little too small for the next ones (see `takeLargePages`; tensors below 2 MiB are not helped by that), in a training of all weights as much
 * as is in use. To take memory anew costs time, so that it is only done where the process takes more than ever before: in a run's first steps.
 */
export class FreedMemory {
  /** The most that the process took after a run, in bytes. */
  #most = 0;
  readonly #trim: ((keep: number) => number) | null;
  readonly #resident: () => number;

  /** @param resident bytes that the process takes; default: as the system says */
  constructor(torch: Torch, resident: () => number = () => process.memoryUsage.rss()) {
    this.#trim = torch.device === "cpu" ? trimOf(torch) : null;
    this.#resident = resident;
  }

  /** Called after each run; returns whether memory was given back. */
  giveBack(): boolean {
    if (this.#trim === null) return false;
    const resident = this.#resident();
    if (resident <= this.#most + Math.max(LEAST, SHARE * this.#most)) return false;
    this.#most = resident;
    this.#trim(0);
    return true;
  }
}

/** Null where C's library is not glibc. */
function trimOf(torch: Torch): ((keep: number) => number) | null {
  try {
    return torch.system("int malloc_trim(size_t keep)");
  } catch {
    return null;
  }
}
