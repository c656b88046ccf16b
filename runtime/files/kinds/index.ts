/** "What is this file?": what stands where a checkpoint, a LoRA, data or text is expected, and what is said of it. */
export { containerOf, HEAD_BYTES, isGarbled, isUtf16, type Container } from "./first-bytes.ts";
export { describeFile, judgeFile } from "./judge.ts";
export { helpForNearby } from "./nearby.ts";
export { prefixIn } from "./weights-kind.ts";
export { recognise, type FileKind } from "./recognise.ts";
export { take as takePublished, wordsOf } from "./words.ts";
