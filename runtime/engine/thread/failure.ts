import { FindingsError, type Finding } from "../../findings.ts";
import type { Node } from "../../graph/graph.ts";
import { some } from "../../some.ts";
import { DeviceEndedError, DeviceError, type DeviceFault } from "../recording/device.ts";
import { CHANGED } from "./mapped-files.ts";

/** What a library says about a failure, taken apart. */
export interface Failure {
  /** The node that failed, by the name of its first output; null if it is not said. */
  readonly node: string | null;
  readonly reason: string;
  /** Bytes that were wanted and could not be had; null for any other failure. */
  readonly wanted: number | null;
}

/** Nodes of a session's graph, null if it is unknown. */
type NodesOf = (session: number) => readonly Node[] | null;

/**
 * Makes what explains to the user why a graph failed: where, as a part of the model or a line of the strategy, and the library's reason.
 * Errors that are not about a graph are returned unchanged.
 * @param read takes the library's message apart
 */
export const explainFailure =
  (read: (message: string) => Failure) =>
  (error: unknown, nodesOf: NodesOf): unknown => {
    const isDevices = error instanceof DeviceEndedError || error instanceof DeviceError;
    if (isDevices && error.message.includes(CHANGED)) return new FindingsError([modelChanged(error.message)]);
    if (error instanceof DeviceEndedError) return threadEnded(error.message);
    if (!(error instanceof DeviceError) || error.session === null) return error;
    return stepFailed(read(error.message), nodesOf(error.session));
  };

function stepFailed({ node, reason, wanted }: Failure, nodes: readonly Node[] | null): FindingsError {
  const origin = node === null || nodes === null ? null : originOf(nodes, node);
  const where = origin === null ? "" : ` in ${origin}`;
  const [message, help] =
    wanted === null
      ? [
          `the step failed${where}: ${reason}`,
          "another `runtime.engine` may do it; please report this with what `ltxc doctor` prints",
        ]
      : [
          `the step does not fit into the memory${where}: ${wanted.toLocaleString("en")} bytes more are not available`,
          "`ltxc plan` shows what the run needs, and settings that need less",
        ];
  return new FindingsError([{ code: "LTX7030", severity: "error", path: ["runtime", "engine"], message, help }]);
}

function threadEnded(reason: string): FindingsError {
  const message = `the thread that computes has ended, and the values that it held are lost (${reason})`;
  const help = "`ltxc plan` shows how much memory the run needs; another `runtime.engine` may do it";
  return new FindingsError([{ code: "LTX7042", severity: "error", path: ["runtime", "engine"], message, help }]);
}

const modelPlace: Finding["path"] = ["model", "model_path"];

function modelChanged(message: string): Finding {
  const help = "put the file back as it was; a run needs its model unchanged to its end";
  return { code: "LTX7043", severity: "error", path: modelPlace, message, help };
}

/** Says to the user why mapped memory can not be read. */
export function explainFault({ change, files }: DeviceFault): Finding {
  if (change !== null) return modelChanged(change);
  const message = `the system can not read ${files.length === 0 ? "its memory" : some(files)} any more (SIGBUS)`;
  const help = "see that its disk or network folder works, then go on from the last checkpoint";
  return { code: "LTX6160", severity: "error", path: modelPlace, message, help };
}

/**
 * The origin of a node, by its first output. Nodes of the backward pass, and those that passes made, have none: the nearest node that
 * they read from and that has one is taken.
 */
function originOf(nodes: readonly Node[], name: string): string | null {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output.name, node] as const)));
  const seen = new Set<Node | undefined>([makers.get(name)]);
  for (const node of seen) {
    if (node?.origin !== undefined) return node.origin;
    for (const input of node?.inputs ?? []) seen.add(makers.get(input));
  }
  return null;
}
