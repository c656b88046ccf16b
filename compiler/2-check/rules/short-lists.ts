import type { Binding, CheckedLoss, CheckedParam } from "../checked.ts";
import type { Core } from "../core.ts";
import { allNodes } from "../dependencies.ts";
import type { Report } from "../report.ts";

type Item = Extract<Core, { op: "param" }> & { readonly index: number };

/** Warns once of each list that may be too short for the last of its items that is read. */
export function shortLists(
  params: readonly CheckedParam[],
  losses: readonly CheckedLoss[],
  bindings: ReadonlyMap<string, Binding>,
  report: Report,
): void {
  const cores = [...losses, ...bindings.values()].map(({ core }) => core);
  const lasts = new Map<string, Item>();
  for (const node of allNodes(cores, bindings)) {
    if (isItem(node) && node.index >= (lasts.get(node.name)?.index ?? 0)) lasts.set(node.name, node);
  }
  for (const { name, schema, span } of params) {
    const last = lasts.get(name);
    const { minItems } = schema;
    if (last === undefined || last.index < (typeof minItems === "number" ? minItems : 0)) continue;
    const count = last.index + 1;
    report.warning(
      "LTX4059",
      last.span ?? span,
      `\`${name}\` may have fewer than ${count} item${count === 1 ? "" : "s"}`,
      {
        help: `write \`minItems: ${count}\` in the parameter, so that a run config with a shorter list is refused`,
      },
    );
  }
}

const isItem = (node: Core): node is Item => node.op === "param" && node.index !== null;
