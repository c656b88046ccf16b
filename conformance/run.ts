/**
 * Replays golden vectors: npm run conformance -- [DIR] [--group NAME]... [--engine NAME]... [--case REGEXP] [--provider NAME]
 * DIR is laid out like conformance/vectors (the default): DIR/<group>/<case>/manifest.json.
 * Cases that this version cannot replay are left out, but count as failed where their group is asked for by name.
 * A provider computes all by itself then: what it would leave to the CPU is a failure.
 * Prints a line per group and a reason per failure, ends with `N passed, N failed`, exits 1 on failure.
 */
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { openEngine } from "../runtime/engine/index.ts";
import type { Engine, EngineName } from "../runtime/engine/engine.ts";
import { folders, loadCase, Unsupported } from "./case.ts";
import type { Provider } from "../runtime/engine/onnx/provider.ts";
import { replays } from "./groups/index.ts";

const vectors = fileURLToPath(new URL("./vectors", import.meta.url));

interface Count {
  passed: number;
  failed: number;
  unsupported: number;
}

interface Options {
  readonly root: string;
  /** A regular expression for the names of the cases to replay. */
  readonly pattern: string;
  /** Whether a case that this version cannot replay is a failure. */
  readonly strict: boolean;
}

/** Why one case fails, or null when it is not supported. A throw is a failure too, never the end of the run. */
async function replayCase(
  root: string,
  group: string,
  name: string,
  engine: Engine,
): Promise<readonly string[] | null> {
  const replay = replays[group];
  if (replay === undefined) return null;
  try {
    return await replay(await loadCase(root, group, name), engine);
  } catch (error) {
    if (error instanceof Unsupported) return null;
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}

async function runGroup({ root, pattern, strict }: Options, group: string, engine: Engine): Promise<Count> {
  const count = { passed: 0, failed: 0, unsupported: 0 };
  const reasons: string[] = [];
  for (const name of (await folders(`${root}/${group}`)).filter((name) => new RegExp(pattern).test(name))) {
    const found = await replayCase(root, group, name, engine);
    if (found === null && !strict) count.unsupported++;
    else if (found !== null && found.length === 0) count.passed++;
    else count.failed++;
    const explained = found ?? (strict ? ["not supported by this version"] : []);
    reasons.push(...explained.map((reason) => `  ${group}/${name}: ${reason}`));
  }
  // A group that was asked for and holds nothing is a mistake in the command, not a success.
  if (count.passed + count.failed + count.unsupported === 0 && pattern === "") {
    count.failed++;
    reasons.push(`  ${group}: no case in ${root}/${group}`);
  }
  const left = count.unsupported > 0 ? `, ${count.unsupported} not supported by this version` : "";
  console.log(`${engine.name} ${group}: ${count.passed} passed, ${count.failed} failed${left}`);
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
      provider: { type: "string" },
    },
  });
  const root = positionals[0] ?? vectors;
  const groups = values.group ?? (await folders(root));
  const options = { root, pattern: values.case ?? "", strict: values.group !== undefined };
  const total = { passed: 0, failed: 0 };
  const { provider } = values;
  for (const name of values.engine ?? (provider === undefined ? ["cpu", "wasm", "onnx"] : ["onnx"])) {
    const chosen = provider === undefined ? {} : { provider: provider as Provider, isStrict: provider !== "cpu" };
    const { engine } = await openEngine(name as EngineName, chosen);
    for (const group of groups) {
      const count = await runGroup(options, group, engine);
      total.passed += count.passed;
      total.failed += count.failed;
    }
  }
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

await main();
