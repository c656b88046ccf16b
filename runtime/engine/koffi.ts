/** koffi calls functions of C libraries. It is an optional dependency: there is no binary of it for every platform. */
export type Koffi = typeof import("koffi");

/** Throws, in words for the user, if it is not installed. */
export function koffiOf(require: NodeJS.Require): Koffi {
  try {
    return require("koffi") as Koffi;
  } catch (error) {
    throw new Error("the package koffi is not installed, through which PyTorch is called", { cause: error });
  }
}
