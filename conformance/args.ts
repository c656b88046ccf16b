import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import type { EngineName } from "../runtime/engine/engine.ts";
import type { Provider } from "../runtime/engine/onnx/provider.ts";

export const usage = `Replays golden vectors: runs the project on recorded inputs and compares every recorded number.

  npm run conformance -- [DIR] [--group NAME]... [--case REGEXP] [--engine NAME]... [--provider NAME]
  npm run conformance -- [DIR] --target ltx-trainer [--case REGEXP]

  DIR              a folder laid out <group>/<case>/manifest.json; conformance/vectors if not given
  --group NAME     only this group; may be given several times
  --case REGEXP    only cases whose names match
  --engine NAME    cpu, wasm, onnx, torch or tfjs-node-gpu; may be given several times; the first three if not given.
                   torch is that of LTXC_PYTHON, or else found as a run finds it
  --provider NAME  what the engines onnx and torch compute with: cpu, webgpu or cuda; leaving an operation to the CPU is a failure
  --target NAME    ltx-trainer: the steps of the group strategy in compiled Python, and all else that concerns this target;
                   needs a Python with PyTorch, see scripts/python-environment.ts
  --help           this text

Examples:
  npm run conformance
  npm run conformance -- --group training --case connectors --engine cpu
  npm run conformance -- ../golden --group strategy --group ptfiles
  npm run conformance -- --provider webgpu

Exit code: 0 when every case passed, 1 when one failed or none was replayed, 2 when the command is wrong.
A case fails for any key of its manifest and any tensor that its replay does not know. Groups that this version does not
replay are counted, and fail when asked for by name.`;

/** A mistake in the command, for its user. */
export class UsageError extends Error {}

export interface Args {
  /** Null: the project's own. */
  readonly root: string | null;
  /** Null: all. */
  readonly groups: readonly string[] | null;
  readonly pattern: RegExp;
  readonly engines: readonly EngineName[];
  readonly provider: Provider | null;
  /** Null: the steps that `ltxc run` runs. */
  readonly target: Target | null;
}

type Target = "ltx-trainer";

const engines: readonly EngineName[] = ["cpu", "wasm", "onnx", "torch", "tfjs-node-gpu"];
const targets: readonly Target[] = ["ltx-trainer"];
const providers: readonly Provider[] = ["cpu", "webgpu", "cuda"];

/** What the command asks for; null where it asks for help. Errors: UsageError. */
export function readArgs(args: readonly string[]): Args | null {
  const { values, positionals } = parse(args);
  if (values.help === true) return null;
  const [root = null, ...more] = positionals;
  if (more.length > 0) throw new UsageError(`one folder of vectors is replayed, not ${positionals.length}`);
  if (root !== null && !existsSync(root)) throw new UsageError(`there is no folder ${root}`);
  const provider = values.provider === undefined ? null : oneOf("provider", providers, values.provider);
  const asked = values.engine?.map((name) => oneOf("engine", engines, name));
  if (provider !== null && asked?.some((name) => name !== "onnx" && name !== "torch")) {
    throw new UsageError("only the engines onnx and torch have providers");
  }
  const target = values.target === undefined ? null : oneOf("target", targets, values.target);
  const others = ["group", "engine", "provider"] as const;
  if (target !== null && others.some((name) => values[name] !== undefined)) {
    throw new UsageError("--target goes with DIR and --case only");
  }
  return {
    root,
    groups: values.group ?? null,
    pattern: patternOf(values.case ?? ""),
    engines: asked ?? (provider === null ? ["cpu", "wasm", "onnx"] : ["onnx"]),
    provider,
    target,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        group: { type: "string", multiple: true },
        engine: { type: "string", multiple: true },
        case: { type: "string" },
        target: { type: "string" },
        provider: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Errors: UsageError. */
export function oneOf<Name extends string>(what: string, known: readonly Name[], given: string): Name {
  const found = known.find((name) => name === given);
  if (found === undefined) throw new UsageError(`there is no ${what} ${given}; there are: ${known.join(", ")}`);
  return found;
}

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
