/** Forms of other languages that the grammar reads, so that one finding says what to write instead. */
import type { IToken } from "chevrotain";
import type { Bag, Details } from "../../diagnostics/bag.ts";
import { replacement } from "../../diagnostics/did-you-mean.ts";
import type { Span } from "../../source/span.ts";
import type { Argument, Expression, Name, Unit } from "./ast.ts";
import { nodesOf } from "./children.ts";
import { binary, conditional, join, type Listed } from "./nodes.ts";
import { printExpression } from "./print.ts";
import * as t from "./tokens.ts";

/** A place in an expression, and where its findings go. */
interface Place {
  readonly span: Span;
  readonly bag: Bag;
}

/** What to write instead, with a fix; nothing where a part of it could not be read. */
function instead(written: Expression | null, span: Span): Details {
  const text = written === null ? "" : printExpression(written);
  return text === "" || text.includes("<error>") ? {} : { help: `write \`${text}\``, fix: replacement(span, text) };
}

/** `a // b` and `a % b`, by `floor` and `mod`. */
export function division(sign: IToken, at: Span, left: Expression, right: Expression, bag: Bag): Expression {
  const span = join(left.span, right.span);
  const operands = sign.image === "//" ? [binary("/", at, left, right)] : [left, right];
  const meant: Expression = {
    kind: "call",
    callee: { text: sign.image === "//" ? "floor" : "mod", span: at },
    args: operands.map((value) => ({ name: null, value })),
    span,
  };
  bag.error("LTX1103", at, `\`${sign.image}\` is not an operator of this language`, instead(meant, span));
  return { kind: "error", span };
}

/** `a if c else b`, and `m if c` of masks. `isItem`: whether it may be an entry with a probability. */
export function trailingIf(
  value: Expression,
  condition: Expression,
  otherwise: Expression | null,
  { span: sign, bag, isItem }: Place & { readonly isItem: boolean },
): Expression {
  const span = join(value.span, (otherwise ?? condition).span);
  const message = "an `if` stands in front of both values here";
  if (otherwise !== null) {
    bag.error("LTX1101", sign, message, instead(conditional(sign, condition, value, otherwise), span));
    return { kind: "error", span };
  }
  if (value.kind === "over") {
    const nothing: Expression = { kind: "number", value: 0, span: condition.span };
    bag.error("LTX1101", sign, message, instead(conditional(sign, condition, value, nothing), span));
    return { kind: "error", span };
  }
  const drawn = isItem ? probabilityOf(condition) : null;
  const text = drawn === null ? null : `${printExpression(value)} with probability ${printExpression(drawn)}`;
  const details =
    text === null || text.includes("<error>")
      ? instead(binary("and", sign, value, condition), span)
      : { help: `write \`${text}\``, fix: replacement(span, text) };
  bag.error("LTX1101", sign, "an `if` has three parts: `if condition then value else other`", details);
  return { kind: "error", span };
}

/** `p` of `bernoulli(p)`. */
function probabilityOf(condition: Expression): Expression | null {
  const isDraw = condition.kind === "call" && condition.callee.text === "bernoulli" && condition.args.length === 1;
  return isDraw ? (condition.args[0]?.value ?? null) : null;
}

const units: readonly string[] = ["px", "lf", "f", "s", "%"] satisfies Unit[];

export const isUnitName = (text: string): text is Unit => units.includes(text);

/** Units that are called otherwise here, with what to write. */
const otherUnits: readonly (readonly [RegExp, (value: number) => string])[] = [
  [/^(frames?|fr|latents?)$/i, (value) => `\`${value}lf\` for latent frames, \`${value}f\` for pixel frames`],
  [/^(secs?|seconds?)$/i, (value) => `\`${value}s\``],
  [/^(ms|msecs?|milliseconds?)$/i, (value) => `\`${value / 1000}s\``],
  [/^(pixels?|pix)$/i, (value) => `\`${value}px\``],
  [/^(percent|pct|pc)$/i, (value) => `\`${value}%\``],
];

/** What to write for a number behind which a unit stands that is called otherwise here, or null. */
export function otherUnit(unit: string, value: number): string | null {
  const known = otherUnits.find(([word]) => word.test(unit));
  return known === undefined ? null : `write ${known[1](value)}`;
}

/** A number, maybe with a unit behind it: `64px`, `10%`; `24fps` is none. */
export function number(token: IToken, unit: IToken | undefined, { span, bag }: Place): Expression {
  const value = Number(token.image);
  if (unit === undefined) return { kind: "number", value, span };
  if (isUnitName(unit.image)) return { kind: "number", value, unit: unit.image, span };
  const meant = unit.image.toLowerCase();
  if (isUnitName(meant)) {
    const help = `write \`${token.image}${meant}\``;
    const fix = replacement(span, `${token.image}${meant}`);
    bag.error("LTX1101", span, `\`${unit.image}\` is no unit: units are \`px\`, \`lf\`, \`f\`, \`s\` and \`%\``, {
      help,
      fix,
    });
    return { kind: "number", value, unit: meant, span };
  }
  const isCertain = /^fps$/i.test(unit.image);
  bag.error(
    "LTX1101",
    span,
    `\`${token.image}${unit.image}\` is no number, and \`${unit.image}\` no unit: those are \`px\`, \`lf\`, \`f\`, \`s\` and \`%\``,
    {
      help: isCertain
        ? `write \`${token.image}\``
        : (otherUnit(unit.image, value) ??
          `write the number alone, \`${token.image}\`; LANGUAGE.md says what each value counts`),
      ...(isCertain ? { fix: replacement(span, token.image) } : {}),
    },
  );
  return { kind: "error", span };
}

