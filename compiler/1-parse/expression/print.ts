import type { Argument, Expression } from "./ast.ts";

/** How tightly a form binds, in the order of the grammar; an operand that binds less tightly needs parentheses. */
const levels = {
  if: 0,
  or: 1,
  and: 2,
  not: 3,
  compare: 4,
  sum: 5,
  product: 6,
  unary: 7,
  power: 8,
  clause: 9,
  postfix: 10,
} as const;

export type Level = keyof typeof levels;

/** Whether a form of one level needs no parentheses where another is wanted. */
export const bindsAs = (level: Level, wanted: Level): boolean => levels[level] >= levels[wanted];

/** The expression as text with as few parentheses as the grammar needs; parsing the text gives the same tree. */
export function printExpression(expression: Expression): string {
  return print(expression, "if");
}

function print(expression: Expression, context: Level): string {
  const text = printBare(expression);
  return bindsAs(levelOf(expression), context) ? text : `(${text})`;
}

function printBare(e: Expression): string {
  switch (e.kind) {
    case "number":
      return `${e.value}${e.unit ?? ""}`;
    case "boolean":
      return String(e.value);
    case "text":
      return e.value.includes('"') ? `'${e.value}'` : `"${e.value}"`;
    case "name":
      return e.name;
    case "call":
      return `${e.callee.text}${printArguments(e.args)}`;
    case "member":
      return `${print(e.object, "postfix")}.${e.member.text}${e.args === null ? "" : printArguments(e.args)}`;
    case "index":
      return `${print(e.object, "postfix")}[${e.index}]`;
    case "negate":
      return `-${print(e.operand, "power")}`;
    case "not":
      return `not ${print(e.operand, "compare")}`;
    case "binary":
      return printBinary(e);
    case "if":
      return `if ${printExpression(e.condition)} then ${printExpression(e.then)} else ${printExpression(e.else)}`;
    case "over":
      return `${print(e.value, "clause")} over ${printMask(e.mask)}`;
    case "per":
      return `${print(e.value, "clause")} per ${printAxes(e.axes.map((axis) => axis.text))}`;
    case "error":
      return "<error>";
  }
}

/** `over` takes a bare `not` although `not` binds loosely. */
function printMask(mask: Expression): string {
  return mask.kind === "not" ? `not ${print(mask.operand, "postfix")}` : print(mask, "postfix");
}

function printAxes(axes: readonly string[]): string {
  return axes.length === 1 ? String(axes[0]) : `(${axes.join(", ")})`;
}

function printArguments(args: readonly Argument[]): string {
  const texts = args.map(({ name, value }) => `${name === null ? "" : `${name.text}=`}${printExpression(value)}`);
  return `(${texts.join(", ")})`;
}

function printBinary(e: Extract<Expression, { kind: "binary" }>): string {
  const level = levelOf(e);
  const [left, right] = operandLevels(level);
  const gap = level === "power" ? "" : " ";
  return `${print(e.left, left)}${gap}${e.operator}${gap}${print(e.right, right)}`;
}

/** What the operands of an operator of this level must be, left and right. */
export function operandLevels(level: Level): readonly [Level, Level] {
  switch (level) {
    case "or":
      return ["or", "and"];
    case "and":
      return ["and", "not"];
    case "sum":
      return ["sum", "product"];
    case "product":
      return ["product", "unary"];
    case "power":
      return ["clause", "unary"];
    default:
      return ["sum", "sum"];
  }
}

/** How tightly an expression binds as it is written, without parentheses of its own. */
export function levelOf(e: Expression): Level {
  switch (e.kind) {
    case "binary":
      return binaryLevel(e.operator);
    case "negate":
      return "unary";
    case "number":
      return e.value < 0 ? "unary" : "postfix";
    case "not":
    case "if":
      return e.kind;
    case "over":
    case "per":
      return "clause";
    default:
      return "postfix";
  }
}

function binaryLevel(operator: Extract<Expression, { kind: "binary" }>["operator"]): Level {
  switch (operator) {
    case "or":
    case "and":
      return operator;
    case "+":
    case "-":
      return "sum";
    case "*":
    case "/":
      return "product";
    case "^":
      return "power";
    default:
      return "compare";
  }
}
