/** PyTorch in a process of its own, which stays for the whole bench so that its start is not measured. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface TorchFile {
  readonly path: string;
  /** SHA-256 of each tensor's numbers as little-endian float32. */
  readonly tensors: Readonly<Record<string, string>>;
}

export interface Torch {
  readonly version: string;
  readonly kinds: Readonly<Record<string, readonly TorchFile[]>>;
  /** Seconds that `torch.load` takes for all files of a kind; `widen` makes float32 of their numbers as well. */
  seconds(kind: string, widen: boolean): Promise<number>;
  end(): void;
}

/**
 * Writes `count` files of each kind into `folder`; the last `kept` ones that are loaded stay in memory. Null where the system's Python
 * has no torch. Errors: throws where Python fails otherwise.
 */
export async function startTorch(folder: string, count: number, kept: number): Promise<Torch | null> {
  const script = fileURLToPath(new URL("torch_load.py", import.meta.url));
  const child = spawn("/usr/bin/python3", [script, folder, String(count), String(kept)]);
  let [failed, complaints] = [false, ""];
  child.on("error", () => (failed = true));
  child.stderr.on("data", (part: Buffer) => (complaints += part.toString()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string | null> => {
    const { done, value } = await lines.next();
    return done === true ? null : value;
  };
  const first = await line();
  if (first === null) {
    if (failed || complaints.includes("No module named 'torch'")) return null;
    throw new Error(complaints);
  }
  const { torch: version, kinds } = JSON.parse(first) as { torch: string; kinds: Torch["kinds"] };
  return {
    version,
    kinds,
    async seconds(kind, widen) {
      child.stdin.write(`${kind}${widen ? "\tfloat32" : ""}\n`);
      return Number((await line()) ?? Number.NaN);
    },
    end: () => child.stdin.end(),
  };
}