/** Whether a name is written against the number before it. */
export function isUnit(number: IToken, next: IToken): boolean {
  return next.tokenType === t.Name && next.startOffset === number.startOffset + number.image.length;
}

/** `"soft"`; a letter in front of the quotes is of another language. */
export function textOf({ image }: IToken, span: Span, bag: Bag): Expression {
  if (/^["']/.test(image)) return { kind: "text", value: image.slice(1, -1), span };
  reportText(span, bag);
  return { kind: "error", span };
}

/** Reports the texts among `roots` that are not a side of `==` or `!=`; what `has` and `in` are asked for, the check names. */
export function reportTexts(roots: readonly Expression[], bag: Bag): void {
  const compared = new Set<Expression>();
  for (const node of nodesOf(...roots)) {
    if (node.kind === "binary" && (node.operator === "==" || node.operator === "!="))
      for (const side of [node.left, node.right]) compared.add(side);
    if (node.kind === "call" && (node.callee.text === "has" || node.callee.text === "in"))
      for (const { value } of node.args) compared.add(value);
    if (node.kind === "text" && !compared.has(node)) reportText(node.span, bag);
  }
}

function reportText(span: Span, bag: Bag): void {
  bag.error("LTX1102", span, "a text stands here that nothing is compared with", {
    help: 'write names without quotes; a choice is compared with one of its texts: `mode == "soft"` of a parameter with `enum: [soft, hard]`',
  });
}

/** `reduction="mean"`: reported and left out of the call. */
export function optionOf(name: Name, text: Span, bag: Bag): null {
  const isReduction = name.text === "reduction";
  bag.error("LTX1102", join(name.span, text), `a function has no option \`${name.text}\` here`, {
    help: isReduction
      ? "leave it out: a loss is averaged for each sample; without an average write `(a - b)^2`"
      : "leave it out: an expression holds no text",
  });
  return null;
}

/**
 * `nn.MSELoss()(a, b)` and `MSELoss()(a, b)` are read as calls with the second arguments, which the check then names; any other call of a
 * value is reported.
 */
export function calledAgain(object: Expression, args: Listed<Argument>, bag: Bag): Expression {
  const span = join(object.span, args.span);
  const isClass = (name: string) => /^[A-Z]/.test(name);
  if (object.kind === "member" && isClass(object.member.text)) return { ...object, args: args.list, span };
  if (object.kind === "call" && isClass(object.callee.text)) return { ...object, args: args.list, span };
  bag.error("LTX1101", args.span, "this value is not a function, so it cannot be called", {
    help: "put an operator such as `*` between two values; a call is a name with arguments: `mse(a, b)`",
  });
  return { kind: "error", span };
}

/** `mse(a[m], b[m])` is one mistake: what was reported in an expression is not reported again. */
interface IndexPlace extends Place {
  readonly reported: Set<string>;
}

/** What stands between `[` and `]`: one whole number. */
export function indexOf(object: Expression, inner: readonly IToken[], whole: Span, place: IndexPlace): Expression {
  const { span, bag, reported } = place;
  const [only] = inner;
  if (only !== undefined && inner.length === 1 && only.tokenType === t.NumberToken) {
    if (!/^\d+$/.test(only.image)) bag.error("LTX1107", span, "an index is a whole number");
    const index = Number.isSafeInteger(Number(only.image)) ? Number(only.image) : 0;
    return { kind: "index", object, index, span: whole };
  }
  const written = inner.map(({ image }) => image).join("");
  if (!reported.has(written))
    bag.error("LTX1107", span, "an index is one whole number", { help: indexHelp(written, printExpression(object)) });
  reported.add(written);
  return { kind: "error", span: whole };
}

/** A number as a length; a parameter has its unit where it is declared. */
const inFrames = (count: string): string => (/^\d+$/.test(count) ? `${count}lf` : count);

function indexHelp(text: string, object: string): string {
  const first = /^(?:0?:)(\w+)$/.exec(text)?.[1];
  const last = /^-(\w+):$/.exec(text)?.[1];
  if (first !== undefined)
    return `the first ${first} latent frames are the mask \`prefix(${inFrames(first)})\`; axes have names instead of places`;
  if (last !== undefined)
    return `the last ${last} latent frames are the mask \`suffix(${inFrames(last)})\`; axes have names instead of places`;
  if (/^-\w+$/.test(text)) return "an index counts from 0 and has no sign";
  if (/^[A-Za-z_]\w*$/.test(text))
    return `a mask does not pick elements: leave \`[${text}]\` out. A loss is restricted behind it, \`mse(a, b) over ${text}\`; a mean over a mask is \`mean(x * float(${text})) / max(mean(float(${text})), 1e-8)\``;
  return `axes have names instead of places: write \`${object}\` alone; \`mean(${object}, channel)\` reduces an axis, and masks such as \`frame_index == 2\` choose tokens`;
}
