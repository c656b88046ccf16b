/** What stands at an offset of a YAML file. */
import type { YamlNode } from "../1-parse/tree.ts";
import type { Span } from "../source/span.ts";
import { contains } from "./uses.ts";

type Path = readonly (string | number)[];

/** A key or a value of the YAML, with the keys and indices that lead there. */
interface TreePlace {
  readonly path: Path;
  readonly isKey: boolean;
  readonly node: YamlNode;
  readonly span: Span;
}

/** The innermost key or value that an offset touches. */
export function treePlaceAt(root: YamlNode, offset: number): TreePlace | null {
  return root.kind === "scalar" ? null : inside(root, offset, []);
}

function inside(node: YamlNode, offset: number, path: Path): TreePlace | null {
  if (node.kind === "scalar") return contains(node.span, offset) ? { path, isKey: false, node, span: node.span } : null;
  if (node.kind === "sequence") {
    for (const [i, item] of node.items.entries()) {
      const found = inside(item, offset, [...path, i]);
      if (found !== null) return found;
    }
    return null;
  }
  for (const { key, keySpan, value } of node.entries) {
    const own = [...path, key];
    if (contains(keySpan, offset)) return { path: own, isKey: true, node: value, span: keySpan };
    const found = inside(value, offset, own);
    if (found !== null) return found;
  }
  return null;
}
