/** What the conditions of a strategy, `has(depth)` and `in(prior)`, tell of the samples that they leave over. */
import type { Declarations } from "./declarations.ts";
import { childrenOf, type Core, type Term } from "./core.ts";
import type { Binding } from "./checked.ts";
import { allNodes } from "./dependencies.ts";
import type { Span } from "../source/span.ts";

type Bindings = ReadonlyMap<string, Binding>;

/** Whether a mask says which samples of the batch count, by what they have or where they come from. */
export function choosesSamples(mask: Core, bindings: Bindings): boolean {
  if (mask.type.dtype !== "bool" || mask.type.axes.join() !== "batch") return false;
  for (const { op } of allNodes(mask, bindings)) if (op === "has" || op === "in") return true;
  return false;
}

/** Names of sources, or of data sets. */
type Names = ReadonlySet<string>;

/** What is known of the samples whose value counts somewhere. */
interface Known {
  /** Sources that they have. */
  readonly has: Names;
  /** Data sets that they may come from. */
  readonly from: Names;
}

export class Presence {
  readonly #bindings: Bindings;
  /** Sources that some samples lack. */
  readonly #optional: Names;
  /** Of each data set, those of these sources that all its samples have. A strategy without any has one, without a name. */
  readonly #datasets: ReadonlyMap<string, Names>;
  /** Of a modality, the source of its latents. */
  readonly #latents: ReadonlyMap<string, string>;
  readonly #outputs: Declarations["outputs"];

  constructor(
    { optional, byName, outputs }: Pick<Declarations, "optional" | "byName" | "outputs">,
    bindings: Bindings,
    latents: ReadonlyMap<string, string>,
  ) {
    this.#bindings = bindings;
    this.#optional = optional;
    this.#latents = latents;
    this.#outputs = outputs;
    const isWritten = (name: string) => {
      const source = byName.get(name);
      return source?.kind === "source" && source.syntax.optional?.value === true;
    };
    const certain = [...optional].filter((name) => !isWritten(name));
    const sets = [...byName.values()].flatMap((entry) => (entry.kind === "dataset" ? [entry.syntax] : []));
    const of = sets.map(({ name, without }): readonly [string, Names] => {
      const lacking = without.map(({ text }) => text);
      return [name.text, new Set(certain.filter((source) => !lacking.includes(source)))];
    });
    this.#datasets = new Map(of.length === 0 ? [["", new Set()]] : of);
  }

