/** What an expression asks for at its end, told from its tokens: it is being written and has no tree yet. */
import { docOf, type ParameterDoc, type ValueKind } from "../2-check/builtin-docs.ts";
import { keywords } from "../2-check/builtins.ts";
import type { Wanted } from "./roles.ts";

export interface Cursor {
  /** Letters of a name right before the cursor. */
  readonly prefix: string;
  readonly expects:
    /** Behind a point: what stands before it, as in `ref.video`. */
    | { readonly kind: "member"; readonly owner: readonly string[] }
    | { readonly kind: "axis" }
    | { readonly kind: "source" | "optional source" | "dataset" }
    | { readonly kind: "trained" }
    | { readonly kind: "probability" }
    | { readonly kind: "operand"; readonly wanted: Wanted; readonly isOver: boolean }
    /** Behind an operand; the function whose call it is, if it is one. */
    | {
        readonly kind: "operator";
        readonly callee: string | null;
        readonly isWhole: boolean;
        readonly openIf: "then" | "else" | null;
      };
  /** The innermost call that is open, and which of its arguments the cursor is in. */
  readonly call: OpenCall | null;
}

interface OpenCall {
  /** As written, with what stands before a point: `video.prefix`. */
  readonly callee: string;
  readonly argument: number;
  /** Of `name=` before the value. */
  readonly named: string | null;
}

const tokenPattern = /[A-Za-z_]\w*|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+|[<>=!]=|[^\s\w]/g;

/** An open bracket, or the whole expression. */
interface Group {
  readonly callee: string | null;
  argument: number;
  named: string | null;
  /** Index of its first token, and of the first of the argument at hand. */
  from: number;
  ifs: ("then" | "else")[];
}

/** `before`: the expression up to the cursor; `wanted`: what the whole of it should be. */
export function cursorIn(
  before: string,
  wanted: Wanted,
  signature: (callee: string) => readonly ParameterDoc[] | null,
): Cursor {
  const prefix = /[A-Za-z_]\w*$/.exec(before)?.[0] ?? "";
  const tokens = before.slice(0, before.length - prefix.length).match(tokenPattern) ?? [];
  const groups = groupsOf(tokens);
  const group = groups.at(-1) ?? newGroup(null, 0);
  const call = groups.findLast(({ callee }) => callee !== null);
  const open = call?.callee == null ? null : { callee: call.callee, argument: call.argument, named: call.named };
  const expects = expected(tokens, groups, group, wanted, signature);
  return { prefix, expects, call: open };
}

const newGroup = (callee: string | null, from: number): Group => ({ callee, argument: 0, named: null, from, ifs: [] });

/** The brackets that are still open, outermost first. */
function groupsOf(tokens: readonly string[]): Group[] {
  const groups = [newGroup(null, 0)];
  for (const [i, token] of tokens.entries()) {
    const top = groups.at(-1);
    if (top === undefined) break;
    if (token === "(" || token === "[") groups.push(newGroup(token === "(" ? calleeBefore(tokens, i) : null, i + 1));
    else if ((token === ")" || token === "]") && groups.length > 1) groups.pop();
    else if (token === ",") Object.assign(top, { argument: top.argument + 1, named: null, from: i + 1, ifs: [] });
    else if (token === "=") top.named = tokens[i - 1] ?? null;
    else if (token === "if") top.ifs.push("then");
    else if (token === "then" && top.ifs.length > 0) top.ifs[top.ifs.length - 1] = "else";
    else if (token === "else") top.ifs.pop();
  }
  return groups;
}

/** Arguments that are names alone, of which there are few. */
type NameKind = "axis" | "source" | "optional source" | "dataset" | "trained";

const nameKinds: readonly string[] = ["axis", "source", "optional source", "dataset", "trained"];
const isNameKind = (wanted: Wanted | NameKind): wanted is NameKind => nameKinds.includes(wanted);

const isName = (token: string | undefined): boolean => token !== undefined && /^[A-Za-z_]/.test(token);
/** Behind them an operand is still to come. */
const words = new Set(keywords.filter((word) => word !== "true" && word !== "false"));

