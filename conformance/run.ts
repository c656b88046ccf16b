/** Replays golden vectors; `usage` in args.ts says how. Ends with `N passed, N failed`, which `.ci/run` adds up. */
import { fileURLToPath } from "node:url";
import { openEngine } from "../runtime/engine/index.ts";
import type { Engine } from "../runtime/engine/engine.ts";
import { testTorch } from "../runtime/testing/test-torch.ts";
import { FindingsError } from "../runtime/findings.ts";
import { oneOf, readArgs, usage, UsageError, type Args } from "./args.ts";
import { NotCovered } from "./checks.ts";
import { folders, loadCase } from "./case.ts";
import { replays } from "./groups/index.ts";

const vectors = fileURLToPath(new URL("./vectors", import.meta.url));

interface Count {
  passed: number;
  failed: number;
  unsupported: number;
}

/** Why one case fails, or why it was not replayed. A throw is a failure too, never the end of the run. */
async function replayCase(
  root: string,
  group: string,
  name: string,
  engine: Engine,
): Promise<readonly string[] | NotCovered> {
  const replay = replays[group];
  if (replay === undefined) return ["not supported by this version"];
  try {
    return await replay(await loadCase(root, group, name), engine);
  } catch (error) {
    if (error instanceof NotCovered) return error;
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}

/** A group that this version can not replay is counted; where it was asked for by name, it fails. */
async function runGroup(args: Args, root: string, group: string, engine: Engine): Promise<Count> {
  const all = await folders(`${root}/${group}`);
  const cases = all.filter((name) => args.pattern.test(name));
  const count = { passed: 0, failed: 0, unsupported: 0 };
  const reasons: string[] = [];
  if (replays[group] === undefined && args.groups === null) count.unsupported = cases.length;
  else {
    for (const name of cases) {
      const found = await replayCase(root, group, name, engine);
      if (found instanceof NotCovered) {
        count.unsupported++;
        reasons.push(`  ${group}/${name}: not covered: ${found.message}`);
        continue;
      }
      if (found.length === 0) count.passed++;
      else count.failed++;
      reasons.push(...found.map((reason) => `  ${group}/${name}: ${reason}`));
    }
  }
  // A group that was asked for and holds nothing is a mistake in the command, not a success.
  if (all.length === 0) {
    count.failed++;
    reasons.push(`  ${group}: no case in ${root}/${group}`);
  }
  const left = count.unsupported > 0 ? `, ${count.unsupported} not supported by this version` : "";
  console.log(`${engine.name} ${group}: ${count.passed} passed, ${count.failed} failed${left}`);
  for (const reason of reasons) console.log(reason);
  return count;
}

async function replayAll(args: Args): Promise<Count> {
  const root = args.root ?? vectors;
  const present = await folders(root);
  const known = [...new Set([...Object.keys(replays), ...present])].toSorted();
  const groups = args.groups?.map((name) => oneOf("group", known, name)) ?? present;
  const total = { passed: 0, failed: 0, unsupported: 0 };
  const { provider } = args;
  const chosen = provider === null ? {} : { provider, isStrict: provider !== "cpu" };
  for (const name of args.engines) {
    const torch = name === "torch" ? ((await testTorch())?.folder ?? null) : null;
    const { engine } = await openEngine(name, { ...chosen, torch });
    for (const group of groups) {
      const count = await runGroup(args, root, group, engine);
      total.passed += count.passed;
      total.failed += count.failed;
      total.unsupported += count.unsupported;
    }
  }
  return total;
}

async function replayInPython({ root, pattern }: Args): Promise<Count> {
  const { checkPythonTarget } = await import("./python/index.ts");
  return { passed: 0, failed: 0, ...(await checkPythonTarget(root ?? vectors, pattern)), unsupported: 0 };
}

async function main(): Promise<number> {
  try {
    const args = readArgs(process.argv.slice(2));
    if (args === null) {
      console.log(usage);
      return 0;
    }
    const { passed, failed, unsupported } = args.target === null ? await replayAll(args) : await replayInPython(args);
    if (unsupported > 0) console.log(`${unsupported} not replayed: this version does not support them`);
    if (passed + failed === 0) console.log("no case was replayed");
    console.log(`${passed} passed, ${failed} failed`);
    return failed > 0 || passed === 0 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof FindingsError)) throw error;
    console.error(`conformance: ${error.message}`);
    if (error instanceof FindingsError) return 1;
    console.error("`npm run conformance -- --help` says what there is");
    return 2;
  }
}

process.exitCode = await main();
