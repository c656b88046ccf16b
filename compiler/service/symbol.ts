/** What stands at an offset of a strategy. */
import { allExpressions } from "../1-parse/all-expressions.ts";
import type { Expression, Unit } from "../1-parse/expression/ast.ts";
import { isUnitName } from "../1-parse/expression/foreign.ts";
import { tokensOf } from "../1-parse/expression/parse.ts";
import type { YamlScalar } from "../1-parse/tree.ts";
import { axisNames } from "../2-check/axes.ts";
import { fieldDocs, functionDocs, methodDocs, progressDocs, textDocs } from "../2-check/builtin-docs.ts";
import { keywords } from "../2-check/builtins.ts";
import type { ModalityName } from "../2-check/core.ts";
import { isMember } from "../2-check/members.ts";
import type { Span } from "../source/span.ts";
import type { Analysis } from "./analysis.ts";
import { builtinParameters, cursorIn } from "./cursor.ts";
import { modalityAt, roleAt } from "./roles.ts";
import { isWordOfExpect } from "./tokens.ts";
import { treePlaceAt } from "./tree-place.ts";
import { contains, localsOf, usesIn, type Local, type Use } from "./uses.ts";

type Path = readonly (string | number)[];

export type SymbolAt = { readonly span: Span } &
  /** An argument of a `let`. */
  (
    | { readonly kind: "local"; readonly local: Local }
    /** A name that the strategy gives. */
    | { readonly kind: "declared"; readonly name: string }
    /** `keep`, `video.keep`, `near.video.keep`, `latents.frames` */
    | { readonly kind: "field"; readonly owner: string; readonly pass: string | null; readonly name: string }
    | { readonly kind: "modality"; readonly name: ModalityName }
    | { readonly kind: "function" | "progress" | "axis"; readonly name: string }
    | { readonly kind: "keyword"; readonly name: string }
    /** `lf` of `2lf`, or the number in front of it. */
    | { readonly kind: "unit"; readonly name: Unit }
    /** `std=`; `callee` is the function that it is given to. */
    | { readonly kind: "argument"; readonly name: string; readonly callee: string }
    | { readonly kind: "key"; readonly path: Path }
    | { readonly kind: "value"; readonly path: Path; readonly text: string }
  );

/** Null for white space, operators, and files that cannot be read. */
export function symbolAt(analysis: Analysis, offset: number): SymbolAt | null {
  const { own } = analysis;
  if (own === null) return null;
  const local = own.syntax.lets.flatMap(localsOf).find(({ uses }) => uses.some(({ span }) => contains(span, offset)));
  const localUse = local?.uses.find(({ span }) => contains(span, offset));
  if (local !== undefined && localUse !== undefined) return { kind: "local", local, span: localUse.span };
  const place = treePlaceAt(own.tree, offset);
  const use = usesIn(own.syntax).find(({ span }) => contains(span, offset));
  if (use !== undefined) return ofUse(analysis, use, place?.path ?? []);
  const member = memberAt(allExpressions(own.syntax), offset);
  if (member !== null) return member;
  if (place === null) return null;
  if (place.isKey) return { kind: "key", path: place.path, span: place.span };
  if (place.node.kind !== "scalar") return null;
  const { node, path, span } = place;
  return wordAt(node, path, offset) ?? { kind: "value", path, span, text: node.text };
}

/** A keyword of an expression, a number with its unit, or the name of an argument. */
function wordAt({ text, mapOffset }: YamlScalar, path: Path, offset: number): SymbolAt | null {
  const role = roleAt(path).kind;
  if (role !== "expression") return null;
  const tokens = tokensOf(text);
  const spanOf = (start: number, { length }: string): Span => ({
    start: mapOffset(start),
    end: mapOffset(start + length),
  });
  for (const [at, { startOffset, image }] of tokens.entries()) {
    const next = tokens[at + 1];
    const isAttached = next !== undefined && next.startOffset === startOffset + image.length && /^[\d.]/.test(image);
    if (!isAttached || !isUnitName(next.image)) continue;
    const span = spanOf(startOffset, image + next.image);
    if (contains(span, offset)) return { kind: "unit", name: next.image, span };
  }
  const i = tokens.findIndex(
    ({ startOffset, image }) => contains(spanOf(startOffset, image), offset) && /^\w/.test(image),
  );
  const token = tokens[i];
  if (token === undefined) return null;
  const { image: name, startOffset } = token;
  const span = spanOf(startOffset, name);
  if (keywords.includes(name) || isWordOfExpect(path, tokens, i)) return { kind: "keyword", name, span };
  const call = cursorIn(text.slice(0, startOffset), "any", builtinParameters).call;
  return tokens[i + 1]?.image === "=" && call !== null ? { kind: "argument", name, callee: call.callee, span } : null;
}

function ofUse({ declarations }: Analysis, { name, span, isDeclaration }: Use, path: Path): SymbolAt | null {
  if (isDeclaration || declarations?.byName.has(name) === true) return { kind: "declared", name, span };
  if (name === "video" || name === "audio") return { kind: "modality", name, span };
  const inside = modalityAt(path);
  if (inside !== null && isMember(inside.modality, name))
    return { kind: "field", owner: inside.modality, pass: inside.pass, name, span };
  if (Object.hasOwn(functionDocs, name) || Object.hasOwn(textDocs, name)) return { kind: "function", name, span };
  if (Object.hasOwn(progressDocs, name)) return { kind: "progress", name, span };
  if (axisNames.includes(name)) return { kind: "axis", name, span };
  // Of a modality, but not here: what it means is told all the same.
  if (Object.hasOwn(methodDocs, name) || Object.hasOwn(fieldDocs, name))
    return { kind: "field", owner: isMember("video", name) ? "video" : "audio", pass: null, name, span };
  return { kind: "declared", name, span };
}

function memberAt(expressions: Iterable<Expression>, offset: number): SymbolAt | null {
  for (const node of expressions) {
    if (node.kind === "per") {
      const axis = node.axes.find(({ span }) => contains(span, offset));
      if (axis !== undefined) return { kind: "axis", name: axis.text, span: axis.span };
    }
    if (node.kind !== "member" || !contains(node.member.span, offset)) continue;
    const { object, member } = node;
    const field = { name: member.text, span: member.span };
    if (object.kind === "name") {
      const isModality =
        (member.text === "video" || member.text === "audio") && object.name !== "video" && object.name !== "audio";
      if (isModality) return { kind: "modality", name: member.text as ModalityName, span: member.span };
      return { kind: "field", owner: object.name, pass: null, ...field };
    }
    if (object.kind === "member" && object.object.kind === "name")
      return { kind: "field", owner: object.member.text, pass: object.object.name, ...field };
  }
  return null;
}
