import type { HostTensor, Shape } from "../../contract.ts";
import { sizeOf, type Graph } from "../../graph/graph.ts";
import type { GraphLibrary } from "../thread/serve.ts";
import { blockNeeds } from "./block-needs.ts";
import { BlockBuffers, BlockStream } from "./block-stream.ts";
import { copyQueueOf, type CopyQueue } from "./copy-queue.ts";
import type { Slots } from "./dispatch.ts";
import { FreedMemory } from "./freed-memory.ts";
import { gpuName } from "./gpu-name.ts";
import { Torch, type Handle, type TorchDevice } from "./library.ts";
import { hostData } from "./numbers.ts";
import { planOf, type Constant, type Plan } from "./plan.ts";
import { runPlan } from "./run-plan.ts";
import { Weights } from "./weights.ts";

/** What the thread is started with. */
export interface TorchOptions {
  /** The folder of the package `torch`. */
  readonly folder: string;
  readonly device: TorchDevice;
}

/** A tensor, with what it takes to read it. */
interface Value extends Pick<HostTensor, "shape"> {
  readonly handle: Handle;
  readonly dtype: Plan["outputs"][number]["dtype"];
}

interface Session {
  readonly plan: Plan;
  /** Zero but for the constants, between runs. */
  readonly slots: Slots;
  /** The weights that are brought to the device when they are needed; null where none are. */
  blocks: BlockStream | null;
}

/** PyTorch's library as what runs graphs. Throws if it can not be loaded, or does not have the device. */
export class TorchLibrary implements GraphLibrary<Value, Session> {
  readonly torch: Torch;
  readonly about: string;
  readonly #weights: Weights;
  readonly #buffers: BlockBuffers;
  readonly #freed: FreedMemory;
  #queue: CopyQueue | null = null;
  /** Whether graphs that are opened from now on leave the weights of blocks on the host. */
  #isOffloading = false;

  constructor({ folder, device }: TorchOptions) {
    this.torch = new Torch(folder, device);
    this.#weights = new Weights(this.torch);
    this.#buffers = new BlockBuffers(this.torch);
    this.#freed = new FreedMemory(this.torch);
    // Finds out whether there is a device, and whether this build has its kernels.
    this.torch.drop(this.torch.upload(new Uint8Array(4), [1], "float32"));
    this.about = device === "cpu" ? "" : gpuName(this.torch);
  }

  upload({ data, shape, dtype }: HostTensor): Value {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return { handle: this.torch.upload(bytes, shape, dtype), shape, dtype };
  }

  zeros(shape: Shape): Value {
    return this.upload({ shape, dtype: "float32", data: new Float32Array(sizeOf(shape)) });
  }

  offload(isOn: boolean): void {
    this.#isOffloading = isOn;
  }

  open(graph: unknown): Session {
    const plan = planOf(this.torch, graph as Graph);
    const slots = new Float64Array(plan.slots);
    const session: Session = { plan, slots, blocks: null };
    try {
      if (this.#isOffloading) session.blocks = this.#stream(plan, slots);
      for (const [slot, constant] of plan.constants) if (slots[slot] === 0) slots[slot] = this.#constant(constant);
    } catch (error) {
      this.close(session);
      throw error;
    }
    return session;
  }

  run({ plan, slots, blocks }: Session, feeds: readonly Value[]): Value[] {
    const handles = feeds.map(({ handle }) => handle);
    const results = runPlan(this.torch, plan, slots, handles, blocks);
    this.#freed.giveBack();
    return plan.outputs.map(({ shape, dtype }, i) => ({ handle: results[i] ?? 0, shape, dtype }));
  }

  read({ handle, shape, dtype }: Value): HostTensor {
    return { shape, dtype, data: hostData(this.torch.read(handle, shape, dtype), dtype) } as HostTensor;
  }

  free({ handle }: Value): void {
    this.torch.drop(handle);
  }

  close({ plan, slots, blocks }: Session): void {
    blocks?.close(slots);
    for (const [slot, constant] of plan.constants) {
      const handle = slots[slot] ?? 0;
      if (handle === 0) continue;
      if (constant.bytes instanceof Uint8Array) this.torch.drop(handle);
      else this.#weights.release(constant, constant.bytes);
      slots[slot] = 0;
    }
  }

  #stream(plan: Plan, slots: Slots): BlockStream {
    this.#queue ??= copyQueueOf(this.torch);
    const tools = { torch: this.torch, weights: this.#weights, buffers: this.#buffers, queue: this.#queue };
    return new BlockStream(tools, blockNeeds(plan), slots);
  }

  #constant(constant: Constant): Handle {
    const { bytes, shape, dtype } = constant;
    return bytes instanceof Uint8Array ? this.torch.upload(bytes, shape, dtype) : this.#weights.take(constant, bytes);
  }
}
