/** Reads an expression: resolves its names and gives every part its axes and dtype. */
import type { AxisName, BinaryOperator, Expression } from "../1-parse/expression/ast.ts";
import type { Span } from "../source/span.ts";
import { reportSourceAsMask } from "./has-and-in.ts";
import {
  argumentNames,
  drawFunctions,
  elementwise,
  functionNames,
  losses,
  methodsOf,
  progressNames,
  reductions,
} from "./builtins.ts";
import { failed, hasArguments, positional, type Call } from "./call.ts";
import { choose, map } from "./combine.ts";
import { literal, poisoned, withUnit, type Core, type Elementwise, type ModalityName } from "./core.ts";
import type { Declaration } from "./declarations.ts";
import { draw } from "./draws.ts";
import type { Environment } from "./environment.ts";
import { expand } from "./expand-let.ts";
import { foreignModuleCall, reportMethod, reportOwner } from "./foreign.ts";
import { special } from "./functions.ts";
import { importedCall } from "./imports.ts";
import { itemOfList, listOf } from "./list-items.ts";
import { asLoss } from "./loss-advice.ts";
import { loss } from "./losses.ts";
import { reportDrawn, reportLossInMask, reportMaskedPair } from "./loss-forms.ts";
import { reportMaskArithmetic } from "./mask-arithmetic.ts";
import { isMember, member, method, samplerOf } from "./members.ts";
import { isUnknown, param, sourceField, sourceValue, unknownField, unresolved, notAFunction } from "./names.ts";
import { networkCall } from "./network-calls.ts";
import { typeOfOutput } from "./outputs.ts";
import { comparedText } from "./text-params.ts";
import { isPlain, takesUnits } from "./units.ts";

export function infer(expression: Expression, env: Environment): Core {
  const core = inferred(expression, env);
  env.report.keepType(expression, core);
  return core;
}

function inferred(expression: Expression, env: Environment): Core {
  const { span } = expression;
  switch (expression.kind) {
    case "number":
      return withUnit(literal(expression.value, span), expression.unit);
    case "boolean":
      return literal(expression.value, span);
    // Reported by the parser.
    case "text":
      return poisoned(span);
    case "name":
      return name(expression.name, span, env);
    case "call":
      return call(expression.callee.text, expression, null, env);
    case "member":
      return memberOf(expression, env);
    case "index":
      return index(expression, env);
    case "negate":
      return map(env.report, "neg", [infer(expression.operand, env)], span, "`-`");
    case "not":
      return map(
        env.report,
        "not",
        [infer(expression.operand, { ...env, maskWanted: expression.operand })],
        span,
        "`not`",
      );
    case "binary":
      return binary(expression, env);
    case "if":
      return conditional(expression, env);
    case "over":
      return over(expression, [], env);
    case "per":
      return per(expression.value, expression.axes, env);
    case "error":
      return poisoned(span);
  }
}

const operators: Readonly<Record<BinaryOperator, Elementwise>> = {
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "div",
  "^": "pow",
  "<": "less",
  "<=": "lessEqual",
  ">": "greater",
  ">=": "greaterEqual",
  "==": "equal",
  "!=": "notEqual",
  and: "and",
  or: "or",
};

function binary(expression: Extract<Expression, { kind: "binary" }>, env: Environment): Core {
  const { operator, left, right, span } = expression;
  const compared = comparedText(expression, env, (side) => infer(side, env));
  if (compared !== null) return compared;
  if (reportDrawn(expression, env) || reportLossInMask(expression, env)) return poisoned(span);
  const ofMasks = operator === "and" || operator === "or";
  const side = (operand: Expression) => infer(operand, ofMasks ? { ...env, maskWanted: operand } : env);
  const args = [side(left), side(right)] as const;
  if (reportMaskArithmetic(expression, args, env)) return poisoned(span);
  if (operator === "^" && isTwo(right)) return map(env.report, "square", [args[0]], span, "`^`");
  return map(env.report, operators[operator], args, span, `\`${operator}\``);
}

/** The exponent of `x^2`, which is the same as `square(x)`. */
const isTwo = (exponent: Expression | undefined): boolean => exponent?.kind === "number" && exponent.value === 2;

