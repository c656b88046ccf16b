import type { Core } from "../2-check/core.ts";

/** The same node with other children, in the order of `childrenOf`. */
export function withChildren(core: Core, change: (child: Core) => Core): Core {
  switch (core.op) {
    case "map":
      return { ...core, args: core.args.map(change) };
    case "concat":
      return { ...core, args: [change(core.args[0]), change(core.args[1])] };
    case "maskedMean":
      return { ...core, error: change(core.error), weights: core.weights.map(change) };
    case "reduce":
    case "tokens":
    case "grid":
    case "broadcast":
    case "round":
    case "stopGradient":
      return { ...core, arg: change(core.arg) };
    case "cell":
      return { ...core, pixel: change(core.pixel) };
    case "coordinate":
      return core.fps === null ? core : { ...core, fps: change(core.fps) };
    default:
      return core;
  }
}