  /** Of any samples, or of those that have a source. */
  samples(having?: string): Known {
    return { has: new Set(having === undefined ? [] : [having]), from: new Set(this.#datasets.keys()) };
  }

  has({ has, from }: Known, source: string): boolean {
    return has.has(source) || [...from].every((name) => this.#datasets.get(name)?.has(source) === true);
  }

  both(a: Known, b: Known): Known {
    return { has: new Set([...a.has, ...b.has]), from: new Set([...a.from].filter((name) => b.from.has(name))) };
  }

  #either(a: Known, b: Known): Known {
    const has = [...this.#optional].filter((source) => this.has(a, source) && this.has(b, source));
    return { has: new Set(has), from: new Set([...a.from, ...b.from]) };
  }

  /** What is known of samples for which a mask is true (a weight is not 0), or with `outcome` false is not. */
  told(mask: Core, outcome: boolean, depth = 0): Known {
    const any = this.samples();
    if (depth > deepest) return any;
    const of = (core: Core, wanted = outcome) => this.told(core, wanted, depth + 1);
    switch (mask.op) {
      case "has":
        return outcome ? this.samples(mask.source) : any;
      case "in":
        return { ...any, from: new Set([...any.from].filter((name) => (name === mask.dataset) === outcome)) };
      case "ref": {
        const target = this.#bindings.get(mask.key)?.core;
        return target === undefined ? any : of(target);
      }
      case "tokens":
      case "grid":
      case "broadcast":
        return of(mask.arg);
      // False on references, whatever the samples have.
      case "extend":
        return outcome ? of(mask.arg) : any;
      case "map":
        return this.#ofMap(mask, outcome, of);
      default:
        return any;
    }
  }

  #ofMap({ fn, args }: Term<"map">, outcome: boolean, of: (core: Core, wanted?: boolean) => Known): Known {
    const any = this.samples();
    const [first] = args;
    if (first === undefined) return any;
    if (fn === "not") return of(first, !outcome);
    // Numbers 0 and 1 restrict as their mask does.
    if (fn === "float") return of(first);
    const isAll = (fn === "and" || fn === "mul") === outcome;
    if (fn !== "and" && fn !== "or" && (fn !== "mul" || !outcome)) return any;
    return args.map((arg) => of(arg)).reduce((a, b) => (isAll ? this.both(a, b) : this.#either(a, b)));
  }

  /** Every read of a source in samples that may lack it, of all that a value of `known` samples is made of. */
  *unguardedReads(core: Core, known = this.samples()): Generator<Read> {
    const seen = new Set<string>();
    // Not by recursion: bindings may refer to each other thousands deep.
    const left: Visit[] = [{ core, known, span: null }];
    for (let visit = left.pop(); visit !== undefined; visit = left.pop()) {
      const { core: node, known } = visit;
      const span = node.span ?? visit.span;
      const source = this.#sourceRead(node);
      if (source !== null && !this.has(known, source)) yield { source, node, span };
      left.push(
        ...this.#parts(node, known)
          .toReversed()
          .map((part) => ({ ...part, span })),
      );
      if (node.op !== "ref") continue;
      const target = this.#bindings.get(node.key)?.core;
      const visited = [node.key, ...[...known.has].toSorted(), "", ...known.from].join();
      if (target === undefined || seen.has(visited)) continue;
      seen.add(visited);
      left.push({ core: target, known, span });
    }
  }

  /** Of the sources that samples may lack, the one that a node reads. */
  #sourceRead(node: Core): string | null {
    const source = this.#sourceOf(node);
    return source !== null && this.#optional.has(source) ? source : null;
  }

  #sourceOf(node: Core): string | null {
    const latents = (modality: string | undefined) => this.#latents.get(modality ?? "") ?? null;
    switch (node.op) {
      case "source":
      case "fps":
        return node.source;
      case "size":
        return node.of;
      case "prediction":
      case "passPrediction":
        return latents(node.modality);
      case "output":
        return latents(this.#outputs.get(node.name)?.modality);
      default:
        return null;
    }
  }

  /** The children of a node, each with what is known of the samples whose value counts there. */
  #parts(node: Core, known: Known): Part[] {
    const under = (core: Core, ...more: readonly Known[]): Part => ({
      core,
      known: more.reduce((a, b) => this.both(a, b), known),
    });
    const all = (core: Core): Part => ({ core, known: this.samples() });
    switch (node.op) {
      case "map": {
        const [first, second, third] = node.args;
        if (first === undefined || second === undefined) break;
        const told = (mask: Core, outcome: boolean) => this.told(mask, outcome);
        if (node.fn === "where" && third !== undefined)
          return [under(first), under(second, told(first, true)), under(third, told(first, false))];
        const decides = node.fn === "and";
        if (decides || node.fn === "or")
          return [under(first, told(second, decides)), under(second, told(first, decides))];
        break;
      }
      case "maskedMean": {
        const told = node.weights.map((weight) => this.told(weight, true));
        const others = (i: number) => told.filter((_, k) => k !== i);
        return [under(node.error, ...told), ...node.weights.map((weight, i) => under(weight, ...others(i)))];
      }
      // What counts in one sample is then read of others.
      case "others":
      case "assigned":
      case "pass":
      case "passPrediction":
        return childrenOf(node).map(all);
      case "passInputs":
        return node.fields.map(({ field, core }) => ({ core, known: this.samples(field.split(".")[0]) }));
      case "shift":
        if (node.axis === "batch") return childrenOf(node).map(all);
    }
    return childrenOf(node).map((core) => under(core));
  }
}

/** A value that samples without a source have not. */
interface Read {
  readonly source: string;
  /** What is read: the source itself, or what the model predicts in its place. */
  readonly node: Core;
  /** The nearest place in the file that it comes from. */
  readonly span: Span | null;
}

interface Visit {
  readonly core: Core;
  readonly known: Known;
  readonly span: Span | null;
}

type Part = Omit<Visit, "span">;

/** Names in a row that are followed; behind more of them nothing is known. */
const deepest = 100;
