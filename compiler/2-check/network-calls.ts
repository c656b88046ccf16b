/** Calls of networks whose weights are not trained: arguments are brought to the axes that they take, the result has axes of its own. */
import type { FunctionType } from "../1-parse/function-type.ts";
import { depths, familyOf, isPixelFamily, pixelAxes } from "./axes.ts";
import { failed, hasArguments, values, type Call } from "./call.ts";
import type { NetworkLayer } from "./checked.ts";
import { broadcastTo, isMask } from "./combine.ts";
import { describe, poisoned, tensor, type Axis, type Core } from "./core.ts";
import { toGrid } from "./functions.ts";
import { isLayers, latentAxes, pictureAxes, type ResolvedNetwork } from "./networks.ts";
import { spanOf } from "./report.ts";

/** `decode(video.denoised)` */
export function networkCall(call: Call, network: ResolvedNetwork | null): Core {
  if (network === null || !hasArguments(call, 1)) return failed(call);
  const [x] = values(call) ?? [];
  if (x === undefined) return failed(call);
  if (isMask(x)) {
    call.env.report.notANumber(x, `\`${call.name}\``);
    return failed(call);
  }
  if (isLayers(network.architecture)) return ofLayers(call, x, network, network.architecture);
  return network.architecture === "ltx_video_decoder" ? decoded(call, x, network) : encoded(call, x, network);
}

/** Latents, or their tokens, as pixels. */
function decoded(call: Call, x: Core, { name, window }: ResolvedNetwork): Core {
  const family = familyOf(x.type.axes);
  const grid = family !== null && x.type.axes.includes(`token:${family}`) ? toGrid(call, x) : x;
  const own = family === null || family === "video" ? "" : family;
  const wanted = latentAxes.map((axis) => (own !== "" && isOfGrid(axis) ? `${axis}:${own}` : axis));
  if (!isOver(grid, wanted))
    return refused(call, x, "latents of video", "e.g. `video.denoised` or a source of kind `video_latents`");
  // Windows of several networks differ in size.
  const of = [...(window === null ? [] : [name]), ...(own === "" ? [] : [own])].join("/");
  const type = tensor("f32", pictureAxes(of));
  return { op: "network", name, arg: broadcastTo(grid, wanted), type, span: call.span };
}

const isOfGrid = (axis: Axis): boolean => axis === "frame" || axis === "height" || axis === "width";

/** Pixels as latents. Those of the target's grid are latents of it; all others have a grid of their own. */
function encoded(call: Call, x: Core, { name }: ResolvedNetwork): Core {
  const family = familyOf(x.type.axes);
  const of = family !== null && isPixelFamily(family) ? family.split("/").slice(1).join("/") : "";
  const wanted = pictureAxes(of);
  if (!isOver(x, wanted))
    return refused(
      call,
      x,
      "pixels",
      "e.g. what an `ltx_video_decoder` gives, or a source of kind `tensor` with these axes",
    );
  const axes = latentAxes.map((axis) => (of !== "" && isOfGrid(axis) ? `${axis}:${of.replaceAll("/", "_")}` : axis));
  return { op: "network", name, arg: broadcastTo(x, wanted), type: tensor("f32", axes), span: call.span };
}

/** Whether a value has these axes, in any order; `batch` may be missing. */
function isOver({ type }: Core, wanted: readonly Axis[]): boolean {
  const isComplete = wanted.every((axis) => axis === "batch" || type.axes.includes(axis));
  return type.stage === "device" && isComplete && type.axes.every((axis) => wanted.includes(axis));
}

function refused(call: Call, x: Core, what: string, example: string): Core {
  call.env.report.error("LTX4032", spanOf(x), `\`${call.name}\` takes ${what}, this is ${describe(x.type)}`, {
    help: `give it ${example}`,
  });
  return poisoned(call.span);
}

/** At each place, or by convolutions over all, the channels of a value become others. */
function ofLayers(call: Call, x: Core, network: ResolvedNetwork, layers: readonly NetworkLayer[]): Core {
  const given = network.type === null ? x : declaredArgument(call, x, network.type);
  if (given === null) return failed(call);
  const isConv = layers.some(({ kind }) => kind === "conv");
  const family = familyOf(given.type.axes);
  const arg = isConv && family !== null && given.type.axes.includes(`token:${family}`) ? toGrid(call, given) : given;
  const own = arg.type.axes.filter((axis) => depths.includes(axis));
  const [depth] = own;
  if (depth === undefined || own.length > 1 || arg.type.stage !== "device")
    return refused(
      call,
      x,
      "a value with channels",
      "one with an axis `channel`, `feature`, `hidden` or `rgb`, e.g. `video.denoised`",
    );
  if (!isSameInput(call, arg, family === "audio" ? `${depth}:audio` : depth, network)) return failed(call);
  const rest = arg.type.axes.filter((axis) => axis !== depth && axis !== "batch");
  if (isConv && !isVolume(rest))
    return refused(call, x, "a value over frames, rows and columns", "latents or their tokens, or pixels");
  const made = network.type?.result.axes.find(({ text }) => depths.includes(text))?.text ?? "feature";
  const order = (at: Axis) => (isConv ? ["batch", at, ...inVolume(rest)] : ["batch", ...rest, at]);
  return {
    op: "network",
    name: network.name,
    arg: broadcastTo(arg, order(depth)),
    type: tensor("f32", order(made)),
    span: call.span,
  };
}

/** The value with the axes that are declared; null where it lacks some or has others, which is reported. */
function declaredArgument(call: Call, x: Core, { parameters }: FunctionType): Core | null {
  const axes = parameters[0]?.type.axes.map(({ text }) => text) ?? [];
  const arg = broadcastTo(x, axes);
  const own = arg.op === "broadcast" ? arg.arg : arg;
  if (isOver(own, axes)) return arg;
  refused(
    call,
    x,
    describe(tensor("f32", axes)),
    "such a value, bring it there with `tokens(x)` or `grid(x)`, or declare another `type`",
  );
  return null;
}

/** A network's weights are as wide as what it is given first. */
function isSameInput(call: Call, core: Core, axis: Axis, network: ResolvedNetwork): boolean {
  const before = (network.input ??= { axis, core });
  if (before.axis === axis) return true;
  call.env.report.error(
    "LTX4033",
    spanOf(core),
    `\`${call.name}\` is given values over \`${axis}\` and over \`${before.axis}\``,
    {
      labels: before.core.span === null ? [] : [{ span: before.core.span, message: `over \`${before.axis}\`` }],
      help: "its weights fit one of them: declare a network for each",
    },
  );
  return false;
}

const volumes: readonly (readonly string[])[] = [["frame", "height", "width"], pixelAxes];
const bare = (axis: Axis): string => axis.split(/[:/]/)[0] ?? "";
const isVolume = (axes: readonly Axis[]): boolean =>
  volumes.some((volume) => volume.toSorted().join() === axes.map(bare).toSorted().join());

/** Frames, rows and columns, in this order. */
function inVolume(axes: readonly Axis[]): readonly Axis[] {
  return axes.toSorted((a, b) => place(a) - place(b));
}

const place = (axis: Axis): number => Math.max(...volumes.map((volume) => volume.indexOf(bare(axis))));
