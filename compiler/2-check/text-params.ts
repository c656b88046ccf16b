/** Comparisons of parameters with the values that their `enum` lists: texts, which expressions read in no other way, and numbers. */
import type { Expression } from "../1-parse/expression/ast.ts";
import { meant, replacement } from "../diagnostics/did-you-mean.ts";
import { map } from "./combine.ts";
import { describe, hostBoolean, poisoned, type Core } from "./core.ts";
import type { Declaration } from "./declarations.ts";
import type { Environment } from "./environment.ts";

type Binary = Extract<Expression, { kind: "binary" }>;
type Param = Extract<Declaration, { kind: "param" }>;

/**
 * The mask of a comparison with a text, `mode == "soft"`; what is wrong with it is reported. Null for all other expressions. `infer` reads
 * what is neither a text nor a parameter of one.
 */
export function comparedText(expression: Binary, env: Environment, infer: (side: Expression) => Core): Core | null {
  const { operator, left, right, span } = expression;
  const isEquality = operator === "==" || operator === "!=";
  const hasText = left.kind === "text" || right.kind === "text";
  const [a, b] = [left, right].map((side) => textParam(side, env));
  if (!isEquality) return hasText ? poisoned(span) : null;
  if (!hasText && !a && !b) return isNoValue(expression, env) ? poisoned(span) : null;
  const known = [a, b].filter((param) => param !== null && param !== undefined);
  for (const { name } of known) env.declarations.used.add(name.text);
  const equal = known.length === 2 ? sameText(expression, known, env) : oneText(expression, known[0], env, infer);
  if (equal === null) return poisoned(span);
  return operator === "==" ? equal : map(env.report, "not", [equal], span, "`!=`");
}

/** The parameter of type `string` that an expression names. */
function textParam(side: Expression, { declarations, parameters }: Environment): Param | null {
  const declaration =
    side.kind === "name" && !parameters.has(side.name) ? declarations.byName.get(side.name) : undefined;
  return declaration?.kind === "param" && declaration.type === "string" ? declaration : null;
}

/** The values that a parameter may have; null where any may be. */
function choicesOf({ syntax }: Param): readonly unknown[] | null {
  const { enum: choices } = syntax.schema;
  return Array.isArray(choices) ? choices : null;
}

const isOf = (name: string, value: string, span: Expression["span"]): Core => ({
  op: "paramIs",
  name,
  value,
  type: hostBoolean,
  span,
});

/** A parameter, or something that is none, and a text, or something that is none. */
function oneText(
  { left, right, span }: Binary,
  param: Param | undefined,
  env: Environment,
  infer: (side: Expression) => Core,
): Core | null {
  const [text, other] = left.kind === "text" ? [left, right] : [right, left];
  if (param === undefined) return noParam(text, other, env, infer);
  const choices = choicesOf(param);
  const side = text.kind === "text" ? text : textParam(left, env) === null ? left : right;
  if (choices === null) return withoutChoices(param, side, env);
  const texts = choices.filter((choice) => typeof choice === "string");
  if (side.kind === "text" && texts.includes(side.value)) return isOf(param.name.text, side.value, span);
  if (side.kind === "text") return noChoice(param, side, texts, env);
  return unquoted(param, side, texts, env, infer);
}

