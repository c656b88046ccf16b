/**
 * Face of the room `data` for the command line: files of tensors, and files that are never left half-written. Apart from
 * `runtime/index.ts`, so that commands that only write files load neither engines nor the model.
 */
export { makeFolder, writeTextAtomically } from "../files/atomic.ts";
export { isTensor, readPt, toFloat32, writePt, type EntryToWrite, type PtValue } from "../files/pt/index.ts";
export { openSafetensors, writeSafetensors } from "../files/safetensors/index.ts";
