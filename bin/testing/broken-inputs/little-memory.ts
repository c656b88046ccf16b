import { ltxc } from "../testing.ts";

/** Calls `f` as if the machine had so much memory, as a share of what a run of the project needs. */
export async function withShareOfMemory<T>(share: number, project: string, f: () => Promise<T>): Promise<T> {
  const bytes = await estimated(project);
  const own = process.constrainedMemory;
  process.constrainedMemory = () => share * bytes;
  try {
    return await f();
  } finally {
    process.constrainedMemory = own;
  }
}

/** Bytes that `check` estimates for the project's run. */
async function estimated(cwd: string): Promise<number> {
  const { out } = await ltxc(["check", "train.yaml", "--json"], { cwd });
  const [run] = (JSON.parse(out) as { runs: readonly { residentBytes: number }[] }).runs;
  if (run === undefined) throw new Error(out);
  return run.residentBytes;
}
