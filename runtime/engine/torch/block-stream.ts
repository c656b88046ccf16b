/** Weights of blocks that stay on the host: each block is copied to one of two buffers on the device when its turn comes. */
import { byteSize } from "../../graph/graph.ts";
import { BUFFERS, type BlockNeeds } from "./block-needs.ts";
import type { CopyQueue } from "./copy-queue.ts";
import type { Slots } from "./dispatch.ts";
import type { Handle, Torch } from "./library.ts";
import type { Constant } from "./plan.ts";
import type { Weights } from "./weights.ts";

/** Weights begin at multiples of so many bytes, as kernels like them. */
const ALIGNMENT = 256;

/** Memory on the device for a block's weights. */
interface Buffer {
  readonly handle: Handle;
  readonly address: number;
  /** What lies in it, or is on the way there; empty for nothing. */
  holds: string;
}

/** The buffers of all graphs: only one of these runs at a time. */
export class BlockBuffers {
  readonly #torch: Torch;
  #current: { readonly list: readonly Buffer[]; readonly size: number } | null = null;

  constructor(torch: Torch) {
    this.#torch = torch;
  }

  /** So many buffers for blocks of this many bytes. More or larger ones than before are made anew; earlier graphs keep theirs. */
  ofSize(size: number, count: number): readonly Buffer[] {
    const known = this.#current;
    if (known !== null && known.size >= size && known.list.length >= count) return known.list;
    const list: Buffer[] = [];
    try {
      for (let i = 0; i < count; i++) {
        // The library has no type of one byte here; two are as good.
        const handle = this.#torch.empty([Math.ceil(size / 2)], "bfloat16");
        list.push({ handle, address: this.#torch.address(handle), holds: "" });
      }
    } catch (error) {
      for (const { handle } of list) this.#torch.drop(handle);
      throw error;
    }
    this.#current = { list, size };
    return list;
  }
}

/** A weight on its way: where it lies on the host, and where in the buffer it goes. */
interface Copied {
  readonly slot: number;
  readonly constant: Constant;
  readonly source: Handle;
  readonly target: Handle;
}

interface OpenBlock {
  /** Names what the buffer holds with it. */
  readonly key: string;
  readonly buffer: Buffer;
  readonly copies: readonly Copied[];
}

/** The blocks of one graph. Its slots get handles over the buffers, which stay the same: only what lies there changes. */
export class BlockStream {
  readonly #torch: Torch;
  readonly #weights: Weights;
  readonly #queue: CopyQueue;
  readonly #needs: BlockNeeds;
  readonly #blocks: OpenBlock[] = [];

  constructor(
    tools: {
      readonly torch: Torch;
      readonly weights: Weights;
      readonly buffers: BlockBuffers;
      readonly queue: CopyQueue;
    },
    needs: BlockNeeds,
    slots: Slots,
  ) {
    const { torch, weights, buffers, queue } = tools;
    [this.#torch, this.#weights, this.#queue, this.#needs] = [torch, weights, queue, needs];
    const layouts = needs.blocks.map(({ constants }) => layoutOf(constants));
    const size = Math.max(...layouts.map((layout) => layout.size));
    const list = layouts.length === 0 ? [] : buffers.ofSize(size, Math.min(BUFFERS, layouts.length));
    try {
      needs.blocks.forEach(({ name }, i) => {
        this.#open(name, list[i % BUFFERS] as Buffer, layouts[i] as Layout, slots);
      });
    } catch (error) {
      this.close(slots);
      throw error;
    }
  }

  #open(name: string, buffer: Buffer, { places }: Layout, slots: Slots): void {
    const copies: Copied[] = [];
    const key = places.map(({ constant, offset }) => `${this.#weights.keyOf(constant)}@${offset}`).join();
    // What has been opened when another weight fails is closed with the others.
    this.#blocks.push({ key: `${name} ${key}`, buffer, copies });
    for (const { slot, constant, offset } of places) {
      const source = this.#weights.onHost(constant);
      try {
        const target = this.#torch.over(buffer.address + offset, constant.shape, constant.readAs, this.#torch.device);
        slots[slot] = target;
        copies.push({ slot, constant, source, target });
      } catch (error) {
        this.#weights.releaseHost(constant);
        throw error;
      }
    }
  }

  /** Sees that the blocks are on the device that the call of this number needs, and sends the next one on its way. */
  before(call: number): void {
    const blocks = this.#needs.needs[call];
    if (blocks === undefined) return;
    const next = this.#needs.next.get(call);
    // Within a block's turn nothing changes.
    if (next === undefined) return;
    for (const i of blocks) this.#bring(this.#blocks[i] as OpenBlock);
    this.#queue.wait();
    const following = next === null ? undefined : this.#blocks[next];
    const isFree = (buffer: Buffer) => blocks.every((i) => this.#blocks[i]?.buffer !== buffer);
    if (following === undefined || following.buffer.holds === following.key || !isFree(following.buffer)) return;
    if (this.#queue.isBeside) this.#bring(following);
    else for (const { constant } of following.copies) this.#weights.announce(constant);
  }

  /** The handles in its slots end with it. */
  close(slots: Slots): void {
    for (const { copies } of this.#blocks) {
      for (const { slot, constant, target } of copies) {
        this.#torch.drop(target);
        slots[slot] = 0;
        this.#weights.releaseHost(constant);
      }
    }
  }

  #bring({ key, buffer, copies }: OpenBlock): void {
    if (buffer.holds === key) return;
    buffer.holds = "";
    const { isBeside } = this.#queue;
    this.#queue.run(() => {
      for (const { source, target, constant } of copies) {
        this.#torch.copy(source, target, isBeside);
        // One by one: otherwise the whole block would be in memory twice.
        this.#weights.passed(constant);
      }
    });
    buffer.holds = key;
  }
}

interface Layout {
  readonly size: number;
  readonly places: readonly { readonly slot: number; readonly constant: Constant; readonly offset: number }[];
}

/** Equal for blocks with equal weights, whatever graph reads them. */
function layoutOf(constants: ReadonlyMap<number, Constant>): Layout {
  const offsetOf = ({ bytes }: Constant) => (bytes instanceof Uint8Array ? 0 : bytes.offset);
  const sorted = [...constants].toSorted(([, a], [, b]) => offsetOf(a) - offsetOf(b) || (a.readAs < b.readAs ? -1 : 1));
  let size = 0;
  const places = sorted.map(([slot, constant]) => {
    const offset = size;
    const length = byteSize({ shape: constant.shape, dtype: constant.readAs });
    size += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
    return { slot, constant, offset };
  });
  return { size, places };
}
