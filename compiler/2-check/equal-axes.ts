/** Version 2 of the language: a comparison takes two values over the same axes, since the mean over all of them would hide a mistake. */
import { familyOf, isPixelAxis, unionOf } from "./axes.ts";
import type { Call } from "./call.ts";
import { align } from "./combine.ts";
import { describe, type Core } from "./core.ts";
import type { Environment } from "./environment.ts";
import { spanOf } from "./report.ts";

/** Axes that one side may lack: the same for every sample is compared with each, and so is a sample with all others of its batch. */
const mayLack: readonly string[] = ["batch", "other"];

/** Whether both sides of a loss have the same axes, or one is a number; reports those that one of them lacks. */
export function haveEqualAxes({ env, name, span }: Call, [a, b]: readonly Core[]): boolean {
  if (a === undefined || b === undefined || a.type.axes.length === 0 || b.type.axes.length === 0) return true;
  // Pixels that meet anything else are told of as such.
  if (
    [a, b].some(({ type }) => type.axes.some(isPixelAxis)) &&
    familyOf(unionOf([a.type.axes, b.type.axes])) === "clash"
  )
    return true;
  const [x = a, y = b] = align([a, b]);
  const only = (of: Core, than: Core) =>
    of.type.axes.filter((axis) => !than.type.axes.includes(axis) && !mayLack.includes(axis));
  const [ofX, ofY] = [only(x, y), only(y, x)];
  const [larger, extra] = ofX.length > 0 ? [a, ofX] : [b, ofY];
  if (extra.length === 0) return true;
  const along = extra.map((axis) => `\`${axis}\``).join(" and ");
  const text = env.report.textAt(larger.span);
  const names = extra.map((axis) => `axis=${axis.split(/[:/]/)[0]}`).join(", ");
  const written = writtenOut(name, [a, b], env);
  env.report.error("LTX4026", span, `\`${name}\` compares ${describe(a.type)} with ${describe(b.type)}`, {
    labels: larger.span === null ? [] : [{ span: spanOf(larger), message: `only this has ${along}` }],
    help: `reduce it, e.g. \`mean(${text ?? "x"}, ${names})\`; where each value is meant to meet all along ${along}, write it out${written}`,
  });
  return false;
}

/** `: mean((a - b)^2)` for `mse`; nothing for losses that take more to write. */
function writtenOut(name: string, sides: readonly Core[], { report }: Environment): string {
  const [left = "a", right = "b"] = sides.map((side) => report.textAt(side.span) ?? undefined);
  if (name === "mse") return `: \`mean((${left} - ${right})^2)\``;
  return name === "mae" ? `: \`mean(abs(${left} - ${right}))\`` : " with a difference and `mean`";
}
