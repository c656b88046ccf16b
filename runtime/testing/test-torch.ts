import { findPythons } from "../../scripts/python-environment.ts";
import type { Engine, Precision } from "../engine/engine.ts";
import { open } from "../engine/open-engine.ts";
import { findTorch, type FoundTorch } from "../engine/torch/find-torch.ts";

/** The first PyTorch of this machine's Pythons that the engine `torch` can use. */
async function look(): Promise<FoundTorch | null> {
  const { pythons, reason } = findPythons();
  const reasons: string[] = [];
  for (const { path } of pythons) {
    try {
      return await findTorch(path);
    } catch (error) {
      reasons.push((error as Error).message);
    }
  }
  console.log(
    `not tested with the engine torch: ${[...reasons, ...(reasons.length === 0 ? [reason] : [])].join("; ")}`,
  );
  return null;
}

let looked: Promise<FoundTorch | null> | null = null;

/** PyTorch for tests; null, with the reason printed once in a process, where there is none that can be used. */
export function testTorch(): Promise<FoundTorch | null> {
  looked ??= look();
  return looked;
}

/** The engine `torch` on the CPU for tests, as a list that is empty where there is no PyTorch. */
export async function torchEngines(precision: Precision = "float32"): Promise<Engine[]> {
  const found = await testTorch();
  if (found === null) return [];
  // In the precision that is asked for, also on a processor on which a run would take another.
  const { engine } = await open(
    { name: "torch", provider: "cpu" },
    { isStrict: false, torch: found.folder, precision },
  );
  return [engine];
}
