/** One spelling for what can be written in two ways, in version 2 of the language: `if m then a else b`, `a^b` and `x^2`. */
import { allExpressions } from "../1-parse/all-expressions.ts";
import type { Expression } from "../1-parse/expression/ast.ts";
import { bindsAs, levelOf, operandLevels, type Level } from "../1-parse/expression/print.ts";
import type { StrategySyntax } from "../1-parse/syntax.ts";
import type { Edit } from "../source/edits.ts";
import type { Span } from "../source/span.ts";

type Call = Extract<Expression, { kind: "call" }>;

/** What is written in front of, between and behind the arguments of a function, and what each argument must bind as. */
interface Form {
  readonly level: Level;
  readonly marks: readonly string[];
  readonly wanted: readonly Level[];
}

const forms: Readonly<Record<string, Form>> = {
  where: { level: "if", marks: ["if ", " then ", " else ", ""], wanted: ["or", "or", "if"] },
  pow: { level: "power", marks: ["", "^", ""], wanted: ["postfix", "unary"] },
  square: { level: "power", marks: ["", "^2"], wanted: ["postfix"] },
};

/** The form that a call gets; null for other functions, and for calls that are written in a way of their own. */
function formOf(e: Expression): Form | null {
  const form = e.kind === "call" && Object.hasOwn(forms, e.callee.text) ? forms[e.callee.text] : undefined;
  const isPlain = e.kind === "call" && e.args.every(({ name }) => name === null);
  return form !== undefined && isPlain && e.args.length === form.wanted.length ? form : null;
}

/** The changes that give all expressions of a strategy of version 2 one spelling. */
export function spellingEdits(text: string, syntax: StrategySyntax): Edit[] {
  if (syntax.language?.value !== 2) return [];
  const nodes = [...allExpressions(syntax)];
  const contexts = new Map(nodes.flatMap((node) => operandsOf(node).map(([part, level]) => [part, level] as const)));
  const edits = nodes.flatMap((node) => {
    const form = formOf(node);
    return form === null ? [] : respelled(text, node as Call, form, contexts.get(node) ?? "if");
  });
  // An alias of YAML gives one text several uses.
  return [...new Map(edits.map((edit) => [`${edit.span.start} ${edit.span.end}`, edit])).values()];
}

function respelled(text: string, { callee, args, span }: Call, form: Form, context: Level): Edit[] {
  const parts = args.map(({ value }) => value);
  const last = parts.at(-1)?.span.end ?? span.end;
  // The span of a call in parentheses is that of the parentheses.
  const end = last + (/^\s*\)/.exec(text.slice(last, span.end))?.[0].length ?? 0);
  const starts = [callee.span.start, ...parts.map((part) => part.span.end)];
  const gaps = starts.map((start, i): Span => ({ start, end: parts[i]?.span.start ?? end }));
  // Between arguments may stand an escape of YAML, which no expression shows.
  if (gaps.slice(1).some(({ start, end: to }) => !/^[\s,)]+$/.test(text.slice(start, to)))) return [];
  const needsOwn = span.start === callee.span.start && !bindsAs(form.level, context);
  const sides = parts.map((part, i) => {
    const isBare = isEnclosed(text, part.span) || bindsAs(levelAfter(part), form.wanted[i] ?? "if");
    return isBare ? ["", ""] : ["(", ")"];
  });
  return gaps.map((gap, i) => {
    const around = needsOwn ? [i === 0 ? "(" : "", i === parts.length ? ")" : ""] : ["", ""];
    return { span: gap, text: [around[0], sides[i - 1]?.[1], form.marks[i], sides[i]?.[0], around[1]].join("") };
  });
}

const levelAfter = (e: Expression): Level => formOf(e)?.level ?? levelOf(e);

/** Whether the text of an expression stands in parentheses that belong to it as a whole. */
function isEnclosed(text: string, { start, end }: Span): boolean {
  let depth = 0;
  for (let at = start; at < end; at++) {
    if (text[at] === "(") depth++;
    else if (text[at] === ")") depth--;
    if (depth === 0) return at === end - 1 && at > start;
  }
  return false;
}

/** The parts of an expression that something binds, with what they must bind as; all others may be anything. */
function operandsOf(e: Expression): readonly (readonly [Expression, Level])[] {
  switch (e.kind) {
    case "binary": {
      const [left, right] = operandLevels(levelOf(e));
      return [
        [e.left, left],
        [e.right, right],
      ];
    }
    case "negate":
      return [[e.operand, "power"]];
    case "not":
      return [[e.operand, "compare"]];
    case "over":
      return [
        [e.value, "clause"],
        [e.mask, "postfix"],
      ];
    case "per":
      return [[e.value, "clause"]];
    case "member":
    case "index":
      return [[e.object, "postfix"]];
    default:
      return [];
  }
}

/** The same syntax in the one spelling, by which two texts are compared. */
export function respelledNode(node: unknown): unknown {
  const e = node as Expression | null;
  if (e === null || typeof e !== "object" || e.kind !== "call" || formOf(e) === null) return node;
  const [a, b, c] = e.args.map(({ value }) => value);
  if (e.callee.text === "where") return { kind: "if", condition: a, then: b, else: c }; // oxlint-disable-line unicorn/no-thenable -- the part of an `if`
  return { kind: "binary", operator: "^", left: a, right: b ?? { kind: "number", value: 2 } };
}
