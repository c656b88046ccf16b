/** `randn()` in a `let`: in version 2 of the language it has the axes of the noise that uses it, or says its own. */
import type { Expression } from "../1-parse/expression/ast.ts";
import { nodesOf } from "../1-parse/expression/children.ts";
import type { LetSyntax, StrategySyntax } from "../1-parse/syntax.ts";
import type { ModalityName } from "./core.ts";

type Call = Extract<Expression, { kind: "call" }>;

/** The modality whose `noise` or `noisy` uses a binding; null where none does, or both do. */
export function noiseThatUses({ binder }: LetSyntax, { video, audio }: StrategySyntax): ModalityName | null {
  const users = [video, audio].flatMap((modality) => {
    const values = [modality?.noise, modality?.noisy].flatMap((entry) => entry?.value ?? []);
    const isUser = [...nodesOf(...values)].some((node) => node.kind === "name" && node.name === binder.name.text);
    return modality !== null && isUser ? [modality.name] : [];
  });
  return users.length === 1 ? (users[0] ?? null) : null;
}

/** Each `randn()` without `per` of a binding without arguments. */
export function plainDraws({ binder, value }: LetSyntax): readonly Call[] {
  if (binder.parameters !== null) return [];
  const nodes = [...nodesOf(value)];
  const said = new Set(nodes.flatMap((node) => (node.kind === "per" ? [node.value] : [])));
  return nodes.filter((node): node is Call => node.kind === "call" && node.callee.text === "randn" && !said.has(node));
}

/** Those of a whole file that neither say their axes nor get them from noise. */
export const drawsWithoutAxes = (syntax: StrategySyntax): readonly Call[] =>
  syntax.lets.flatMap((each) => (noiseThatUses(each, syntax) === null ? plainDraws(each) : []));
