import { createPositions } from "../../runtime/model/positions.ts";
import { golden, type Replay } from "../case.ts";
import { compare } from "../compare.ts";

/** Replays the positions of video grids and audio steps. */
export const replay: Replay = async ({ manifest, tensors }) => {
  const items = manifest["items"] as PositionsItem[];
  return items.flatMap((item) =>
    compare(item.output, positionsOf(item), golden(tensors, item.output), manifest["tolerance"]),
  );
};

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
  const [time, height, width] = item.scale;
  const fps = Array.from({ length: item.batch }, () => item.fps);
  return createPositions({ time, height, width }).video(item, fps);
}
