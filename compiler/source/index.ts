/** Source texts and places in them. */
export type { Edit } from "./edits.ts";
export { escapeControls, jsonText, onOneLine } from "../../runtime/escape.ts";
export { hashOf } from "./hash.ts";
export { endOffset, locate, positionAt, sourceFile, textAt, type SourceFile } from "./source-file.ts";
export type { Span } from "./span.ts";
export { isWithin, projectRootOf } from "./project-root.ts";