function conditional(expression: Extract<Expression, { kind: "if" }>, env: Environment): Core {
  const { condition } = expression;
  if (reportSourceAsMask(condition, env)) return poisoned(expression.span);
  const args = [
    infer(condition, { ...env, maskWanted: condition }),
    ...[expression.then, expression.else].map((part) => infer(part, env)),
  ];
  return choose(env.report, args, expression.span, "`if`");
}

// ------------------------------------------------------------------------------------------------------------------- names

function name(text: string, span: Span, env: Environment): Core {
  const parameter = env.parameters.get(text);
  if (parameter !== undefined) return { ...parameter, span: parameter.span ?? span };
  const declaration = env.declarations.byName.get(text);
  if (declaration !== undefined) return declared(declaration, span, env);
  if (env.modality !== null && isMember(env.modality, text)) return ownMember(env.modality, text, span, env);
  if (text === "all") return literal(true, span);
  const progress = Object.hasOwn(progressNames, text) ? progressNames[text] : undefined;
  if (progress !== undefined) {
    return { op: "progress", name: progress, type: { dtype: "f32", axes: [], stage: "step" }, span };
  }
  return unresolved(text, span, env);
}

function ownMember(modality: ModalityName, text: string, span: Span, env: Environment): Core {
  if (!Object.hasOwn(methodsOf[modality], text)) return member(modality, text, span, env, env.pass);
  return method(modality, makeCall(text, [], span, null, env));
}

function declared(declaration: Declaration, span: Span, env: Environment): Core {
  const { text } = declaration.name;
  env.declarations.used.add(text);
  if (env.declarations.refused.has(text)) return poisoned(span);
  switch (declaration.kind) {
    case "param":
      return param(declaration, span, env);
    case "source":
      return sourceValue(declaration, span, env);
    case "import":
    case "network":
      env.report.error("LTX4003", span, `\`${text}\` is a function`, { help: `call it: \`${text}(…)\`` });
      return poisoned(span);
    case "output": {
      const output = env.declarations.outputs.get(text);
      return output === undefined ? poisoned(span) : { op: "output", name: text, type: typeOfOutput(output), span };
    }
    case "pass":
      env.report.error("LTX4006", span, `\`${text}\` is a pass, not a value`, {
        help: `name what of it is meant, e.g. \`${text}.video.prediction\``,
      });
      return poisoned(span);
    case "dataset":
      env.report.error("LTX4006", span, `\`${text}\` is a data set, not a value`, {
        help: `\`in(${text})\` is the mask of its samples`,
      });
      return poisoned(span);
    case "weight":
      env.report.error("LTX4006", span, `\`${text}\` is trained tokens of a caption, not a value`, {
        help: `put them in front of a text: \`text: insert(${declaration.syntax.like?.text ?? "conditions"}, ${text})\` under \`video:\` or \`audio:\``,
      });
      return poisoned(span);
    case "let":
      if (declaration.syntax.binder.parameters === null) return env.bindings.refer(text, span) ?? poisoned(span);
      env.report.error("LTX4003", span, `\`${text}\` takes arguments`, { help: `write \`${text}(…)\`` });
      return poisoned(span);
  }
}

// ----------------------------------------------------------------------------------------------------------------- members

function memberOf(expression: Extract<Expression, { kind: "member" }>, env: Environment): Core {
  const { object, member: field, args, span } = expression;
  const owner = object.kind === "name" ? object.name : "";
  const declaration = env.declarations.byName.get(owner);
  const whole = object.kind === "member" && object.object.kind === "name" ? object.object.name : owner;
  if (env.declarations.refused.has(whole)) return poisoned(span);
  const ofPass = passMember(expression, env);
  if (ofPass !== null) return ofPass;
  const foreign = foreignModuleCall(expression, env);
  if (foreign !== null) return foreign;
  if (reportOwner(expression, env)) return poisoned(span);
  if (declaration?.kind === "source" && args !== null && reportMethod(expression, env)) return poisoned(span);
  if (declaration?.kind === "source") return sourceField(declaration, field, span, env);
  if (owner === "video" || owner === "audio") {
    if (Object.hasOwn(methodsOf[owner], field.text) && env.modalities.has(owner)) {
      return method(owner, makeCall(field.text, args ?? [], span, null, env));
    }
    if (isMember(owner, field.text) || !env.modalities.has(owner)) return member(owner, field.text, span, env);
    unknownField(owner, field, env);
    return poisoned(span);
  }
  if (object.kind === "name" && isUnknown(owner, env)) {
    const owners = [...env.modalities, ...env.declarations.byName.keys()];
    const hasFields = (name: string) => env.declarations.byName.get(name)?.kind !== "param";
    env.report.unknownName(owner, object.span, owners, { fits: hasFields });
    return poisoned(span);
  }
  const value = infer(object, env);
  if (value.op !== "error" && !reportMethod(expression, env))
    env.report.unknownMember("this value", field.text, field.span, []);
  return poisoned(span);
}

