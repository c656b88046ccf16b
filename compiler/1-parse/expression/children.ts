import type { Expression } from "./ast.ts";

/** The expressions that an expression is made of, from left to right. */
export function childrenOf(e: Expression): readonly Expression[] {
  switch (e.kind) {
    case "call":
      return e.args.map(({ value }) => value);
    case "member":
      return [e.object, ...(e.args ?? []).map(({ value }) => value)];
    case "index":
      return [e.object];
    case "negate":
    case "not":
      return [e.operand];
    case "binary":
      return [e.left, e.right];
    case "if":
      return [e.condition, e.then, e.else];
    case "over":
      return [e.value, e.mask];
    case "per":
      return [e.value];
    default:
      return [];
  }
}

/** Expressions with all that they are made of, from the outermost to the innermost and from left to right. */
export function* nodesOf(...roots: readonly Expression[]): Generator<Expression> {
  // Not by recursion: expressions may be thousands deep.
  const left = roots.toReversed();
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    yield node;
    left.push(...childrenOf(node).toReversed());
  }
}
