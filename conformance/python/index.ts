/** The second back end against the first: what a compiled Python module does, compared with what `ltxc run` does. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPythons } from "../../scripts/python-environment.ts";
import { runChecks, type CheckResult } from "./checks.ts";
import { recordDraws } from "./draws.ts";
import { recordExamples } from "./examples.ts";
import { recordLaunches } from "./launches.ts";
import { recordCases, recordSizes } from "./replay.ts";
import { recordSteps } from "./steps.ts";

interface Count {
  readonly passed: number;
  readonly failed: number;
}

/** Runs all checks with every Python that has PyTorch, and prints what it finds. Null, with the reason printed, where there is none. */
export async function checkPythonTarget(vectors: string, pattern: RegExp): Promise<Count | null> {
  const { pythons, reason } = findPythons();
  if (pythons.length === 0) {
    console.log(`no Python with PyTorch: ${reason}`);
    return null;
  }
  const total = { passed: 0, failed: 0 };
  for (const { path, torch } of pythons) {
    const results = await checkAll(path, vectors, pattern);
    const failed = results.filter(({ reasons }) => reasons.length > 0);
    console.log(`torch ${torch}: ${results.length - failed.length} passed, ${failed.length} failed`);
    for (const { name, reasons } of failed) for (const text of reasons) console.log(`  ${name}: ${text}`);
    total.passed += results.length - failed.length;
    total.failed += failed.length;
  }
  return total;
}

async function checkAll(python: string, vectors: string, pattern: RegExp): Promise<readonly CheckResult[]> {
  const folder = await mkdtemp(join(tmpdir(), "ltxc-python-"));
  try {
    const inputs: Record<string, unknown> = {
      "facts.py": {},
      "draws.py": recordDraws(),
      "replay.py": await recordCases(vectors, pattern, folder),
      "sizes.py": await recordSizes(vectors, pattern),
      "steps.py": await recordSteps(folder, pattern),
      "launches.py": await recordLaunches(folder),
      "examples.py": await recordExamples(folder, pattern),
    };
    const results = [];
    for (const [script, given] of Object.entries(inputs)) {
      // No case has such a name.
      if (Array.isArray(given) && given.length === 0) continue;
      const path = join(folder, `${script}.json`);
      await writeFile(path, JSON.stringify(given));
      results.push(...(await runChecks(python, script, [path])));
    }
    return results;
  } finally {
    await rm(folder, { recursive: true });
  }
}
