/** By which key comments of emitted modules call a value. */
import { locate, type SourceFile } from "../source/source-file.ts";
import type { Span } from "../source/span.ts";

/** `key` as the file has it: a mask that it writes under `noise_mask` is the opposite of `keep`. `span`: of the value in the file. */
export function keyInFile(key: string, source: SourceFile, { start }: Span): string {
  const { file, begin } = locate(source, start);
  const isOpposite = key.endsWith(".keep") && /\bnoise_mask["']?\s*:\s*["']?$/.test(file.text.slice(0, start - begin));
  return isOpposite ? key.replace(/keep$/, "noise_mask") : key;
}
