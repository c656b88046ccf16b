/** Texts of numbers, shapes and sizes, the same in the terminal and on the page. */
import type { VideoGrid } from "../../runtime/contract.ts";
import type { ValueRow } from "./inspection.ts";
import type { ModalityName } from "../probe/observe.ts";
import { shortNumber } from "../probe/locations.ts";

/** `40 %`, `0.3 %`: only exactly nothing is `0 %`, and only exactly everything is `100 %`. */
export function percent(share: number): string {
  const rounded = Number((share * 100).toPrecision(share < 0.01 ? 1 : 3));
  if (rounded >= 100 && share < 1) return "99.9 %";
  return `${rounded} %`;
}

export const shapeText = ({ shape }: ValueRow): string => (shape.length === 0 ? "-" : shape.join(" x "));

/** `true 40 %` of a mask, `-3.1 to 2.9, mean 0.01` of numbers. */
export function rangeText({ dtype, min, mean, max, notFinite }: ValueRow): string {
  const broken = notFinite > 0 ? `${notFinite} not finite` : "";
  if (min > max) return broken;
  const digits = (value: number) => shortNumber(Number(value.toPrecision(4)));
  const range = min === max ? digits(min) : `${digits(min)} to ${digits(max)}, mean ${digits(mean)}`;
  const text = dtype === "bool" ? `true ${percent(mean)}` : range;
  return broken === "" ? text : `${text}, ${broken}`;
}

/** "5 x 8 x 12 latent cells", "24 steps". */
export function gridText(modality: ModalityName, { frames, height, width }: VideoGrid): string {
  return modality === "audio" ? `${frames} steps` : `${frames} x ${height} x ${width} latent cells`;
}
