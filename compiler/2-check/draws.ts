/** Random draws: `randn() uniform(lo, hi) bernoulli(p) randint(lo, hi)`, with `per` saying over which axes they run. */
import type { AxisName } from "../1-parse/expression/ast.ts";
import { replacement } from "../diagnostics/did-you-mean.ts";
import { axisNames, familyOf, gridAxes } from "./axes.ts";
import { failed, hasArguments, type Call } from "./call.ts";
import { map } from "./combine.ts";
import { literal, tensor, type Axis, type Core, type Type } from "./core.ts";
import type { Environment } from "./environment.ts";

const arity: Readonly<Record<string, number>> = { randn: 0, uniform: 2, bernoulli: 1, randint: 2 };

export function draw(call: Call): Core {
  if (!hasArguments(call, arity[call.name] ?? 0)) return failed(call);
  const axes = drawAxes(call);
  if (axes === null) return failed(call);
  const { env, span } = call;
  // The place is taken before the arguments are read, so that draws count from left to right.
  const place = env.draws.next();
  const storage = call.name === "randn" ? (env.noiseOf?.source ?? null) : null;
  const of = env.noiseOf?.modality ?? env.modality;
  const fn = call.name === "randn" ? "randn" : "rand";
  const onHost = env.hostDraws && fn === "rand" && axes.join() === "batch";
  const type: Type = onHost ? { dtype: "f32", axes, stage: "sample" } : tensor("f32", axes);
  const drawn: Core = { op: "draw", fn, place, storage, of, type, span };
  return distribute(call, drawn);
}

/** From uniform numbers in [0, 1) to what the function promises. */
function distribute(call: Call, u: Core): Core {
  const { env, span, name } = call;
  const apply = (fn: "add" | "sub" | "mul" | "less" | "minimum", a: Core, b: Core) =>
    map(env.report, fn, [a, b], span, `\`${name}\``);
  switch (name) {
    case "bernoulli":
      return apply("less", u, call.value(0));
    case "uniform":
      return apply("add", call.value(0), apply("mul", u, apply("sub", call.value(1), call.value(0))));
    case "randint": {
      const [low, high] = [call.value(0), call.value(1)];
      const scaled = apply("add", low, apply("mul", u, apply("sub", high, low)));
      const whole = map(env.report, "floor", [scaled], span, "`randint`");
      // float32 rounding may carry the largest draws up to `high` itself.
      return apply("minimum", whole, apply("sub", high, literal(1)));
    }
    default:
      return u;
  }
}

/** The axes that `per` names for a draw, reported and null where they are none. */
export function drawAxes({ per, env, span }: Call): readonly Axis[] | null {
  const element = env.noiseOf?.modality ?? env.modality;
  const [first] = per ?? [];
  if (first === undefined) return env.noiseOf === null ? ["batch"] : elementAxes(env.reference ?? env.noiseOf.modality);
  if (hasMisfit(per ?? [], env)) return null;
  if (first.text === "sample") return ["batch"];
  if (first.text === "batch") return [];
  if (first.text === "element" && element !== null) return elementAxes(env.reference ?? element);
  // Channels are those of a modality: the one around, or the one whose tokens are named beside them.
  const hasChannels = element !== null || familyOf((per ?? []).map(({ text }) => text)) !== null;
  const axes = (per ?? []).map((axis) => axisOf(axis, hasChannels, env));
  if (axes.some((axis) => axis === null)) return null;
  if (familyOf(axes as Axis[]) === "clash") {
    env.report.error("LTX4004", span, "a draw cannot run over axes of video and of audio", {
      help: "video has `frame`, `height`, `width` and `token:video`, audio has `step` and `token:audio`",
    });
    return null;
  }
  if (element === null && first.text === "element") {
    const [only = "video"] = env.modalities;
    const axesOf = `(token:${only}, channel)`;
    env.report.error("LTX4013", span, "outside a modality `per element` does not say which elements", {
      help: `name the axes: \`per ${axesOf}\``,
      ...(env.modalities.size === 1 ? { fix: replacement(first.span, axesOf) } : {}),
    });
    return null;
  }
  return ["batch", ...(axes as Axis[])];
}

/** Words that say by themselves over what a draw runs. */
const whole: readonly string[] = ["sample", "batch", "element"];

/** Whether one of several axes says what another one says, or all; the first that does is reported. */
function hasMisfit(axes: readonly AxisName[], { report }: Environment): boolean {
  const texts = axes.map(({ text }) => text);
  const isInToken = (text: string) =>
    texts.some((token) => token.startsWith("token") && isGridAxis(text, token.split(":")[1]));
  for (const [i, { text, span }] of axes.entries()) {
    const isTwice = texts.indexOf(text) < i;
    const isAlone = axes.length > 1 && whole.includes(text);
    if (!isTwice && !isAlone && !isInToken(text)) continue;
    const message = isTwice ? "stands here twice" : isAlone ? "stands alone" : "is part of the token here";
    report.error("LTX4013", span, `behind \`per\`, \`${text}\` ${message}`, {
      help: isAlone
        ? "`per sample` and `per batch` draw one number, `per element` one for each; axes such as `per frame` draw for each sample anyway"
        : `leave out \`${text}\``,
    });
    return true;
  }
  return false;
}

const isGridAxis = (text: string, modality: string | undefined): boolean =>
  (modality === "audio" ? [] : gridAxes.video).includes(text) ||
  (modality === "video" ? [] : gridAxes.audio).includes(text);

const elementAxes = (modality: string): readonly Axis[] => ["batch", `token:${modality}`, "channel"];

function axisOf({ text, span }: AxisName, hasChannels: boolean, env: Environment): Axis | null {
  if (text === "element") return text;
  if (env.reference !== null && [...gridAxes[env.modality ?? "video"], "token"].includes(text))
    return `${text}:${env.reference}`;
  if (text === "token" && env.modality !== null) return `token:${env.modality}`;
  const known =
    text === "token:video" || text === "token:audio" || gridAxes.video.includes(text) || gridAxes.audio.includes(text);
  if (known || (text === "channel" && hasChannels)) return text;
  const help =
    axisNames.includes(text) || text === "channel"
      ? "outside a modality the axis carries it: `per token:video`"
      : "write `per sample`, `per batch`, `per element`, `per frame` or `per token`";
  env.report.error("LTX3006", span, `a draw cannot run over \`${text}\` here`, { help });
  return null;
}
