import type { Torch } from "./library.ts";

/** The name of the first GPU, which its driver tells; empty if it does not. */
export function gpuName(torch: Torch): string {
  const driver = torch.open("libcuda.so.1");
  if (driver === null) return "";
  const [device, name] = [new Int32Array(1), Buffer.alloc(100)];
  const get = driver.func("int cuDeviceGet(void *device, int index)") as (...args: unknown[]) => number;
  const read = driver.func("int cuDeviceGetName(void *name, int length, int device)") as (...args: unknown[]) => number;
  if (get(device, 0) !== 0 || read(name, name.length, device[0] ?? 0) !== 0) return "";
  return name.toString("utf8", 0, name.indexOf(0));
}
