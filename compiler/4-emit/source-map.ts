import { addMapping, GenMapping, setSourceContent, toEncodedMap } from "@jridgewell/gen-mapping";
import { locate, positionAt, type SourceFile } from "../source/source-file.ts";
import type { Segment } from "./typescript/code.ts";

/** The source map of generated text, as JSON. */
export function sourceMap(segments: readonly Segment[], generated: string, file: SourceFile): string {
  const map = new GenMapping({ file: generated });
  for (const { path, text } of [file, ...file.bases]) setSourceContent(map, path, text);
  for (const { line, column, offset } of segments) {
    const place = { line: line + 1, column };
    if (offset === null) {
      addMapping(map, { generated: place });
      continue;
    }
    const original = positionAt(file, offset);
    addMapping(map, {
      generated: place,
      source: locate(file, offset).file.path,
      original: { line: original.line, column: original.column - 1 },
    });
  }
  return JSON.stringify(toEncodedMap(map));
}
