import { open } from "node:fs/promises";

/** Every write to a file fails as on a full disk, until the returned function is called. */
export async function fillDisk(directory: string): Promise<() => void> {
  const file = await open(directory, "r");
  const prototype = Object.getPrototypeOf(file) as { write: unknown };
  await file.close();
  const { write } = prototype;
  prototype.write = () => Promise.reject(Object.assign(new Error("write"), { code: "ENOSPC" }));
  return () => (prototype.write = write);
}