/** `lose.video.prediction`; null where no pass is meant. */
function passMember(
  { object, member: field, args, span }: Extract<Expression, { kind: "member" }>,
  env: Environment,
): Core | null {
  const inner = object.kind === "member" ? object.object : object;
  const pass = inner.kind === "name" && env.declarations.byName.get(inner.name)?.kind === "pass" ? inner.name : null;
  if (pass === null) return null;
  env.declarations.used.add(pass);
  const modality = object.kind === "member" ? object.member.text : field.text;
  const isModality = modality === "video" || modality === "audio";
  if (object.kind !== "member" || !isModality) {
    const [first = "video"] = env.modalities;
    const meant = isModality ? `${pass}.${modality}.prediction` : `${pass}.${first}.${field.text}`;
    env.report.error("LTX3004", span, `a pass has the modalities of the step, and they have the values`, {
      help: `write \`${meant}\``,
    });
    return poisoned(span);
  }
  if (!env.modalities.has(modality) || isMember(modality, field.text)) {
    return Object.hasOwn(methodsOf[modality], field.text) && env.modalities.has(modality)
      ? method(modality, makeCall(field.text, args ?? [], span, null, env))
      : member(modality, field.text, span, env, pass);
  }
  unknownField(modality, field, env);
  return poisoned(span);
}

function index(expression: Extract<Expression, { kind: "index" }>, env: Environment): Core {
  const { object, index: at, span } = expression;
  const list = listOf(expression, env);
  if (list !== null) return itemOfList(list, expression, env);
  const owner = textOwner(object, env);
  if (owner !== null) return textAt(owner, at, span, env);
  if (infer(object, env).op !== "error") {
    env.report.error("LTX4012", span, "only a list parameter has items", {
      help: "axes have names instead of places: frames are chosen by masks such as `first_frame`, `prefix(2lf)` and `frame_index == 2`",
    });
  }
  return poisoned(span);
}

/** The modality whose `text` is meant: `video.text`, or inside of it `text`; null for anything else. */
function textOwner(object: Expression, { modality, declarations, modalities }: Environment): ModalityName | null {
  if (object.kind === "name") return object.name === "text" && !declarations.byName.has("text") ? modality : null;
  if (object.kind !== "member" || object.member.text !== "text" || object.object.kind !== "name") return null;
  const { name: owner } = object.object;
  return (owner === "video" || owner === "audio") && modalities.has(owner) ? owner : null;
}

/** `video.text[0]`: the samples that got the first of its texts. */
function textAt(owner: ModalityName, at: number, span: Span, env: Environment): Core {
  const found = env.bindings.refer(`${owner}.text[${at}]`, span);
  if (found !== null) return found;
  if (!env.report.hasErrorAt(span)) {
    env.report.error("LTX5093", span, `\`${owner}.text\` has no entry ${at}`, {
      help: "`text[0]` is the first entry of the list below `text:`, and true for the samples that got it",
    });
  }
  return poisoned(span);
}

// ------------------------------------------------------------------------------------------------------------------- calls

function makeCall(
  text: string,
  written: Call["args"],
  span: Span,
  axes: readonly AxisName[] | null,
  env: Environment,
): Call {
  const args = positional(written, namesOf(text, env));
  const known = new Map<number, Core>();
  const value = (i: number): Core => {
    const argument = args[i];
    const read = known.get(i) ?? (argument === undefined ? poisoned(span) : infer(argument.value, env));
    const isFine =
      read.op === "error" || isLet(text, env) || takesUnits(text) || isPlain(env.report, read, `\`${text}\``);
    const core = isFine ? read : poisoned(span);
    known.set(i, core);
    return core;
  };
  return { name: text, span, args, env, per: axes, value };
}

const isLet = (name: string, { declarations }: Environment): boolean => declarations.byName.get(name)?.kind === "let";

