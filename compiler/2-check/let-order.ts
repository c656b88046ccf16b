/** Which `let` bindings an expression needs, read off its names alone. */
import type { Expression } from "../1-parse/expression/ast.ts";
import { nodesOf } from "../1-parse/expression/children.ts";
import type { Declarations } from "./declarations.ts";

/**
 * Names of the bindings without arguments that a binding's expression mentions, also by way of bindings with arguments. May name more
 * than the check will ask for, where a parameter has the name of a binding.
 */
export function directNeeds({ byName }: Declarations): (key: string) => readonly string[] {
  const mentioned = new Map<string, readonly string[]>();
  const namesOf = (key: string): readonly string[] => {
    const known = mentioned.get(key);
    if (known !== undefined) return known;
    const declaration = byName.get(key);
    const names = declaration?.kind === "let" ? namesIn(declaration.syntax.value) : [];
    mentioned.set(key, names);
    return names;
  };
  return (key) => {
    const found = new Set<string>();
    const seen = new Set<string>();
    const stack = namesOf(key).toReversed();
    for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
      const declaration = byName.get(name);
      if (declaration?.kind !== "let" || seen.has(name)) continue;
      seen.add(name);
      if (declaration.syntax.binder.parameters === null) found.add(name);
      else stack.push(...namesOf(name).toReversed());
    }
    return [...found];
  };
}

/** From left to right. */
const namesIn = (e: Expression): readonly string[] =>
  [...nodesOf(e)].flatMap((node) => (node.kind === "name" ? node.name : node.kind === "call" ? node.callee.text : []));
