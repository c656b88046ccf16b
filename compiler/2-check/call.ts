import type { Argument, AxisName, Expression } from "../1-parse/expression/ast.ts";
import { meant } from "../diagnostics/did-you-mean.ts";
import type { Span } from "../source/span.ts";
import { axisNames, isFrequency, isJoined, isPixelAxis, unjoined } from "./axes.ts";
import { losses } from "./builtins.ts";
import { poisoned, type Axis, type Core } from "./core.ts";
import type { Environment } from "./environment.ts";

/** A call whose arguments are read on demand, each once. */
export interface Call {
  readonly name: string;
  readonly span: Span;
  readonly args: readonly Argument[];
  readonly env: Environment;
  /** Of a surrounding `per`. */
  readonly per: readonly AxisName[] | null;
  value(i: number): Core;
}

/** The arguments in the order of `names`; as they stand where a name is unknown, twice given or leaves a gap. */
export function positional(args: readonly Argument[], names: readonly string[]): readonly Argument[] {
  const unnamed = args.filter(({ name }) => name === null);
  const wanted = names.slice(unnamed.length, args.length);
  const found = wanted.flatMap((wantedName) => args.find(({ name }) => name?.text === wantedName) ?? []);
  if (unnamed.length + found.length !== args.length) return args;
  return [...unnamed, ...found.map((arg) => ({ ...arg, name: null }))];
}

/** True when the call has between `least` and `most` unnamed arguments; reports what is wrong otherwise. */
export function hasArguments({ name, span, args, env }: Call, least: number, most = least): boolean {
  const named = args.find((arg) => arg.name !== null);
  if (named?.name) {
    env.report.error("LTX4003", named.name.span, `\`${name}\` has no argument named \`${named.name.text}\``, {
      help:
        axisHelp(name, named.name.text, args) ??
        "give the values in order, or by the names of the arguments, each once",
    });
    return false;
  }
  if (args.length >= least && args.length <= most) return true;
  const wanted = least === most ? `${least}` : `${least} to ${most}`;
  env.report.error(
    "LTX4003",
    span,
    `\`${name}\` takes ${wanted} argument${wanted === "1" ? "" : "s"}, this call has ${args.length}`,
    {
      help:
        differenceHelp(name, args, env) ??
        nestedHelp(name, args, env) ??
        axisOfTokens(name, args, env) ??
        `write ${example(name, least)}`,
    },
  );
  return false;
}

/** `max(a, b, c)` */
function nestedHelp(name: string, args: readonly Argument[], { report }: Environment): string | null {
  if (!/^(max|min)$/.test(name) || args.length < 3) return null;
  const texts = args.map(({ value }) => report.textAt(value.span) ?? "x");
  return `write \`${texts.reduceRight((rest, text) => `${name}(${text}, ${rest})`)}\``;
}

/** `mean(tokens(x, channel))` */
function axisOfTokens(name: string, [x, axis]: readonly Argument[], { report }: Environment): string | null {
  const [value, at] = [x, axis].map((arg) => (arg === undefined ? null : report.textAt(arg.value.span)));
  if ((name !== "tokens" && name !== "grid") || !value || !at) return null;
  return `an axis belongs to the function around it: \`mean(${name}(${value}), ${at.startsWith("axis") ? at : `axis=${at}`})\``;
}

/** `mse(a - b)` */
function differenceHelp(name: string, [only, ...more]: readonly Argument[], { report }: Environment): string | null {
  const { value } = only ?? {};
  if (!losses.includes(name) || more.length > 0 || value?.kind !== "binary" || value.operator !== "-") return null;
  const [a, b] = [report.textAt(value.left.span), report.textAt(value.right.span)];
  return a === null || b === null
    ? null
    : `write \`${name}(${a}, ${b})\`: a loss takes both sides, not their difference`;
}

/** `mean(x, dim=1)`, `mean(x, axis=channel)` */
function axisHelp(name: string, argument: string, args: readonly Argument[]): string | null {
  if (losses.includes(name) && /^(loss_)?(mask|weights?|where)$/.test(argument)) {
    const m = args.find((arg) => arg.name?.text === argument)?.value;
    return `a mask stands behind the loss: \`${name}(a, b) over ${m?.kind === "name" ? m.name : "m"}\``;
  }
  if (argument === "keepdim" || argument === "keepdims") return "leave it out: axes are matched by their names";
  if (!/^(dims?|axis|axes)$/.test(argument)) return null;
  const given = args.find((arg) => arg.name?.text === argument)?.value;
  const axis = given?.kind === "name" ? given.name : "channel";
  return `an axis is given by its name alone: \`${name}(x, ${axis})\`; axes are \`token\`, \`channel\`, \`frame\`, \`height\`, \`width\` and others. Without any, \`${name}(x)\` reduces all but \`batch\``;
}

function example(name: string, count: number): string {
  if (name === "huber") return "`huber(a, b, delta)`; 1 is usual for `delta`, where the square turns into a line";
  if (losses.includes(name)) return `\`${name}(a, b)\`, such as \`${name}(video.prediction, video.target)\``;
  const letters = ["a", "b", "c", "d"].slice(0, count);
  return count === 0 ? `\`${name}\` without arguments` : `\`${name}(${letters.join(", ")})\``;
}

/** Names of axes given as arguments; `token` and `frame` stand for those that `of` has, also of a reference. Reports what is no axis. */
export function axisArguments({ args, env }: Call, from: number, of: Core): readonly Axis[] | null {
  const axes = args.slice(from).map(({ value }) => axisOf(value, of, env));
  return axes.some((axis) => axis === null) ? null : (axes as Axis[]);
}

function axisOf(value: Expression, of: Core, { report }: Environment): Axis | null {
  const name = value.kind === "name" ? value.name : "";
  const own =
    of.type.axes.find((axis) => axis === name || (axisNames.includes(name) && axis.startsWith(`${name}:`))) ??
    of.type.axes.find((axis) => isPixelAxis(axis) && axis.split("/")[0] === name) ??
    of.type.axes.find(
      (axis) => isJoined(axis) && (isFrequency(axis) ? "frequency" : unjoined(axis).split(":")[0]) === name,
    );
  if (own !== undefined) return own;
  if (axisNames.includes(name)) return name;
  const known = of.type.axes.map((axis) => axis.replace(/:.*/, ""));
  const otherwise = `axes of this value are ${of.type.axes.map((axis) => `\`${axis}\``).join(", ") || "none"}`;
  const message = name === "" ? "an axis is named here" : `\`${name}\` is no axis`;
  report.error("LTX3006", value.span, message, meant(name, value.span, known, otherwise));
  return null;
}

/** All arguments, or null when one was reported as broken. */
export function values(call: Call): readonly Core[] | null {
  const cores = call.args.map((_, i) => call.value(i));
  return cores.some((core) => core.op === "error") ? null : cores;
}

export const failed = (call: Call): Core => poisoned(call.span);
