/** How axes with names meet: `token:video` is the product of frame, height and width, `token:audio` is step. */
import type { Axis, ModalityName } from "./core.ts";

export const gridAxes: Readonly<Record<ModalityName, readonly Axis[]>> = {
  video: ["frame", "height", "width"],
  audio: ["step"],
};

/** Axes that mean the same without their modality: `token` in a call. */
export const axisNames: readonly string[] = [
  "batch",
  "token",
  "channel",
  "frame",
  "height",
  "width",
  "step",
  "mel",
  "feature",
  "hidden",
];

export function modalityOfToken(axis: Axis): ModalityName | null {
  return axis === "token:video" ? "video" : axis === "token:audio" ? "audio" : null;
}

/** The modality whose grid or tokens the axes lie on, null for neither; `clash` when it is both. */
export function modalityOf(axes: readonly Axis[]): ModalityName | "clash" | null {
  const video = axes.some((axis) => axis === "token:video" || gridAxes.video.includes(axis));
  const audio = axes.some((axis) => axis === "token:audio" || gridAxes.audio.includes(axis));
  return video && audio ? "clash" : video ? "video" : audio ? "audio" : null;
}

/** The modality whose tokens `axes` must be turned into to meet a value over tokens, or null. */
export function needsTokens(axes: readonly Axis[], other: readonly Axis[]): ModalityName | null {
  for (const modality of ["video", "audio"] as const) {
    const overGrid = axes.some((axis) => gridAxes[modality].includes(axis));
    if (overGrid && other.includes(`token:${modality}`)) return modality;
  }
  return null;
}

/** Replaces grid axes by the token axis that stands for them, `mel` and `channel` by `channel`. */
export function toTokenAxes(axes: readonly Axis[], modality: ModalityName): readonly Axis[] {
  const grid = gridAxes[modality];
  const first = axes.includes("batch") ? ["batch"] : [];
  const rest = axes.filter((axis) => axis !== "batch" && axis !== "mel" && axis !== "channel" && !grid.includes(axis));
  return [
    ...first,
    `token:${modality}`,
    ...rest,
    ...(axes.includes("channel") || axes.includes("mel") ? ["channel"] : []),
  ];
}

/** The axes of the result of an elementwise operation: those of the operand with the most, then what the others add. */
export function unionOf(all: readonly (readonly Axis[])[]): readonly Axis[] {
  const widest = all.reduce((a, b) => (b.length > a.length ? b : a), []);
  const missing = all.flat().filter((axis, i, list) => !widest.includes(axis) && list.indexOf(axis) === i);
  return missing.length === 0 ? widest : inOrder([...widest, ...missing]);
}

const order: readonly Axis[] = [
  "batch",
  "token:video",
  "token:audio",
  "channel",
  "frame",
  "height",
  "width",
  "step",
  "mel",
  "feature",
  "hidden",
];

function inOrder(axes: readonly Axis[]): readonly Axis[] {
  const rank = (axis: Axis) => (order.includes(axis) ? order.indexOf(axis) : order.length);
  return axes.toSorted((a, b) => rank(a) - rank(b));
}
