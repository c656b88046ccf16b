/** Sources that some samples lack: `has(depth)`, and which samples the conditions of a strategy leave over. */
import { failed, hasArguments, type Call } from "./call.ts";
import { map } from "./combine.ts";
import type { Environment } from "./environment.ts";
import { wordFor } from "./declarations.ts";
import { childrenOf, tensor, type Core } from "./core.ts";
import type { Binding } from "./checked.ts";
import { allNodes } from "./dependencies.ts";
import type { Span } from "../source/span.ts";

/** `bool[batch]`: the samples that have a source. */
export const hasSource = (source: string, span: Span | null = null): Core => ({
  op: "has",
  source,
  type: tensor("bool", ["batch"]),
  span,
});

/**
 * A value of a modality where samples have its latents. Where these are optional, samples that lack them enter as noise of level 1: the
 * model is told nothing of them.
 */
export function whereHad(
  { latents, env }: { readonly latents: string; readonly env: Environment },
  value: Core,
  otherwise: () => Core,
): Core {
  if (!env.declarations.optional.has(latents) || value.op === "error") return value;
  return map(env.report, "where", [hasSource(latents), value, otherwise()], null, "`latents`");
}

/** `has(depth)` */
export function has(call: Call): Core {
  const { env, span, args } = call;
  if (!hasArguments(call, 1)) return failed(call);
  const argument = args[0]?.value;
  if (argument?.kind === "error") return failed(call);
  const name = argument?.kind === "name" ? argument.name : "";
  const { byName, optional, refused, used } = env.declarations;
  const declaration = byName.get(name);
  if (optional.has(name) && declaration?.kind === "source") {
    used.add(name);
    return hasSource(name, span);
  }
  if (refused.has(name)) return failed(call);
  const at = argument?.span ?? span;
  if (name !== "" && declaration === undefined) {
    const sources = [...byName.values()].flatMap((entry) => (entry.kind === "source" ? [entry.name.text] : []));
    env.report.unknownName(name, at, sources);
    return failed(call);
  }
  if (declaration?.kind === "source") {
    used.add(name);
    env.report.error("LTX5072", at, `every sample has \`${name}\`, so there is nothing to ask`, {
      help: "leave the condition out, or write `optional: true` at the source, so that samples without a file of it are kept",
      labels: [{ span: declaration.name.span, message: "not optional" }],
    });
    return failed(call);
  }
  const what = declaration === undefined ? "this is none" : `\`${name}\` is a ${wordFor[declaration.kind]}`;
  env.report.error("LTX5072", at, `\`has\` asks for a source that is optional; ${what}`, {
    help: "write `has(depth)` for a source `depth: {…, optional: true}`",
  });
  return failed(call);
}

/** Whether a mask says which samples of the batch count, by what they have. */
export function choosesSamples(mask: Core, bindings: Bindings): boolean {
  if (mask.type.dtype !== "bool" || mask.type.axes.join() !== "batch") return false;
  for (const { op } of allNodes(mask, bindings)) if (op === "has") return true;
  return false;
}

// ------------------------------------------------------------------------------------------------- what a condition tells

type Bindings = ReadonlyMap<string, Binding>;

/** Names of sources. */
type Sources = ReadonlySet<string>;

const none: Sources = new Set();
const union = (sets: readonly Sources[]): Sources => new Set(sets.flatMap((set) => [...set]));
const shared = ([first = none, ...rest]: readonly Sources[]): Sources =>
  new Set([...first].filter((name) => rest.every((set) => set.has(name))));

/** Names in a row that are followed; behind more of them nothing is known. */
const deepest = 100;

/** The sources that every sample surely has in which a mask is true (a weight is not 0), or with `outcome` false is not. */
function impliedBy(mask: Core, outcome: boolean, bindings: Bindings, depth = 0): Sources {
  if (depth > deepest) return none;
  const of = (core: Core, wanted = outcome) => impliedBy(core, wanted, bindings, depth + 1);
  switch (mask.op) {
    case "has":
      return outcome ? new Set([mask.source]) : none;
    case "ref": {
      const target = bindings.get(mask.key)?.core;
      return target === undefined ? none : of(target);
    }
    case "tokens":
    case "grid":
    case "broadcast":
    case "extend":
      return mask.op === "extend" && !outcome ? none : of(mask.arg);
    case "map":
      break;
    default:
      return none;
  }
  const [first] = mask.args;
  if (first === undefined) return none;
  if (mask.fn === "not") return of(first, !outcome);
  // Numbers 0 and 1 restrict as their mask does.
  if (mask.fn === "float") return of(first);
  if (mask.fn === "mul") return outcome ? union(mask.args.map((arg) => of(arg))) : none;
  if (mask.fn !== "and" && mask.fn !== "or") return none;
  const each = mask.args.map((arg) => of(arg));
  return (mask.fn === "and") === outcome ? union(each) : shared(each);
}

