import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Where an environment has the package. */
export const packageOf = (root: string): string => join(root, "lib", "python3.12", "site-packages", "torch");

/** Makes an environment whose PyTorch has the files that are looked at. Its library is empty: it can be found, and not be loaded. */
export async function makeEmptyTorch(root: string, version: string, cuda: string | null = null): Promise<void> {
  const torch = packageOf(root);
  await mkdir(join(torch, "lib"), { recursive: true });
  await writeFile(join(torch, "lib", "libtorch_cpu.so"), "");
  const text = `from typing import Optional\n__version__ = '${version}'\ncuda: Optional[str] = ${cuda === null ? "None" : `'${cuda}'`}\n`;
  await writeFile(join(torch, "version.py"), text);
}
