import type { Expression } from "../../1-parse/expression/ast.ts";
import { nodesOf } from "../../1-parse/expression/children.ts";
import { printExpression } from "../../1-parse/expression/print.ts";
import type { ModalitySyntax, StrategySyntax } from "../../1-parse/syntax.ts";
import { drawFunctions, losses } from "../builtins.ts";
import type { Report } from "../report.ts";

type Call = Extract<Expression, { kind: "call" }>;

/**
 * A `let` with arguments draws anew at each use. Where it stands on both sides of a comparison, or with the same arguments in two places,
 * one draw is meant. The same holds for `bernoulli` written out twice.
 */
export function drawnAnew(syntax: StrategySyntax, report: Report): void {
  const drawing = letsThatDraw(syntax);
  const all = placesOf(syntax);
  for (const [, expression] of all) bothSides(expression, drawing, report);
  const first = new Map<string, { readonly place: string; readonly call: Call }>();
  for (const [place, expression] of all) {
    for (const call of callsIn(expression)) {
      const { text } = call.callee;
      if (!drawing.has(text) && (text !== "bernoulli" || place.startsWith("let"))) continue;
      const written = printExpression(call);
      const known = first.get(written);
      if (known === undefined) first.set(written, { place, call });
      else if (known.place !== place || isInside(expression, known.call)) tell(call, known.call, report);
    }
  }
}

function tell(call: Call, other: Call, report: Report): void {
  const written = printExpression(call);
  report.warning("LTX5030", call.span, `\`${written}\` draws anew here`, {
    labels: [{ span: other.span, message: "this is another draw" }],
    help: `for one draw in both places give it a name without arguments under \`let\`, e.g. \`drawn: ${written}\``,
  });
}

/** `mse(scale(a), scale(b))`, where `scale` draws. */
function bothSides(expression: Expression, drawing: ReadonlySet<string>, report: Report): void {
  for (const node of nodesOf(expression)) {
    const sides =
      node.kind === "call" && losses.includes(node.callee.text)
        ? node.args.slice(0, 2).map(({ value }) => value)
        : node.kind === "binary" && node.operator !== "*" && node.operator !== "+"
          ? [node.left, node.right]
          : [];
    const [left = [], right = []] = sides.map((side) => callsIn(side).filter(({ callee }) => drawing.has(callee.text)));
    for (const call of right) {
      const other = left.find(({ callee }) => callee.text === call.callee.text);
      if (other === undefined || printExpression(other) === printExpression(call)) continue;
      report.warning("LTX5030", call.span, `\`${call.callee.text}\` draws anew here, so both sides differ by chance`, {
        labels: [{ span: other.span, message: "this is another draw" }],
        help: `draw once: give the draw inside of \`${call.callee.text}\` a name without arguments under \`let\`, and use it there`,
      });
    }
  }
}

/** Names of bindings with arguments that draw, also by way of others. */
function letsThatDraw({ lets }: StrategySyntax): ReadonlySet<string> {
  const calls = lets
    .filter(({ binder }) => binder.parameters !== null)
    .map(({ binder, value }) => [binder.name.text, callsIn(value).map(({ callee }) => callee.text)] as const);
  const found = new Set<string>();
  for (let before = -1; before < found.size;) {
    before = found.size;
    for (const [name, called] of calls)
      if (called.some((other) => drawFunctions.includes(other) || found.has(other))) found.add(name);
  }
  return found;
}

/** Every expression of the file with the place that it belongs to; entries of a list are one place, which may well draw twice. */
function placesOf({
  lets,
  video,
  audio,
  losses: terms,
  expect,
}: StrategySyntax): readonly (readonly [string, Expression])[] {
  return [
    ...lets.map(({ binder, value }) => [`let ${binder.name.text}`, value] as const),
    ...[video, audio].flatMap((modality) => (modality === null ? [] : entriesOf(modality))),
    ...terms.map(({ value }) => ["loss", value] as const),
    ...expect.map(({ value }) => ["expect", value] as const),
  ];
}

function entriesOf(modality: ModalitySyntax): readonly (readonly [string, Expression])[] {
  const { name, keep, noiseMask, sigma, noise, noisy, target, denoised, attention } = modality;
  const single = { sigma, noise, noisy, target, denoised, attention };
  return [
    ...[...(keep?.items ?? []), ...(noiseMask?.items ?? [])].map(({ value }) => [`${name}.keep`, value] as const),
    ...Object.entries(single).flatMap(([key, entry]) =>
      entry === null ? [] : [[`${name}.${key}`, entry.value] as const],
    ),
  ];
}

const callsIn = (expression: Expression): readonly Call[] =>
  [...nodesOf(expression)].filter((node): node is Call => node.kind === "call");

const isInside = (expression: Expression, call: Call): boolean => callsIn(expression).includes(call);