function calleeBefore(tokens: readonly string[], open: number): string | null {
  if (tokens[open - 1] === "per") return "per";
  return isName(tokens[open - 1]) && !words.has(tokens[open - 1] ?? "") ? chainBefore(tokens, open).join(".") : null;
}

/** `ref.video.keep` before the token at `end`. */
function chainBefore(tokens: readonly string[], end: number): string[] {
  const chain: string[] = [];
  for (let i = end - 1; isName(tokens[i]); i -= 2) {
    chain.unshift(tokens[i] ?? "");
    if (tokens[i - 1] !== ".") break;
  }
  return chain;
}

function expected(
  tokens: readonly string[],
  groups: readonly Group[],
  group: Group,
  wanted: Wanted,
  signature: (callee: string) => readonly ParameterDoc[] | null,
): Cursor["expects"] {
  const last = tokens.at(-1);
  if (last === ".") return { kind: "member", owner: chainBefore(tokens, tokens.length - 1) };
  if (last === "per" || group.callee === "per") return { kind: "axis" };
  if (last === "with") return { kind: "probability" };
  const own = argumentWanted(groups, group, wanted, signature);
  if (isNameKind(own)) return { kind: own };
  if (isOperandEnd(last)) return operatorAfter(tokens, groups, group);
  return {
    kind: "operand",
    wanted: wantedAfter(last, own, tokens),
    isOver: last === "over" || tokens.at(-2) === "over",
  };
}

function isOperandEnd(last: string | undefined): boolean {
  return (
    last !== undefined && (/^[\d.]/.test(last) || last === ")" || last === "]" || (isName(last) && !words.has(last)))
  );
}

function operatorAfter(tokens: readonly string[], groups: readonly Group[], group: Group): Cursor["expects"] {
  const open = tokens.at(-1) === ")" ? openOf(tokens) : null;
  const callee = open === null ? null : calleeBefore(tokens, open);
  return { kind: "operator", callee, isWhole: groups.length === 1, openIf: group.ifs.at(-1) ?? null };
}

/** The bracket that the last one closes. */
function openOf(tokens: readonly string[]): number | null {
  let depth = 0;
  for (let i = tokens.length - 1; i >= 0; i--) {
    if (/[)\]]/.test(tokens[i] ?? "")) depth += 1;
    else if (/[([]/.test(tokens[i] ?? "") && --depth === 0) return i;
  }
  return null;
}

function wantedAfter(last: string | undefined, own: Wanted, tokens: readonly string[]): Wanted {
  switch (last) {
    case "not":
    case "and":
    case "or":
    case "if":
      return "mask";
    case "over":
      return "weight";
    case undefined:
    case ",":
    case "(":
    case "=":
      return own;
    case "then":
    case "else":
      return own === "loss" ? "any" : own;
    default:
      return own === "loss" && /^[*+-]$/.test(tokens.at(-1) ?? "") ? "loss" : "number";
  }
}

/** What an argument, or what stands in parentheses, should be. */
function argumentWanted(
  groups: readonly Group[],
  group: Group,
  whole: Wanted,
  signature: (callee: string) => readonly ParameterDoc[] | null,
): Wanted | NameKind {
  if (groups.length === 1) return whole;
  if (group.callee === null) return whole === "mask" || whole === "weight" ? whole : "any";
  const parameters = signature(group.callee) ?? [];
  const named = parameters.find(({ name }) => name === group.named);
  const last = parameters.at(-1);
  const parameter = named ?? parameters[group.argument] ?? (last?.many === true ? last : undefined);
  return kindWanted(parameter?.kind);
}

const kindWanted = (kind: ValueKind | undefined): Wanted | NameKind => kind ?? "any";

/** The parameters of a built-in function, `prefix` as `video.prefix`; of several forms the first. */
export function builtinParameters(callee: string): readonly ParameterDoc[] | null {
  const name = callee.split(".").at(-1) ?? "";
  return docOf(name)?.forms[0] ?? null;
}
