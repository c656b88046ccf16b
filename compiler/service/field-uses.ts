/** Where a file sets and reads a field of a modality, such as `video.keep`. */
import { allExpressions } from "../1-parse/all-expressions.ts";
import type { Expression } from "../1-parse/expression/ast.ts";
import { entryOf, type YamlNode } from "../1-parse/tree.ts";
import { membersOf } from "../2-check/builtins.ts";
import type { ModalityName } from "../2-check/core.ts";
import type { Span } from "../source/span.ts";
import type { Analysis } from "./analysis.ts";
import { modalityAt } from "./roles.ts";
import { symbolAt } from "./symbol.ts";
import type { Use } from "./uses.ts";

interface Field {
  readonly modality: ModalityName;
  readonly pass: string | null;
  readonly name: string;
}

/** The field that an offset touches: where it is set, or where an expression reads it. */
function fieldAt(analysis: Analysis, offset: number): Field | null {
  const symbol = symbolAt(analysis, offset);
  if (symbol?.kind === "field") return fieldOf(symbol.owner, symbol.pass, symbol.name);
  if (symbol?.kind !== "key") return null;
  const inside = modalityAt(symbol.path);
  return inside === null || symbol.path.at(-1) !== inside.key
    ? null
    : fieldOf(inside.modality, inside.pass, inside.key);
}

function fieldOf(modality: string, pass: string | null, name: string): Field | null {
  if (modality !== "video" && modality !== "audio") return null;
  return membersOf[modality].includes(name) ? { modality, pass, name } : null;
}

/** All places of the field at an offset, in the file itself and in `others`; null where there is none. */
export function fieldUses(
  analysis: Analysis,
  offset: number,
  others: readonly Analysis[],
): readonly (Use & { readonly path: string })[] | null {
  const field = fieldAt(analysis, offset);
  if (field === null) return null;
  return [analysis, ...others].flatMap((each) => usesIn(each, field).map((use) => ({ ...use, path: each.file.path })));
}

function usesIn(analysis: Analysis, field: Field): readonly Use[] {
  const { own } = analysis;
  if (own === null) return [];
  const { name } = field;
  const set = settingOf(own.tree, field);
  const read = [...allExpressions(own.syntax)].flatMap((node) => spanNamed(node, name));
  return [
    ...(set === null ? [] : [{ name, span: set, isDeclaration: true }]),
    ...read
      .filter(({ start }) => isSame(fieldAt(analysis, start), field))
      .map((span) => ({ name, span, isDeclaration: false })),
  ];
}

/** The key that sets a field; null where the file leaves it as it is. */
function settingOf(tree: YamlNode, { modality, pass, name }: Field): Span | null {
  const owner = pass === null ? tree : entryOf(entryOf(tree, "passes")?.value, pass)?.value;
  return entryOf(entryOf(owner, modality)?.value, name)?.keySpan ?? null;
}

function spanNamed(node: Expression, name: string): Span[] {
  if (node.kind === "name") return node.name === name ? [node.span] : [];
  return node.kind === "member" && node.member.text === name ? [node.member.span] : [];
}

const isSame = (a: Field | null, b: Field): boolean =>
  a !== null && a.modality === b.modality && a.pass === b.pass && a.name === b.name;
