/** Masks where numbers belong, as languages write it in which a mask is 0 and 1: what is meant, in ours. */
import type { BinaryOperator, Expression } from "../1-parse/expression/ast.ts";
import { replacement } from "../diagnostics/did-you-mean.ts";
import { isMask } from "./combine.ts";
import { describe, type Core } from "./core.ts";
import type { Environment } from "./environment.ts";
import { losses } from "./builtins.ts";

type Binary = Extract<Expression, { kind: "binary" }>;

/** Reports arithmetic and comparisons of masks with the expression that is meant; false where there is nothing to say. */
export function reportMaskArithmetic(
  expression: Binary,
  [left, right]: readonly [Core, Core],
  env: Environment,
): boolean {
  const { operator, span } = expression;
  if (operator === "and" || operator === "or" || left.op === "error" || right.op === "error") return false;
  if (!isMask(left) && !isMask(right)) return false;
  const meant = isComparison(operator)
    ? compared(expression, left, right, env)
    : calculated(expression, left, right, env);
  if (meant === null) return false;
  const details = "write" in meant ? { help: `write \`${meant.write}\``, fix: replacement(span, meant.write) } : meant;
  const wrong = isMask(left) ? expression.left : expression.right;
  env.report.error(
    "LTX4002",
    wrong.span,
    `\`${operator}\` takes numbers, this is ${describe((isMask(left) ? left : right).type)}`,
    details,
  );
  return true;
}

/** `write`: certainly the same in our words; `help`: what to do, where several things may be meant. */
type Meant = { readonly write: string } | { readonly help: string };

const comparisons: readonly BinaryOperator[] = ["<", "<=", ">", ">=", "==", "!="];
const isComparison = (operator: BinaryOperator) => comparisons.includes(operator);

/** `m == false`, `m > 0.5`, `m != n`. */
function compared(expression: Binary, a: Core, b: Core, env: Environment): Meant | null {
  const { operator, left, right } = expression;
  const [m, n] = [operandText(left, env), operandText(right, env)];
  if (m === null || n === null) return null;
  if (isMask(a) && isMask(b) && a.op !== "literal" && b.op !== "literal") {
    if (operator === "==") return { help: `two masks are equal where \`(${m} and ${n}) or not (${m} or ${n})\`` };
    if (operator === "!=") return { help: `two masks differ where \`(${m} and not ${n}) or (${n} and not ${m})\`` };
    return null;
  }
  const [literal, mask, sign] = b.op === "literal" ? [b, m, operator] : [a, n, mirrored[operator] ?? operator];
  if (literal.op !== "literal") return null;
  const value = Number(literal.value);
  const [whenFalse, whenTrue] = [holds(0, sign, value), holds(1, sign, value)];
  if (whenFalse === whenTrue) return { help: `\`${mask}\` is a mask already: compare nothing` };
  return { write: enclosed(whenTrue ? mask : `not ${mask}`, expression, env) };
}

const mirrored: Readonly<Partial<Record<BinaryOperator, BinaryOperator>>> = {
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};

function holds(a: number, operator: BinaryOperator, b: number): boolean {
  switch (operator) {
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    case "==":
      return a === b;
    default:
      return a !== b;
  }
}

/** `1 - m`, `m * n`, `m * x`. */
function calculated(expression: Binary, a: Core, b: Core, env: Environment): Meant | null {
  const { operator, left, right } = expression;
  const [m, n] = [operandText(left, env), operandText(right, env)];
  if (m === null || n === null) return null;
  const masks = isMask(a) && isMask(b);
  if (env.maskWanted === expression) {
    const isOne = a.op === "literal" && Number(a.value) === 1;
    if (operator === "-" && isOne) return { write: enclosed(`not ${n}`, expression, env) };
    const asMask = masks ? maskOperators[operator] : undefined;
    if (asMask !== undefined) return { write: enclosed(`${m} ${asMask} ${n}`, expression, env) };
  }
  const restricted = operator === "*" ? (restriction(left, right, env) ?? restriction(right, left, env)) : null;
  if (restricted !== null) return { help: restricted };
  const number = (text: string, core: Core) => (isMask(core) ? `float(${unwrapped(text)})` : text);
  return { write: enclosed(`${number(m, a)} ${operator} ${number(n, b)}`, expression, env) };
}

const maskOperators: Readonly<Partial<Record<BinaryOperator, string>>> = { "*": "and", "+": "or", "-": "and not" };

/** What is said where a loss is multiplied by a mask; null where `loss` is none. */
function restriction(loss: Expression, mask: Expression, env: Environment): string | null {
  const [text, m] = [env.report.textAt(loss.span), operandText(mask, env)];
  if (text === null || m === null || !isLoss(loss)) return null;
  if (loss.kind === "over" && env.report.textAt(loss.mask.span) === m)
    return `leave it out: \`over ${m}\` restricts the loss already`;
  return `to restrict the loss to the mask write \`${text} over ${m}\``;
}

/** A call of a loss, maybe with `over`. */
function isLoss(expression: Expression): boolean {
  if (expression.kind === "over") return isLoss(expression.value);
  return expression.kind === "call" && losses.includes(expression.callee.text);
}

/** As an operand: what binds less tightly than a name stands in parentheses. */
function operandText(expression: Expression, env: Environment): string | null {
  const text = env.report.textAt(expression.span);
  if (text === null) return null;
  const isClosed =
    /^\w+$/.test(text) ||
    /^\(.*\)$/s.test(text) ||
    ["name", "number", "boolean", "call", "member"].includes(expression.kind);
  return isClosed ? text : `(${text})`;
}

const unwrapped = (text: string) => (/^\([^()]*\)$/.test(text) ? text.slice(1, -1) : text);

/** The parentheses belong to the expression that is replaced: they are written again. */
function enclosed(text: string, { span }: Binary, env: Environment): string {
  return env.report.textAt(span)?.startsWith("(") === true ? `(${text})` : text;
}
