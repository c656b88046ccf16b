import type { Tensor } from "../../contract.ts";
import { byteSize } from "../../graph/graph.ts";
import type { StoredTensor } from "../../graph/stored-tensor.ts";
import type { Engine } from "../engine.ts";
import type { Device } from "./device.ts";
import { DeviceTensor } from "./device-tensor.ts";

/** The tensors of an engine that were not disposed yet. */
export class LiveTensors {
  readonly #device: Device;
  readonly #live = new Set<DeviceTensor>();

  constructor(device: Device) {
    this.#device = device;
  }

  /** A tensor for a value on the device. */
  onDevice(id: number, { shape, dtype }: Pick<Tensor, "shape" | "dtype">): DeviceTensor {
    return this.#add(new DeviceTensor(id, shape, dtype));
  }

  /** A tensor for numbers that stay in their file. */
  inFile(stored: StoredTensor): DeviceTensor {
    return this.#add(new DeviceTensor(NaN, stored.shape, "float32", stored));
  }

  /** @throws Error for a tensor that was disposed, or that belongs to another engine */
  idOf(x: Tensor | undefined): number {
    if (!(x instanceof DeviceTensor) || !this.#live.has(x)) throw new Error("a tensor is used that was disposed of");
    return x.id;
  }

  dispose(x: Tensor | null): void {
    if (x instanceof DeviceTensor && this.#live.delete(x) && x.stored === null) this.#device.free(x.id);
  }

  /** Tensors in files hold no memory. */
  memory(): ReturnType<Engine["memory"]> {
    const held = [...this.#live].filter(({ stored }) => stored === null);
    return { tensors: this.#live.size, bytes: held.reduce((sum, x) => sum + byteSize(x), 0) };
  }

  #add(tensor: DeviceTensor): DeviceTensor {
    this.#live.add(tensor);
    return tensor;
  }
}
