/**
 * Face of the room `files` for the command line: files of tensors, and files that are never left half-written, what any file is. Apart from
 * `runtime/index.ts`, so that commands that only write files load neither engines nor the model.
 */
export { makeFolder, makeFolderSync, replaceTextSync, writeTextAtomically } from "./atomic.ts";
export { keptFolder, keptList } from "./kept-sources.ts";
export { leadsOut } from "./links-out.ts";
export {
  linesOf,
  MAX_TEXT_BYTES,
  otherKind,
  readBeginning,
  readBytes,
  readText,
  readTextSync,
  unreadable,
  type Unreadable,
} from "./regular-file.ts";
export { isTensor, readPt, toFloat32, writePt, type EntryToWrite, type PtValue } from "./pt/index.ts";
export { describeFile, helpForNearby, isGarbled } from "./kinds/index.ts";
export { generator, isOwnPage } from "./written-by-us.ts";
export { systemProgram } from "./system-program.ts";
export { openSafetensors, writeSafetensors } from "./safetensors/index.ts";
