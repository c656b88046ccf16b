/** Builds nodes of the syntax tree. */
import type { Span } from "../../source/span.ts";
import type { Argument, AxisName, BinaryOperator, Expression, Name } from "./ast.ts";

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

export function conditional(start: Span, condition: Expression, then: Expression, otherwise: Expression): Expression {
  const parts = { condition, then, else: otherwise }; // oxlint-disable-line unicorn/no-thenable -- the part of an `if`
  return { kind: "if", ...parts, span: join(start, otherwise.span) };
}

export function over(value: Expression, mask: Expression): Expression {
  return { kind: "over", value, mask, span: join(value.span, mask.span) };
}

/** A list in parentheses or brackets, with the span of both. */
export interface Listed<T> {
  readonly list: readonly T[];
  readonly span: Span;
}

export function per(value: Expression, axes: Listed<AxisName>): Expression {
  return { kind: "per", value, axes: axes.list, span: join(value.span, axes.span) };
}

export function named(callee: Name, args: Listed<Argument> | undefined): Expression {
  if (args === undefined) return { kind: "name", name: callee.text, span: callee.span };
  return { kind: "call", callee, args: args.list, span: join(callee.span, args.span) };
}

export function member(object: Expression, name: Name, args: Listed<Argument> | undefined): Expression {
  const span = join(object.span, (args ?? name).span);
  return { kind: "member", object, member: name, args: args?.list ?? null, span };
}
