import { createPositions } from "../../runtime/model/positions.ts";
import { declared } from "../checks.ts";
import { keys, limits } from "../known.ts";

/** Replays the positions of video grids and audio steps. */
export const replay = declared(
  {
    manifest: {
      config: {},
      items: keys("kind", "batch", "steps", "frames", "height", "width", "fps", "scale", "output", "dtype", "shape"),
      tolerance: limits(),
    },
  },
  ({ manifest }, checks) => {
    for (const item of manifest["items"] as PositionsItem[]) {
      checks.compare(item.output, positionsOf(item), manifest["tolerance"]);
    }
  },
);

type PositionsItem = { readonly output: string; readonly batch: number } & (
  | { readonly kind: "audio"; readonly steps: number }
  | {
      readonly kind: "video";
      readonly frames: number;
      readonly height: number;
      readonly width: number;
      readonly fps: number;
      readonly scale: readonly [number, number, number];
    }
);

function positionsOf(item: PositionsItem) {
  if (item.kind === "audio") {
    return createPositions({ time: 8, height: 32, width: 32 }).audio(item.steps, item.batch);
  }
  if (item.kind !== "video") throw new Error(`no positions of the kind ${(item as { kind: string }).kind}`);
  const [time, height, width] = item.scale;
  const fps = Array.from({ length: item.batch }, () => item.fps);
  return createPositions({ time, height, width }).video(item, fps);
}
