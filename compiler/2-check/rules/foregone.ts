/** What is the same whatever is drawn: comparisons with numbers that a draw never reaches, and entries that are drawn always or never. */
import type { Item } from "../../1-parse/expression/ast.ts";
import type { StrategySyntax } from "../../1-parse/syntax.ts";
import type { Binding, CheckedLoss, CheckedParam } from "../checked.ts";
import type { Core } from "../core.ts";
import { allNodes } from "../dependencies.ts";
import type { Report } from "../report.ts";

type Bindings = ReadonlyMap<string, Binding>;

/** The least and the largest number that a value can be. */
type Bounds = readonly [number, number];

/** The largest float32 below 1, which draws do not reach. */
const belowOne = 1 - 2 ** -24;

/** Names of names that are followed: deeper ones count as unknown. */
const maxDepth = 50;

/** `uniform(0, 1) > 1`, `progress < 0`: the comparison decides nothing. */
export function foregoneComparisons(
  losses: readonly CheckedLoss[],
  { bindings, params }: { readonly bindings: Bindings; readonly params: readonly CheckedParam[] },
  report: Report,
): void {
  const written = [...bindings.values()].filter(({ span }) => span !== null);
  const known = { bindings, params, named: new Map() };
  const reported = new Set<Core>();
  for (const node of allNodes(
    [...losses, ...written].map(({ core }) => core),
    bindings,
  )) {
    if (node.op !== "map" || !comparisons.includes(node.fn) || node.span === null || reported.has(node)) continue;
    reported.add(node);
    const [left, right] = node.args;
    // A plain draw stands in what the compiler writes for a probability.
    if (left?.span == null || right?.span == null || left.op === "draw") continue;
    const [a, b] = [left, right].map((core) => boundsOf(core, known));
    if (a == null || b == null || ![left, right].some((core) => varies(core, bindings))) continue;
    const outcome = outcomeOf(node.fn, a, b);
    if (outcome === null) continue;
    const varying = varies(left, bindings) ? { core: left, bounds: a } : { core: right, bounds: b };
    const text = report.textAt(varying.core.span) ?? "what is drawn";
    report.warning("LTX5097", node.span, `this is ${outcome ? "always" : "never"} true`, {
      help: `\`${text}\` lies between ${shown(varying.bounds[0])} and ${shown(varying.bounds[1])}`,
    });
  }
}

const shown = (bound: number): string => String(Number(bound.toPrecision(6)));

const comparisons: readonly string[] = ["less", "lessEqual", "greater", "greaterEqual"];

/** What the comparison is for all numbers between these bounds; null where it depends, or is none. */
function outcomeOf(fn: string, [low, high]: Bounds, [least, most]: Bounds): boolean | null {
  const decided = (always: boolean, never: boolean) => (always ? true : never ? false : null);
  switch (fn) {
    case "less":
      return decided(high < least, low >= most);
    case "lessEqual":
      return decided(high <= least, low > most);
    case "greater":
      return decided(low > most, high <= least);
    case "greaterEqual":
      return decided(low >= most, high < least);
    default:
      return null;
  }
}

/** Whether chance or the course of the run decides what it is. */
function varies(core: Core, bindings: Bindings): boolean {
  for (const { op } of allNodes(core, bindings))
    if (op === "draw" || op === "sampled" || op === "progress") return true;
  return false;
}

interface Known {
  readonly bindings: Bindings;
  readonly params: readonly CheckedParam[];
  /** Names that have been looked at: those that use each other twice over would double with every step. */
  readonly named: Map<string, Bounds | null>;
}

function boundsOfName(key: string, known: Known, depth: number): Bounds | null {
  const found = known.named.get(key);
  const core = known.bindings.get(key)?.core;
  if (found !== undefined || core === undefined) return found ?? null;
  const bounds = boundsOf(core, known, depth + 1);
  known.named.set(key, bounds);
  return bounds;
}

/** Null where nothing bounds it. */
function boundsOf(core: Core, known: Known, depth = 0): Bounds | null {
  if (depth > maxDepth) return null;
  const inner = (each: Core | undefined) => (each === undefined ? null : boundsOf(each, known, depth + 1));
  switch (core.op) {
    case "literal":
      return typeof core.value === "number" ? [core.value, core.value] : null;
    case "param":
      return paramBounds(known.params.find(({ name }) => name === core.name));
    case "draw":
      return core.fn === "rand" ? [0, belowOne] : null;
    case "sampled":
      return [0, 1];
    case "progress":
      return core.name === "progress" ? [0, 1] : null;
    case "ref":
      return boundsOfName(core.key, known, depth);
    case "tokens":
    case "grid":
    case "broadcast":
    case "stopGradient":
      return inner(core.arg);
    case "map":
      return mapped(core.fn, core.args.map(inner));
    default:
      return null;
  }
}

function paramBounds(param: CheckedParam | undefined): Bounds | null {
  const { minimum, maximum } = param?.schema ?? {};
  return typeof minimum === "number" && typeof maximum === "number" ? [minimum, maximum] : null;
}

function mapped(fn: string, args: readonly (Bounds | null)[]): Bounds | null {
  const [a, b] = args;
  if (a == null || (args.length > 1 && b == null)) return null;
  const [low, high] = a;
  const [least, most] = b ?? a;
  const products = [low * least, low * most, high * least, high * most];
  switch (fn) {
    case "add":
      return [low + least, high + most];
    case "sub":
      return [low - most, high - least];
    case "neg":
      return [-high, -low];
    case "mul":
      return [Math.min(...products), Math.max(...products)];
    case "maximum":
      return [Math.max(low, least), Math.max(high, most)];
    case "minimum":
      return [Math.min(low, least), Math.min(high, most)];
    case "floor":
      return [Math.floor(low), Math.floor(high)];
    default:
      return null;
  }
}

/** `with probability 1`: behind it, no text is ever taken. `with probability 0`: the entry is never taken. */
export function foregoneEntries({ video, audio, passes }: StrategySyntax, report: Report): void {
  for (const modality of [video, audio, ...passes.flatMap((pass) => [pass.video, pass.audio])])
    for (const [key, list] of Object.entries({
      text: modality?.text,
      keep: modality?.keep,
      noise_mask: modality?.noiseMask,
    }))
      for (const { probability } of (list?.items ?? []) as readonly Item[]) {
        if (probability?.kind !== "number" || (probability.value !== 0 && probability.value !== 1)) continue;
        const always = key === "text" ? "always taken, and those behind it never" : "always taken";
        const isAlways = probability.value === 1;
        report.warning("LTX5098", probability.span, `this entry is ${isAlways ? always : "never taken"}`, {
          help: isAlways
            ? "write a smaller number, or leave out what has no effect"
            : "write a larger number, or leave out the entry",
        });
      }
}
