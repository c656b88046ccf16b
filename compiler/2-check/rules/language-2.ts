/** What version 2 of the language no longer takes. */
import type { StrategySyntax } from "../../1-parse/syntax.ts";
import type { SourceFile } from "../../source/source-file.ts";
import { axesByPosition } from "../axis-by-name.ts";
import type { Report } from "../report.ts";

/** Files that a strategy extends keep their own version: only what the file itself writes is judged. */
export function languageTwo(syntax: StrategySyntax, file: SourceFile, report: Report): void {
  if (syntax.language?.value !== 2) return;
  for (const { span } of axesByPosition(syntax)) {
    if (span.start > file.text.length) continue;
    const name = report.textAt(span) ?? "frame";
    const title = `write \`axis=${name}\``;
    report.error("LTX4050", span, "in version 2 of the language an axis of a reduction is named", {
      help: `${title}: \`max(x, axis=frame)\` reduces, \`max(x, y)\` compares; \`ltxc fmt --upgrade\` rewrites a whole file`,
      fix: { title, edits: [{ span: { start: span.start, end: span.start }, text: "axis=" }] },
    });
  }
}
