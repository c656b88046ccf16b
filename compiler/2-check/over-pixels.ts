/** Masks and weights of latent cells in a loss of pixels: each pixel has that of its cell. */
import { familyOf, isPixelAxis, isPixelFamily, pixelAxesOf } from "./axes.ts";
import type { Call } from "./call.ts";
import { broadcastTo, isMask, map } from "./combine.ts";
import { tensor, type Core } from "./core.ts";
import { toGrid } from "./functions.ts";

/** A weight over the cells that the pixels of `error` are of, as one over the pixels; any other as it is. */
export function onPixels(call: Call, weight: Core, error: Core): Core {
  const own = familyOf(weight.type.axes);
  const pixels = error.type.axes.find(isPixelAxis);
  if (pixels === undefined || own === null || own === "clash" || isPixelFamily(own)) return weight;
  const { networks } = call.env.declarations;
  const named = pixels.split("/").slice(1);
  const window = named.find((name) => networks.has(name)) ?? null;
  const family = named.find((name) => !networks.has(name)) ?? "video";
  const isOfCells = weight.type.axes.every((axis) => axis === "batch" || familyOf([axis]) === family);
  if (family !== own || !isOfCells) return weight;
  const grid = weight.type.axes.includes(`token:${family}`) ? toGrid(call, weight) : weight;
  const suffix = family === "video" ? "" : `:${family}`;
  const cells = broadcastTo(grid, ["batch", ...["frame", "height", "width"].map((axis) => `${axis}${suffix}`)]);
  const arg = isMask(cells) ? map(call.env.report, "float", [cells], weight.span, "`over`") : cells;
  const type = tensor("f32", ["batch", ...pixelAxesOf(named.join("/"))]);
  return { op: "enlarge", arg, window, type, span: weight.span };
}