// ------------------------------------------------------------------------------------------------------------ what is read

/** A value that samples without a source have not. */
interface Read {
  readonly source: string;
  /** What is read: the source itself, or what the model predicts in its place. */
  readonly node: Core;
  /** The nearest place in the file that it comes from. */
  readonly span: Span | null;
}

interface Presence {
  readonly bindings: Bindings;
  /** Sources that some samples lack. */
  readonly optional: Sources;
  /** Of a modality, the source of its latents. */
  readonly latents: ReadonlyMap<string, string>;
}

interface Visit {
  readonly core: Core;
  /** Sources that all samples have whose value counts here. */
  readonly known: Sources;
  readonly span: Span | null;
}

/** Every read of a source in samples that may lack it, of all that a value is made of, where all samples have those of `known`. */
export function* unguardedReads(core: Core, presence: Presence, known: Sources = none): Generator<Read> {
  const { bindings, optional } = presence;
  const seen = new Set<string>();
  // Not by recursion: bindings may refer to each other thousands deep.
  const left: Visit[] = [{ core, known, span: null }];
  for (let visit = left.pop(); visit !== undefined; visit = left.pop()) {
    const { core: node, known } = visit;
    const span = node.span ?? visit.span;
    const source = sourceRead(node, presence);
    if (source !== null && optional.has(source) && !known.has(source)) yield { source, node, span };
    left.push(
      ...parts(node, known, bindings)
        .toReversed()
        .map((part) => ({ ...part, span })),
    );
    if (node.op !== "ref") continue;
    const target = bindings.get(node.key)?.core;
    const visited = [node.key, ...[...known].toSorted()].join();
    if (target === undefined || seen.has(visited)) continue;
    seen.add(visited);
    left.push({ core: target, known, span });
  }
}

function sourceRead(node: Core, { latents }: Presence): string | null {
  switch (node.op) {
    case "source":
    case "fps":
      return node.source;
    case "size":
      return node.of;
    case "prediction":
    case "passPrediction":
      return latents.get(node.modality) ?? null;
    default:
      return null;
  }
}

type Part = Omit<Visit, "span">;

/** The children of a node, each with what all samples have whose value counts there. */
function parts(node: Core, known: Sources, bindings: Bindings): Part[] {
  const under = (core: Core, ...more: readonly Sources[]): Part => ({ core, known: union([known, ...more]) });
  const tells = (mask: Core, outcome: boolean) => impliedBy(mask, outcome, bindings);
  switch (node.op) {
    case "map": {
      const [first, second, third] = node.args;
      if (first === undefined || second === undefined) break;
      if (node.fn === "where" && third !== undefined)
        return [under(first), under(second, tells(first, true)), under(third, tells(first, false))];
      if (node.fn === "and") return [under(first, tells(second, true)), under(second, tells(first, true))];
      if (node.fn === "or") return [under(first, tells(second, false)), under(second, tells(first, false))];
      break;
    }
    case "maskedMean": {
      const told = node.weights.map((weight) => tells(weight, true));
      const others = (i: number) => told.filter((_, k) => k !== i);
      return [under(node.error, ...told), ...node.weights.map((weight, i) => under(weight, ...others(i)))];
    }
    // What counts in one sample is then read of others.
    case "others":
    case "assigned":
    case "pass":
    case "passPrediction":
      return childrenOf(node).map((core) => ({ core, known: none }));
    case "passInputs":
      return node.fields.map(({ field, core }) => ({ core, known: new Set([field.split(".")[0] ?? ""]) }));
    case "shift":
      return childrenOf(node).map((core) => ({ core, known: node.axis === "batch" ? none : known }));
  }
  return childrenOf(node).map((core) => ({ core, known }));
}