/** `mode == "sofft"` */
function noChoice(
  { name }: Param,
  { value, span }: Extract<Expression, { kind: "text" }>,
  texts: readonly string[],
  { report }: Environment,
): null {
  const listed = `its values are ${texts.map((text) => `"${text}"`).join(", ")}`;
  const isBare = /^["']/.test(report.textAt(span) ?? "");
  const inner = isBare ? { start: span.start + 1, end: span.end - 1 } : span;
  const { help, fix } = meant(value, inner, texts, listed);
  report.error("LTX4022", span, `\`${name.text}\` is never "${value}"`, {
    help: help === listed || help === undefined ? listed : `${help}; ${listed}`,
    ...(fix === undefined || !isBare ? {} : { fix }),
  });
  return null;
}

/** `mode == soft`, or a text that meets a number. */
function unquoted(
  param: Param,
  side: Expression,
  texts: readonly string[],
  env: Environment,
  infer: (side: Expression) => Core,
): null {
  const isMeant = side.kind === "name" && texts.includes(side.name) && !env.declarations.byName.has(side.name);
  const core = isMeant ? null : infer(side);
  if (core?.op === "error") return null;
  const of = `\`${param.name.text}\` is a text`;
  if (isMeant && side.kind === "name")
    env.report.error("LTX4022", side.span, `${of}, and \`${side.name}\` without quotes is a name`, {
      help: `write \`"${side.name}"\``,
      fix: replacement(side.span, `"${side.name}"`),
    });
  else
    env.report.error("LTX4022", side.span, `${of}, this is ${core === null ? "none" : describe(core.type)}`, {
      help: `compare it with one of its values: ${texts.map((text) => `"${text}"`).join(", ")}`,
    });
  return null;
}

function withoutChoices({ name }: Param, side: Expression, { report }: Environment): null {
  const value = side.kind === "text" ? side.value : "soft";
  report.error("LTX4023", side.span, `\`${name.text}\` may be any text, so no misspelling of it could be found`, {
    help: `give the parameter its values: \`enum: [${value}, …]\``,
  });
  return null;
}

/** A text that meets another one, a number or a name. */
function noParam(text: Expression, other: Expression, env: Environment, infer: (side: Expression) => Core): null {
  const core = other.kind === "text" ? null : infer(other);
  if (core?.op === "error" || text.kind !== "text") return null;
  const isNumber = core !== null && text.value.trim() !== "" && Number.isFinite(Number(text.value));
  const details = isNumber
    ? { help: `write \`${text.value.trim()}\`, without quotes`, fix: replacement(text.span, text.value.trim()) }
    : { help: 'compare a parameter of `type: string` with one of its values: `mode == "soft"`' };
  const message =
    core === null
      ? "both sides are texts, which are the same in every run"
      : `a text is compared with ${describe(core.type)}`;
  env.report.error("LTX4022", text.span, message, details);
  return null;
}

/** Whether two parameters have the same text: both one of those that both may have. */
function sameText({ span, right }: Binary, params: readonly Param[], env: Environment): Core | null {
  const [a, b] = params;
  if (a === undefined || b === undefined) return null;
  const without = params.find((param) => choicesOf(param) === null);
  if (without !== undefined) return withoutChoices(without, right, env);
  const common = (choicesOf(a) ?? []).filter((choice) => choicesOf(b)?.includes(choice) === true);
  const both = common.flatMap((choice) =>
    typeof choice === "string"
      ? [
          map(
            env.report,
            "and",
            params.map(({ name }) => isOf(name.text, choice, span)),
            span,
            "`==`",
          ),
        ]
      : [],
  );
  if (both.length > 0) return both.reduce((one, other) => map(env.report, "or", [one, other], span, "`==`"));
  env.report.error("LTX4022", span, `\`${a.name.text}\` and \`${b.name.text}\` have no value in common`, {
    help: `\`${b.name.text}\` is ${(choicesOf(b) ?? []).map((choice) => `"${String(choice)}"`).join(" or ")}`,
  });
  return null;
}

/** Reports `size == 3` of a parameter whose `enum` lists other numbers. */
function isNoValue({ left, right }: Binary, env: Environment): boolean {
  const [number, other] = left.kind === "number" ? [left, right] : [right, left];
  const declaration = other.kind === "name" ? env.declarations.byName.get(other.name) : undefined;
  if (number.kind !== "number" || declaration?.kind !== "param" || declaration.type !== "number") return false;
  const choices = choicesOf(declaration);
  if (choices === null || choices.includes(number.value)) return false;
  env.declarations.used.add(declaration.name.text);
  env.report.error("LTX4022", number.span, `\`${declaration.name.text}\` is never ${number.value}`, {
    help: `its values are ${choices.map(String).join(", ")}`,
  });
  return true;
}
