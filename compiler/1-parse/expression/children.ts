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
