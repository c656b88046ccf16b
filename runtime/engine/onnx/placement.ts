import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InferenceSession } from "onnxruntime-node";

/** A way to learn on which provider each operation of a graph runs: the runtime tells it in profiles alone. */
export interface Placement {
  readonly options: Pick<InferenceSession.SessionOptions, "enableProfiling" | "profileFilePrefix">;
  /** Once the session was made with the options and has run: how many operations ran on the CPU, by operator. */
  onCpu(session: InferenceSession): Promise<Record<string, number>>;
  /** The session could not be made. */
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

/** Values are sent from one provider to the other by operations, too, which do not count. */
function countOnCpu(events: readonly ProfileEvent[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { cat, name, args: { provider, op_name: op = "" } = {} } of events) {
    const isKernel = cat === "Node" && name.endsWith("_kernel_time") && !op.startsWith("Memcpy");
    if (isKernel && provider === CPU) counts[op] = (counts[op] ?? 0) + 1;
  }
  return counts;
}
