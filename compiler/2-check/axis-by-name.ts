/** Axes of reductions: by position in version 1 of the language, `max(x, frame)`, by name in both, `max(x, axis=frame)`. */
import { allExpressions } from "../1-parse/all-expressions.ts";
import type { Argument, Expression } from "../1-parse/expression/ast.ts";
import type { StrategySyntax } from "../1-parse/syntax.ts";
import { axisNames, laterAxes } from "./axes.ts";
import { reductions } from "./builtins.ts";

/** The name of the argument. */
const word = "axis";

/** Whether an argument says an axis of a reduction by its name. */
export const isAxisNamed = ({ name }: Argument): boolean => name?.text === word;

/** A reduction with its axes where position gives them: what both versions of the language mean by it. */
export function withAxesInOrder(args: readonly Argument[]): readonly Argument[] {
  const own = args.filter((arg) => !isAxisNamed(arg));
  return [...own, ...args.filter(isAxisNamed).map((arg) => ({ ...arg, name: null }))];
}

/** Axes that stand by position, each to be written `axis=…` in version 2. */
export function axesByPosition(syntax: StrategySyntax): readonly Expression[] {
  const own = new Set([...syntax.params, ...syntax.sources].map(({ name }) => name.text));
  for (const { binder } of syntax.lets) own.add(binder.name.text);
  const isAxis = (value: Expression) =>
    value.kind === "name" && axisNames.includes(value.name) && !(laterAxes.includes(value.name) && own.has(value.name));
  return [...allExpressions(syntax)].flatMap((node) => {
    if (node.kind !== "call" || !takesAxes(node.callee.text)) return [];
    return node.args.slice(1).flatMap(({ name, value }) => (name === null && isAxis(value) ? [value] : []));
  });
}

/** Whether a function is given the axes that it runs over. */
export const takesAxes = (name: string): boolean =>
  Object.hasOwn(reductions, name) || name === "norm" || name === "quantile" || name === "dft";
