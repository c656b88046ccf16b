/** All places of a name: in the file, and in those that share it because one extends the other. */
import { reservedNames } from "../2-check/builtins.ts";
import type { Edit } from "../source/edits.ts";
import type { Span } from "../source/span.ts";
import type { Analysis } from "./analysis.ts";
import { strategyName } from "./definition.ts";
import { symbolAt } from "./symbol.ts";
import { contains, localsOf, usesIn, type Local, type Use } from "./uses.ts";

interface Occurrence {
  readonly path: string;
  readonly span: Span;
  readonly isDeclaration: boolean;
}

export interface Occurrences {
  readonly name: string;
  /** The name at hand. */
  readonly span: Span;
  /** `strategy`, `param` and `dataset`: run configs may name it, too. */
  readonly kind: "local" | "strategy" | "param" | "dataset" | "other";
  /** Names of the strategies that are concerned. */
  readonly strategies: readonly string[];
  readonly places: readonly Occurrence[];
  /** Names that something else has at one of the places, or anywhere in those strategies. */
  readonly taken: ReadonlySet<string>;
  /** Where a file that cannot be changed declares the name, as built-in strategies do. */
  readonly declaredIn: string;
}

/** `others`: every other strategy around. Null where nothing that has a name of its own stands. */
export function occurrences(analysis: Analysis, offset: number, others: readonly Analysis[]): Occurrences | null {
  const { path } = analysis.file;
  const named = analysis.own === null ? null : strategyName(analysis.own.tree);
  if (named !== null && contains(named.span, offset)) {
    const places = [{ path, span: named.span, isDeclaration: true }];
    const taken = new Set<string>();
    return {
      name: named.text,
      span: named.span,
      kind: "strategy",
      strategies: [named.text],
      places,
      taken,
      declaredIn: path,
    };
  }
  const symbol = symbolAt(analysis, offset);
  if (symbol?.kind === "local") {
    const places = symbol.local.uses.map((use) => occurrence(path, use));
    const { name, scope } = symbol.local;
    const taken = new Set([
      ...declaredIn(analysis),
      ...namesOf(localsIn(analysis).filter((each) => each.scope === scope)),
    ]);
    return { name, span: symbol.span, kind: "local", strategies: [], places, taken, declaredIn: path };
  }
  if (symbol?.kind !== "declared") return null;
  const declaration = analysis.declarations?.byName.get(symbol.name);
  if (declaration === undefined) return null;
  const root = rootOf(analysis, symbol.name, others);
  const family = [analysis, ...others.filter(({ file }) => file.path !== path)].filter((each) => isBelow(each, root));
  const places = family.flatMap((each) => usesOf(each, symbol.name).map((use) => occurrence(each.file.path, use)));
  const strategies = family.flatMap(({ own }) => (own === null ? [] : (strategyName(own.tree)?.text ?? [])));
  const kind = declaration.kind === "param" || declaration.kind === "dataset" ? declaration.kind : "other";
  const taken = new Set(family.flatMap((each) => [...declaredIn(each), ...hiding(each, symbol.name)]));
  return { name: symbol.name, span: symbol.span, kind, strategies, places, taken, declaredIn: root };
}

const occurrence = (path: string, { span, isDeclaration }: Use): Occurrence => ({ path, span, isDeclaration });

const usesOf = ({ own }: Analysis, name: string): readonly Use[] =>
  own === null ? [] : usesIn(own.syntax).filter((use) => use.name === name);

/** The path of the farthest base, which is among `others`, that declares a name. */
function rootOf({ file }: Analysis, name: string, others: readonly Analysis[]): string {
  const declaring = new Set(others.filter((each) => declaredIn(each).has(name)).map((each) => each.file.path));
  return file.bases.findLast(({ path }) => declaring.has(path))?.path ?? file.path;
}

/** What the file itself declares. */
const declaredIn = ({ own }: Analysis): ReadonlySet<string> =>
  new Set(own === null ? [] : namesOf(usesIn(own.syntax).filter(({ isDeclaration }) => isDeclaration)));

const namesOf = (named: readonly { readonly name: string }[]): string[] => named.map(({ name }) => name);

const localsIn = ({ own }: Analysis): readonly Local[] => own?.syntax.lets.flatMap(localsOf) ?? [];

/** Arguments that would hide a name where it is used, if it were called like them. */
function hiding(analysis: Analysis, name: string): string[] {
  const uses = usesOf(analysis, name);
  return namesOf(localsIn(analysis).filter(({ scope }) => uses.some(({ span }) => contains(scope, span.start))));
}

const isBelow = ({ file }: Analysis, root: string): boolean => [file, ...file.bases].some(({ path }) => path === root);

/** Run configs are YAML 1.1, in which more words are no texts. */
const isOtherInYaml = (kind: Occurrences["kind"], name: string): boolean =>
  /^null$/i.test(name) || ((kind === "param" || kind === "dataset") && /^(?:y|n|yes|no|on|off)$/i.test(name));

/** Why a name cannot be given; null where it can. */
export function refusal(analysis: Analysis, { kind, name, taken }: Occurrences, next: string): string | null {
  if (kind === "strategy")
    return /^[a-z][a-z0-9_]*$/.test(next)
      ? null
      : "a strategy's name has lower-case letters, digits and _, and begins with a letter";
  if (!/^[A-Za-z_]\w*$/.test(next)) return "a name has letters, digits and _, and does not begin with a digit";
  if (isOtherInYaml(kind, next)) return `YAML reads \`${next}\` as something else than a name`;
  if (kind === "param" && next === "name") return "`name` is the strategy's own key in a run config";
  if (reservedNames.has(next)) return `\`${next}\` is the name of a built-in`;
  const isTaken = next !== name && (taken.has(next) || analysis.declarations?.byName.has(next) === true);
  return isTaken ? `\`${next}\` is declared already` : null;
}

/** The edits of a new name, by path. */
export function renames({ places }: Occurrences, next: string): ReadonlyMap<string, readonly Edit[]> {
  const edits = new Map<string, Edit[]>();
  for (const { path, span } of places) edits.set(path, [...(edits.get(path) ?? []), { span, text: next }]);
  return edits;
}
