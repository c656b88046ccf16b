/** Face of the room `verify` for the command line: what files of checkpoints, data, runs and caches are whole. Loads no engine. */
export { findFiles, type FoundFile, type FoundFiles } from "./find-files.ts";
export { cannotRead, notAFile, nothingToVerify, verifyFile } from "./verify-file.ts";
