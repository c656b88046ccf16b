/** Words of a strategy by what they mean, for editors that colour them. */
import { isUnitName } from "../1-parse/expression/foreign.ts";
import { tokensOf } from "../1-parse/expression/parse.ts";
import type { YamlNode, YamlScalar } from "../1-parse/tree.ts";
import { fieldDocs, functionDocs, methodDocs, progressDocs } from "../2-check/builtin-docs.ts";
import { axisNames } from "../2-check/axes.ts";
import { keywords } from "../2-check/builtins.ts";
import type { Declaration } from "../2-check/declarations.ts";
import type { Span } from "../source/span.ts";
import { treeOf, type Analysis } from "./analysis.ts";
import { roleAt } from "./roles.ts";
import { usesIn } from "./uses.ts";

/** In the terms of the protocol of language servers. */
export const tokenTypes = [
  "namespace",
  "parameter",
  "variable",
  "property",
  "function",
  "keyword",
  "number",
  "operator",
  "enumMember",
] as const;
type TokenType = (typeof tokenTypes)[number];

interface SemanticToken {
  readonly span: Span;
  readonly type: TokenType;
  readonly isDeclaration: boolean;
}

const typeOfDeclaration: Readonly<Record<Declaration["kind"], TokenType>> = {
  param: "parameter",
  source: "variable",
  dataset: "namespace",
  let: "variable",
  pass: "namespace",
  output: "variable",
  weight: "variable",
  network: "function",
  import: "function",
};

/** In the order of the file; each within one line. */
export function semanticTokens(analysis: Analysis): readonly SemanticToken[] {
  const tree = treeOf(analysis);
  if (tree === null || analysis.own === null) return [];
  const inExpressions = expressionsOf(tree, []).flatMap(({ scalar, path }) => ofScalar(analysis, scalar, path));
  const declared = usesIn(analysis.own.syntax).filter(({ isDeclaration }) => isDeclaration);
  const names = declared.map(({ name, span }): SemanticToken => ({
    span,
    type: typeOfName(analysis, name),
    isDeclaration: true,
  }));
  return [...names, ...inExpressions].toSorted((a, b) => a.span.start - b.span.start);
}

type Path = readonly (string | number)[];

/** The scalars that hold expressions. */
function expressionsOf(node: YamlNode, path: Path): readonly { readonly scalar: YamlScalar; readonly path: Path }[] {
  if (node.kind === "scalar") return roleAt(path).kind === "expression" ? [{ scalar: node, path }] : [];
  if (node.kind === "sequence") return node.items.flatMap((item, i) => expressionsOf(item, [...path, i]));
  return node.entries.flatMap(({ key, value }) => expressionsOf(value, [...path, key]));
}

function ofScalar(analysis: Analysis, { text, mapOffset }: YamlScalar, path: Path): SemanticToken[] {
  const tokens = tokensOf(text);
  return tokens.flatMap(({ image, startOffset }, i): SemanticToken[] => {
    const type = isWordOfExpect(path, tokens, i)
      ? "keyword"
      : typeOf(analysis, image, tokens[i - 1]?.image, tokens[i + 1]?.image);
    const [start, end] = [mapOffset(startOffset), mapOffset(startOffset + image.length)];
    // Escapes make what is written longer; such words stay without a colour.
    return type === null || end - start !== image.length ? [] : [{ span: { start, end }, type, isDeclaration: false }];
  });
}

/** `about` and `within` behind a value, in an entry of `expect`; elsewhere they are names like any other. */
export function isWordOfExpect(path: Path, tokens: readonly { readonly image: string }[], i: number): boolean {
  const [word, before] = [tokens[i]?.image, tokens[i - 1]?.image];
  if (path[0] !== "expect" || (word !== "about" && word !== "within") || before === undefined) return false;
  return /^(?:[\w%)\]]+|\.\d+)$/.test(before) && !keywords.includes(before) && !isWordOfExpect(path, tokens, i - 1);
}

function typeOf(
  analysis: Analysis,
  word: string,
  before: string | undefined,
  behind: string | undefined,
): TokenType | null {
  if (/^[\d.]\d*/.test(word) && word !== ".") return "number";
  if (isUnitName(word) && before !== undefined && /^[\d.]+/.test(before) && before !== ".") return "number";
  if (!/^[A-Za-z_]/.test(word)) return /^[-+*/^<>=!]/.test(word) ? "operator" : null;
  if (keywords.includes(word)) return "keyword";
  if (behind === "=") return "parameter";
  return before === "." ? memberType(word, behind) : typeOfName(analysis, word, behind);
}

const memberType = (word: string, behind: string | undefined): TokenType =>
  behind === "(" ? "function" : word === "video" || word === "audio" ? "namespace" : "property";

function typeOfName({ declarations }: Analysis, word: string, behind?: string): TokenType {
  const declaration = declarations?.byName.get(word);
  if (declaration !== undefined) {
    const isFunction = declaration.kind === "let" && declaration.syntax.binder.parameters !== null;
    return isFunction ? "function" : typeOfDeclaration[declaration.kind];
  }
  if (word === "video" || word === "audio") return "namespace";
  if (behind === "(" && (word in functionDocs || word in methodDocs)) return "function";
  if (word in fieldDocs || word in methodDocs || word in progressDocs) return "property";
  return axisNames.includes(word) ? "enumMember" : "variable";
}
