import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openEngine } from "../../runtime/engine/index.ts";
import { folders, loadCase, type Manifest, type Replay } from "../case.ts";
import { replay as embeddings } from "./embeddings.ts";
import { replay as positions } from "./positions.ts";
import { replay as transformer } from "./transformer.ts";

const test = suite("model vectors");
const vectors = fileURLToPath(new URL("../vectors", import.meta.url));

/**
 * What a float32 implementation reaches that follows the same order of operations; the stored tolerances are wider by up to a
 * factor of 100 and would let through a wrong modulation row of a small table.
 */
const strict: Readonly<Record<string, (tolerance: Manifest) => Manifest>> = {
  positions: () => ({ atol: 1e-7 }),
  embeddings: (stored) => ({ ...stored, out: { atol: 5e-6 } }),
  transformer: (stored) =>
    replaced(stored, {
      out: { atol: 3e-5, rtol: 1e-5 },
      "mid other": { atol: 3e-5, rtol: 1e-5 },
      rope: { atol: 1e-7 },
      grad: { atol: 1e-5, rtol: 1e-4 },
      freq_grid: { rtol: 2e-7 },
      // A float32 grid of this size has some values an ulp off, which angles of thousands of radians show.
      "cos/sin": { atol: 3e-4 },
    }),
};

/** Limits in place of stored ones; a case has those of its kind alone. */
function replaced(stored: Manifest, limits: Manifest): Manifest {
  return Object.fromEntries(Object.entries(stored).map(([name, limit]) => [name, limits[name] ?? limit]));
}

const groups: readonly (readonly [name: string, replay: Replay])[] = [
  ["positions", positions],
  ["embeddings", embeddings],
  ["transformer", transformer],
];

for (const engineName of ["cpu", "wasm"] as const) {
  for (const [group, replay] of groups) {
    test(`${group} within the limits of a faithful float32 implementation, on ${engineName}`, async () => {
      const { engine } = await openEngine(engineName);
      const before = engine.memory().tensors;
      const names = await folders(`${vectors}/${group}`);
      assert.ok(names.length > 2);
      for (const name of names) {
        const stored = await loadCase(vectors, group, name);
        const { manifest } = stored;
        const tolerance = strict[group]?.(manifest["tolerance"] ?? {}) ?? {};
        const reasons = await replay({ ...stored, manifest: { ...manifest, tolerance } }, engine);
        assert.equal(reasons, [], name);
      }
      assert.is(engine.memory().tensors, before);
    });
  }
}

test.run();
