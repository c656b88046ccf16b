/** Values along `feature` that meet though their features are others: of two sources, or of heads of different widths. */
import type { Span } from "../../source/span.ts";
import type { Binding, CheckedLoss, CheckedOutput } from "../checked.ts";
import type { Core } from "../core.ts";
import { allNodes } from "../dependencies.ts";
import type { Declarations } from "../declarations.ts";
import type { Report } from "../report.ts";

interface Features {
  readonly declarations: Declarations;
  readonly losses: readonly CheckedLoss[];
  readonly bindings: ReadonlyMap<string, Binding>;
}

const hasFeatures = (core: Core): boolean => core.type.axes.includes("feature");

export function unlikeFeatures({ declarations, losses, bindings }: Features, report: Report): void {
  if (countOrigins(declarations) < 2) return;
  const told = new Set<string>();
  const once = (key: string): boolean => !told.has(key) && told.add(key).has(key);
  for (const node of allNodes(
    [...losses, ...bindings.values()].map(({ core }) => core),
    bindings,
  )) {
    const sides = node.op === "map" ? node.args.filter(hasFeatures) : [];
    const [a, b] = sides.map((side) => originsOf(side, bindings));
    const span = node.span ?? sides.find((side) => side.span !== null)?.span ?? null;
    if (a === undefined || b === undefined || span === null) continue;
    for (const first of a)
      for (const second of b) {
        if (first.name === second.name || !once([first.name, second.name].toSorted().join())) continue;
        tell([first, second], span, declarations, report);
      }
  }
}

/** Where features come from: sources of kind `tensor`, and heads. */
function countOrigins({ byName, outputs }: Declarations): number {
  const sources = [...byName.values()].filter(
    (entry) => entry.kind === "source" && (entry.syntax.axes?.value ?? []).some(({ text }) => text === "feature"),
  );
  return sources.length + [...outputs.values()].filter(({ kind }) => kind === "linear").length;
}

interface Origin {
  readonly kind: "source" | "output";
  readonly name: string;
}

function originsOf(core: Core, bindings: ReadonlyMap<string, Binding>): readonly Origin[] {
  const nodes = allNodes(core, bindings, (node) => !hasFeatures(node));
  return [...nodes].flatMap((node): Origin[] => {
    if (!hasFeatures(node)) return [];
    if (node.op === "source") return [{ kind: "source", name: node.source }];
    return node.op === "output" ? [{ kind: "output", name: node.name }] : [];
  });
}

function tell([a, b]: readonly [Origin, Origin], span: Span, { outputs }: Declarations, report: Report): void {
  const names = `\`${a.name}\` and \`${b.name}\``;
  if (a.kind === "source" && b.kind === "source") {
    report.warning("LTX4028", span, `features of ${names} meet here, which are those of different encoders`, {
      help: "compare each with a head of its own; if both come from one encoder, write `# allow: LTX4028` and why on this line",
    });
    return;
  }
  const [first, second] = [a, b].map(({ name }) => widthOf(outputs.get(name)));
  if (first === undefined || second === undefined || first === null || second === null || first === second) return;
  report.error("LTX4029", span, `${names} do not fit together: they have ${first} and ${second} features`, {
    help: "give both heads the same `features`, or put another head on one of them",
  });
}

/** The features of a head; null where a parameter gives them, or a source, whose files say it. */
const widthOf = (output: CheckedOutput | undefined): number | null =>
  output?.kind === "linear" && output.param === undefined ? output.features : null;