/** Names of the arguments of a function or of a `let` with arguments. */
function namesOf(text: string, { declarations }: Environment): readonly string[] {
  const declaration = declarations.byName.get(text);
  if (declaration?.kind === "let") return (declaration.syntax.binder.parameters ?? []).map((name) => name.text);
  if (declaration?.kind === "import") return (declaration.syntax.type?.parameters ?? []).map(({ name }) => name.text);
  return Object.hasOwn(argumentNames, text) ? (argumentNames[text] ?? []) : [];
}

function call(
  text: string,
  { args, span, callee }: Extract<Expression, { kind: "call" }>,
  axes: readonly AxisName[] | null,
  env: Environment,
): Core {
  const made = makeCall(text, args, span, axes, env);
  const declaration = env.declarations.byName.get(text);
  if (declaration !== undefined && env.declarations.refused.has(text)) return poisoned(span);
  if (declaration?.kind === "let" && declaration.syntax.binder.parameters !== null)
    return expand(declaration, made, (inside) => infer(declaration.syntax.value, inside));
  if (declaration?.kind === "import") {
    env.declarations.used.add(text);
    return importedCall(made, declaration.syntax.type);
  }
  if (declaration?.kind === "network") {
    env.declarations.used.add(text);
    return networkCall(made, env.declarations.networks.get(text) ?? null);
  }
  if (declaration?.kind === "let" && declaration.syntax.value.kind === "error") return poisoned(span);
  if (declaration !== undefined) {
    notAFunction(declaration, { start: callee.span.end, end: span.end }, callee.span, args.length === 0, env);
    return poisoned(span);
  }
  // `all(m)` reduces, `all` alone is every token.
  const isMethod = env.modality !== null && Object.hasOwn(methodsOf[env.modality], text) && text !== "all";
  if (isMethod && env.modality !== null) return method(env.modality, made);
  return builtin(made) ?? unresolvedCall(made, callee.span);
}

function builtin(made: Call): Core | null {
  const simple = elementwise[made.name];
  if (Object.hasOwn(elementwise, made.name) && simple !== undefined) {
    const [fn, arity] = simple;
    if (!hasArguments(made, arity)) return failed(made);
    const args = made.args.map((_, i) => made.value(i));
    if (fn === "pow" && isTwo(made.args[1]?.value))
      return map(made.env.report, "square", args.slice(0, 1), made.span, "`pow`");
    return map(made.env.report, fn, args, made.span, `\`${made.name}\``);
  }
  if (losses.includes(made.name)) return lossOf(made, []);
  if (drawFunctions.includes(made.name)) return draw(made);
  return Object.hasOwn(reductions, made.name) || functionNames.includes(made.name) ? special(made) : null;
}

function lossOf(made: Call, weights: readonly Core[]): Core {
  return reportMaskedPair(made, (part) => infer(part, made.env)) ? failed(made) : loss(made, weights);
}

function unresolvedCall({ name: text, args, span, env }: Call, at: Span): Core {
  unresolved(text, at, env, { args, span });
  return poisoned(span);
}

// ----------------------------------------------------------------------------------------------------------------- clauses

function over(
  { value, mask, span }: Extract<Expression, { kind: "over" }>,
  outer: readonly Core[],
  env: Environment,
): Core {
  const weights = [infer(mask, { ...env, maskWanted: mask }), ...outer];
  if (value.kind === "over") return over(value, weights, env);
  if (value.kind === "call" && losses.includes(value.callee.text)) {
    return lossOf(makeCall(value.callee.text, value.args, span, null, env), weights);
  }
  if (infer(value, env).op === "error") return poisoned(span);
  env.report.error("LTX4009", span, "`over` belongs to a loss", asLoss(value, mask, span, env));
  return poisoned(span);
}

function per(value: Expression, axes: readonly AxisName[], env: Environment): Core {
  if (value.kind === "call" && drawFunctions.includes(value.callee.text))
    return call(value.callee.text, value, axes, env);
  const sampler = samplerOf(value, env);
  if (sampler !== null) return method(sampler.modality, makeCall(sampler.name, sampler.args, value.span, axes, env));
  env.report.error("LTX4013", value.span, "`per` belongs to a draw", {
    help: `write it after ${drawFunctions.map((text) => `\`${text}()\``).join(", ")} or \`sampled()\``,
  });
  return poisoned(value.span);
}
