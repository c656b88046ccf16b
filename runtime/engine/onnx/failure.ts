import { FindingsError } from "../../findings.ts";
import { DeviceError } from "./device.ts";
import type { Node } from "../../graph/graph.ts";

/**
 * What the user can be told of a graph that failed: the part of the model or the line of the strategy, and the runtime's reason. Other
 * errors are given back as they are.
 * @param nodesOf of a graph, null where it is unknown
 */
export function explainFailure(error: unknown, nodesOf: (session: number) => readonly Node[] | null): unknown {
  if (!(error instanceof DeviceError) || error.session === null) return error;
  const [, failed] = /Name:'([^']*)'/.exec(error.message) ?? [];
  const nodes = nodesOf(error.session);
  const place = failed === undefined || nodes === null ? null : placeOf(nodes, failed);
  const reason = error.message.replace(/^.*Status Message: /s, "").split("\n")[0] ?? "";
  const [, wanted] = /allocate memory for requested buffer of size (\d+)/.exec(reason) ?? [];
  const help =
    wanted !== undefined
      ? "`ltxc plan` shows what the run needs, and settings that need less"
      : "another `runtime.engine` may do it; please report this with what `ltxc doctor` prints";
  const where = place === null ? "" : ` in ${place}`;
  const message =
    wanted === undefined
      ? `the step failed${where}: ${reason}`
      : `the step does not fit into the memory${where}: ${Number(wanted).toLocaleString("en")} bytes more are not to be had`;
  return new FindingsError([{ code: "LTX7030", severity: "error", path: ["runtime", "engine"], message, help }]);
}

/** Where a node belongs; gradients, and what the passes made, to the nearest operation whose results they read. */
function placeOf(nodes: readonly Node[], name: string): string | null {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output.name, node] as const)));
  const seen = new Set<Node | undefined>([makers.get(name)]);
  for (const node of seen) {
    if (node?.place !== undefined) return node.place;
    for (const input of node?.inputs ?? []) seen.add(makers.get(input));
  }
  return null;
}
