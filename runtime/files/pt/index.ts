export { readPt, withPt } from "./read.ts";
export { readDescription, readTypes, type EntryType } from "./shapes.ts";
export { toFloat32 } from "./contiguous.ts";
export { isTensor, PtTensor, type PtStorage, type PtValue } from "./value.ts";
export { checkWhole } from "./whole.ts";
export { writePt } from "./write.ts";
export type { EntryToWrite, TensorToWrite } from "./to-write.ts";
