/** Builds nodes of the syntax tree. */
import type { Span } from "../../source/span.ts";
import type { BinaryOperator, Expression } from "./ast.ts";

export function join(first: Span, last: Span): Span {
  return { start: first.start, end: Math.max(first.end, last.end) };
}

const operators = new Set<string>(["+", "-", "*", "/", "^", "<", "<=", ">", ">=", "==", "!=", "and", "or"]);

export function isBinaryOperator(text: string): text is BinaryOperator {
  return operators.has(text);
}

export function not(sign: Span, operand: Expression): Expression {
  return { kind: "not", operand, span: join(sign, operand.span) };
}

export function negate(sign: Span, operand: Expression): Expression {
  return { kind: "negate", operand, span: join(sign, operand.span) };
}

export function binary(operator: BinaryOperator, operatorSpan: Span, left: Expression, right: Expression): Expression {
  return { kind: "binary", operator, operatorSpan, left, right, span: join(left.span, right.span) };
}

interface Storey {
  readonly operator: Span;
  /** Of the minus in `a ^ -b`. */
  readonly sign: Span | null;
  readonly value: Expression;
}

/** `a ^ b ^ c` groups from the right: the tower stands on its base, its last storey is evaluated first. */
export function exponent(base: Expression, tower: readonly Storey[]): Expression {
  const values = [base, ...tower.map((storey) => storey.value)];
  let result = values.at(-1) ?? base;
  for (const [index, { operator, sign }] of [...tower.entries()].toReversed()) {
    const right = sign === null ? result : negate(sign, result);
    result = binary("^", operator, values[index] ?? base, right);
  }
  return result;
}
