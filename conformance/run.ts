/**
 * Replays golden vectors: npm run conformance -- [DIR] [--group NAME]... [--engine NAME]... [--case PATTERN]
 * DIR is laid out like conformance/vectors (the default): DIR/<group>/<case>/manifest.json.
 * Prints a line per group and a reason per failure, ends with `N passed, N failed`, exits 1 on failure.
 */
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { openEngine } from "../runtime/engine/index.ts";
import type { Engine, EngineName } from "../runtime/engine/engine.ts";
import { folders, loadCase } from "./case.ts";
import { replays } from "./groups/index.ts";

const vectors = fileURLToPath(new URL("./vectors", import.meta.url));

interface Count {
  passed: number;
  failed: number;
}

/** Why one case fails; a throw is a failure too, never the end of the run. */
async function replayCase(root: string, group: string, name: string, engine: Engine): Promise<readonly string[]> {
  const replay = replays[group];
  if (replay === undefined) return [`group ${group} is not supported yet`];
  try {
    return await replay(await loadCase(root, group, name), engine);
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}

async function runGroup(root: string, group: string, engine: Engine, pattern: string): Promise<Count> {
  const count = { passed: 0, failed: 0 };
  const reasons: string[] = [];
  for (const name of (await folders(`${root}/${group}`)).filter((name) => name.includes(pattern))) {
    const found = await replayCase(root, group, name, engine);
    found.length === 0 ? count.passed++ : count.failed++;
    reasons.push(...found.map((reason) => `  ${group}/${name}: ${reason}`));
  }
  // A group that was asked for and holds nothing is a mistake in the command, not a success.
  if (count.passed + count.failed === 0 && pattern === "") {
    count.failed++;
    reasons.push(`  ${group}: no case in ${root}/${group}`);
  }
  console.log(`${engine.name} ${group}: ${count.passed} passed, ${count.failed} failed`);
  for (const reason of reasons) console.log(reason);
  return count;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      group: { type: "string", multiple: true },
      engine: { type: "string", multiple: true },
      case: { type: "string" },
    },
  });
  const root = positionals[0] ?? vectors;
  const present = await folders(root);
  const groups = values.group ?? present.filter((name) => name in replays);
  const total = { passed: 0, failed: 0 };
  for (const name of values.engine ?? ["cpu", "wasm"]) {
    const { engine } = await openEngine(name as EngineName);
    for (const group of groups) {
      const count = await runGroup(root, group, engine, values.case ?? "");
      total.passed += count.passed;
      total.failed += count.failed;
    }
  }
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

await main();
