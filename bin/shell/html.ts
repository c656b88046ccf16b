import { escapeControls } from "../../compiler/source/index.ts";

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Text as it may stand in HTML and SVG, between tags and in quoted attributes. Control characters, which HTML cannot hold, and those that
 * change the direction of text are written out.
 */
export function escape(text: string): string {
  const shown = escapeControls(text.replaceAll("\r\n", "\n"));
  return shown.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}
