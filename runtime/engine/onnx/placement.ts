import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InferenceSession } from "onnxruntime-node";

/** Finds out which operations of a graph run on the CPU. ONNX Runtime tells it only in a profile of a run. */
export interface Placement {
  readonly options: Pick<InferenceSession.SessionOptions, "enableProfiling" | "profileFilePrefix">;
  /** To call after the first run of a session that was created with the options. Counts the operations that ran on the CPU. */
  onCpu(session: InferenceSession): Promise<Record<string, number>>;
  /** To call if the session could not be created. */
  discard(): Promise<void>;
}

const CPU = "CPUExecutionProvider";

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  readonly args?: { readonly provider?: string; readonly op_name?: string };
}

export async function watchPlacement(): Promise<Placement> {
  const folder = await mkdtemp(join(tmpdir(), "ltxc-profile-"));
  const discard = () => rm(folder, { recursive: true });
  return {
    options: { enableProfiling: true, profileFilePrefix: join(folder, "profile") },
    async onCpu(session) {
      session.endProfiling();
      const [file = ""] = await readdir(folder);
      const events = JSON.parse(await readFile(join(folder, file), "utf8")) as ProfileEvent[];
      await discard();
      return countOnCpu(events);
    },
    discard,
  };
}

/** By operator; without the operations that copy values from one provider to another. */
function countOnCpu(events: readonly ProfileEvent[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { cat, name, args: { provider, op_name: op = "" } = {} } of events) {
    const isKernel = cat === "Node" && name.endsWith("_kernel_time") && !op.startsWith("Memcpy");
    if (isKernel && provider === CPU) counts[op] = (counts[op] ?? 0) + 1;
  }
  return counts;
}
