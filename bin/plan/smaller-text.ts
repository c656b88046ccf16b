/** Smaller samples in words. */
import type { ScaleFactors } from "../../runtime/contract.ts";
import type { Smaller, SmallerPlan } from "../../runtime/index.ts";

/** How large the largest sample is and would have to be, in latent cells, and the pixels of a cell. */
export interface SmallerSize {
  readonly what: Smaller;
  readonly from: SmallerPlan["crop"]["from"];
  readonly to: SmallerPlan["crop"]["to"];
  readonly cell: ScaleFactors;
}

/** As in "65 frames instead of 121" or "512 x 320 pixels instead of 768 x 512", which is what the data is to be preprocessed to. */
export function smallerText({ what, from, to, cell }: SmallerSize): string {
  if (what === "frames") {
    const pixelFrames = (frames: number) => (frames - 1) * cell.time + 1;
    const fewer = pixelFrames(to.frames);
    return `${fewer} ${fewer === 1 ? "frame" : "frames"} instead of ${pixelFrames(from.frames)}`;
  }
  const pixels = ({ width, height }: SmallerSize["from"]) => `${width * cell.width} x ${height * cell.height}`;
  return `${pixels(to)} pixels instead of ${pixels(from)}`;
}
