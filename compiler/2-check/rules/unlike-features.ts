/**
 * Values along `feature` that meet though their features are others: of two sources, or of heads and networks of different widths. And
 * networks that are given values of different widths.
 */
import type { Span } from "../../source/span.ts";
import type { Binding, CheckedLoss } from "../checked.ts";
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

/** The sources whose features meet those of heads and networks, with the names of these: only their files say how wide they are. */
type Meetings = ReadonlyMap<string, ReadonlySet<string>>;

export function unlikeFeatures({ declarations, losses, bindings }: Features, report: Report): Meetings {
  const meetings = new Map<string, Set<string>>();
  if (countOrigins(declarations) < 2) return meetings;
  const given = new Map<string, Origin>();
  const told = new Set<string>();
  const once = (key: string): boolean => !told.has(key) && told.add(key).has(key);
  const roots = [...losses, ...bindings.values()].map(({ core }) => core);
  for (const node of allNodes(roots, bindings)) {
    if (node.op === "network") compareGiven(node, given, { declarations, bindings }, report);
    const sides = node.op === "map" ? node.args.filter(hasFeatures) : [];
    const [a, b] = sides.map((side) => originsOf(side, bindings));
    const span = node.span ?? sides.find((side) => side.span !== null)?.span ?? null;
    if (a === undefined || b === undefined || span === null) continue;
    for (const first of a)
      for (const second of b) {
        if (first.name === second.name || !once([first.name, second.name].toSorted().join())) continue;
        tell([first, second], span, declarations, report);
        meet(first, second, meetings);
        meet(second, first, meetings);
      }
  }
  return meetings;
}

function meet(source: Origin, other: Origin, meetings: Map<string, Set<string>>): void {
  if (source.kind !== "source" || other.kind === "source") return;
  const names = meetings.get(source.name) ?? new Set();
  meetings.set(source.name, names.add(other.name));
}

/** Where features come from: sources of kind `tensor`, heads, and networks of layers. */
function countOrigins({ byName, outputs, networks }: Declarations): number {
  const sources = [...byName.values()].filter(
    (entry) => entry.kind === "source" && (entry.syntax.axes?.value ?? []).some(({ text }) => text === "feature"),
  );
  return sources.length + [...outputs.values()].filter(({ kind }) => kind === "linear").length + networks.size;
}

interface Origin {
  readonly kind: "source" | "output" | "network";
  readonly name: string;
}

/** What a network makes has its own features, whatever it is given. */
function originsOf(core: Core, bindings: ReadonlyMap<string, Binding>): readonly Origin[] {
  const nodes = allNodes(core, bindings, (node) => !hasFeatures(node) || node.op === "network");
  return [...nodes].flatMap((node): Origin[] => {
    if (!hasFeatures(node)) return [];
    if (node.op === "source") return [{ kind: "source", name: node.source }];
    return node.op === "output" || node.op === "network" ? [{ kind: node.op, name: node.name }] : [];
  });
}

/** A network's weights are as wide as the features that it is given first. */
function compareGiven(
  { name, arg, span }: Extract<Core, { op: "network" }>,
  given: Map<string, Origin>,
  { declarations, bindings }: Omit<Features, "losses">,
  report: Report,
): void {
  if (!hasFeatures(arg)) return;
  const found = originsOf(arg, bindings).filter((origin) => widthOf(origin, declarations) !== null);
  for (const origin of found) {
    const before = given.get(name);
    if (before === undefined) given.set(name, origin);
    const widths = [before ?? origin, origin].map((each) => widthOf(each, declarations));
    if (before === undefined || widths[0] === widths[1] || span === null || report.hasErrorAt(span)) continue;
    report.error(
      "LTX4033",
      span,
      `\`${name}\` is given ${widths[1]} features of \`${origin.name}\` and ${widths[0]} of \`${before.name}\``,
      { help: "its weights fit one of them: declare a network for each, or give both the same number of features" },
    );
  }
}

function tell([a, b]: readonly [Origin, Origin], span: Span, declarations: Declarations, report: Report): void {
  const names = `\`${a.name}\` and \`${b.name}\``;
  if (a.kind === "source" && b.kind === "source") {
    report.warning("LTX4028", span, `features of ${names} meet here, which are those of different encoders`, {
      help: "compare each with a head of its own; if both come from one encoder, write `# allow: LTX4028` and why on this line",
    });
    return;
  }
  const [first, second] = [a, b].map((origin) => widthOf(origin, declarations));
  if (first === undefined || second === undefined || first === null || second === null || first === second) return;
  const areHeads = a.kind === "output" && b.kind === "output";
  report.error("LTX4029", span, `${names} do not fit together: they have ${first} and ${second} features`, {
    help: areHeads
      ? "give both heads the same `features`, or put another head on one of them"
      : "the last layer of a network, and the `features` of a head, say how many there are; a head on one of them can have as many as the other",
  });
}

/** Features of a head, or of the last layer of a network; null where a parameter gives them, or a source, whose files say it. */
function widthOf({ kind, name }: Origin, { outputs, networks }: Declarations): number | null {
  if (kind === "network") {
    const layers = networks.get(name)?.architecture ?? [];
    const last = typeof layers === "string" ? undefined : layers.findLast((layer) => "features" in layer);
    return last !== undefined && "features" in last ? last.features : null;
  }
  const output = outputs.get(name);
  return output?.kind === "linear" && output.param === undefined ? output.features : null;
}
