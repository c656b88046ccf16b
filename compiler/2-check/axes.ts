/**
 * How axes with names meet. `token:video` is the product of frame, height and width, `token:audio` is step. A source that serves as a
 * reference has a grid and tokens of its own, `frame:ref` and `token:ref`. In `attention`, `sequence:video` are a modality's references
 * and target together, as queries, and `key:video` the same as keys.
 */
import type { Axis, Family, ModalityName } from "./core.ts";

export const gridAxes: Readonly<Record<ModalityName, readonly Axis[]>> = {
  video: ["frame", "height", "width"],
  audio: ["step"],
};

/** Axes that mean the same without their modality: `token` in a call. */
export const axisNames: readonly string[] = [
  "batch",
  "other",
  "token",
  "channel",
  "frame",
  "height",
  "width",
  "step",
  "mel",
  "feature",
  "hidden",
  "frequency",
  "part",
  "rgb",
  "pixel_frame",
  "pixel_row",
  "pixel_column",
];

/** Names of axes that came later than strategies which may have given them to values. */
export const laterAxes: readonly string[] = [
  "other",
  "frequency",
  "part",
  "rgb",
  "pixel_frame",
  "pixel_row",
  "pixel_column",
];

/** Where the pixels of a video lie, with the grid that they are of where it is not the target's own: `pixel_row/depth`. */
export const pixelAxes: readonly Axis[] = ["pixel_frame", "pixel_row", "pixel_column"];

export const isPixelAxis = (axis: Axis): boolean => pixelAxes.includes(axis.split("/")[0] ?? "");

/** The pixels of a grid: `of` names it, or is empty for that of the target. */
export const pixelAxesOf = (of: string): readonly Axis[] =>
  pixelAxes.map((axis) => (of === "" ? axis : `${axis}/${of}`));

/** Families of values over pixels begin with this; they meet no others. */
const pixels = "pixels";

export const isPixelFamily = (family: Family): boolean => family === pixels || family.startsWith(`${pixels}/`);

/** The axis along which two values were joined: it is twice as long, so that it is no longer the axis it was. */
export const joinedAxis = (axis: Axis): Axis => `2×${axis.replace(":", "/")}`;

const waves = "frequency/";

/** The axis of the frequencies along another one. */
export const frequencyAxis = (axis: Axis): Axis => `${waves}${axis.replace(":", "/")}`;

export const isFrequency = (axis: Axis): boolean => axis.startsWith(waves);

/** Whether it was made of another axis, which it can no longer meet: by `concat` or `dft`. */
export const isJoined = (axis: Axis): boolean => axis.startsWith("2×") || isFrequency(axis);

/** The axis that such a one was made of. */
export function unjoined(axis: Axis): Axis {
  if (!isJoined(axis)) return axis;
  return unjoined(axis.slice(isFrequency(axis) ? waves.length : 2).replace("/", ":"));
}

/** Axes that cannot meet: a joined one and another one on the same tokens or channels. Null where all can. */
export function joinedClash(all: readonly (readonly Axis[])[]): readonly [Axis, Axis] | null {
  for (const axes of all)
    for (const joined of axes.filter(isJoined))
      for (const other of all.flat()) if (!axes.includes(other) && areRelated(joined, other)) return [joined, other];
  return null;
}

function areRelated(a: Axis, b: Axis): boolean {
  const [first, second] = [unjoined(a), unjoined(b)];
  const family = familyOfAxis(first);
  return first === second || (family !== null && family === familyOfAxis(second));
}

/** What a value has at each place: features of several kinds, which do not meet. */
export const depths: readonly Axis[] = ["channel", "feature", "hidden", "rgb"];

/** Two of them that different values have, or null. */
export function depthClash(all: readonly (readonly Axis[])[]): readonly [Axis, Axis] | null {
  const found = all.flatMap((axes) => {
    const own = depths.filter((axis) => axes.includes(axis));
    return own.length === 1 ? own : [];
  });
  const [first] = found;
  const other = found.find((axis) => axis !== first);
  return first === undefined || other === undefined ? null : [first, other];
}

const grids: readonly Axis[] = [...gridAxes.video, ...gridAxes.audio];

/** The grid axes that a family has, whichever modality it belongs to. */
export function gridAxesOf(family: Family): readonly Axis[] {
  return family === "video" || family === "audio" ? gridAxes[family] : grids.map((axis) => `${axis}:${family}`);
}

function familyOfAxis(axis: Axis): Family | null {
  if (isPixelAxis(axis)) return axis.replace(/^\w+/, pixels);
  const colon = axis.indexOf(":");
  if (colon >= 0) return axis.slice(colon + 1);
  if (gridAxes.video.includes(axis)) return "video";
  return gridAxes.audio.includes(axis) ? "audio" : null;
}

/** The family whose grid or tokens the axes lie on, null for none; `clash` when there are several. */
export function familyOf(axes: readonly Axis[]): Family | "clash" | null {
  let found: Family | null = null;
  for (const axis of axes) {
    const family = familyOfAxis(axis);
    if (family !== null && found !== null && family !== found) return "clash";
    found ??= family;
  }
  return found;
}

/** The family whose tokens `axes` must be turned into to meet a value over tokens, or null. */
export function needsTokens(axes: readonly Axis[], other: readonly Axis[]): Family | null {
  const family = familyOf(axes);
  if (family === null || family === "clash" || axes.some(isJoined)) return null;
  const overGrid = axes.some((axis) => gridAxesOf(family).includes(axis));
  const meetsTokens = [`token:${family}`, `sequence:${family}`, `key:${family}`].some((axis) => other.includes(axis));
  return overGrid && meetsTokens ? family : null;
}

/** The modality whose target tokens must be laid out over references and target to meet a value over both, or null. */
export function needsSequence(axes: readonly Axis[], other: readonly Axis[]): ModalityName | null {
  for (const modality of ["video", "audio"] as const) {
    const meets = other.includes(`sequence:${modality}`) || other.includes(`key:${modality}`);
    if (axes.includes(`token:${modality}`) && meets) return modality;
  }
  return null;
}

/** Replaces grid axes by the token axis that stands for them, `mel` and `channel` by `channel`. */
export function toTokenAxes(axes: readonly Axis[], family: Family): readonly Axis[] {
  const grid = gridAxesOf(family);
  const first = axes.includes("batch") ? ["batch"] : [];
  const rest = axes.filter((axis) => axis !== "batch" && axis !== "mel" && axis !== "channel" && !grid.includes(axis));
  return [
    ...first,
    `token:${family}`,
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
  "other",
  "sequence",
  "key",
  "token",
  "channel",
  "frame",
  "height",
  "width",
  "step",
  "mel",
  "feature",
  "hidden",
  "rgb",
  "pixel_frame",
  "pixel_row",
  "pixel_column",
  "frequency",
  "part",
];

function inOrder(axes: readonly Axis[]): readonly Axis[] {
  const rank = (axis: Axis) => {
    const place = order.indexOf(axis.split(/[:/]/)[0] ?? "");
    return place < 0 ? order.length : place;
  };
  return axes.toSorted((a, b) => rank(a) - rank(b));
}
