/** What version 2 of the language no longer takes. */
import type { StrategySyntax } from "../../1-parse/syntax.ts";
import { axesByPosition } from "../axis-by-name.ts";
import { drawsWithoutAxes } from "../drawn-in-let.ts";
import type { Report } from "../report.ts";

/** Files that a strategy extends keep their own version: only what the file itself writes is judged. */
export function languageTwo(syntax: StrategySyntax, report: Report): void {
  if (syntax.language?.value !== 2) return;
  for (const { span } of drawsWithoutAxes(syntax)) {
    if (!report.isOwn(span)) continue;
    report.error("LTX4042", span, "`randn()` in a `let` does not say how many numbers it draws", {
      help: "write `randn() per sample` for one number in each sample, or name the axes: `randn() per (token:video, channel)`. A name that `noise` uses needs neither",
      fix: { title: "write `randn() per sample`", edits: [{ span, text: "randn() per sample" }] },
    });
  }
  for (const { span } of axesByPosition(syntax)) {
    if (!report.isOwn(span)) continue;
    const name = report.textAt(span) ?? "frame";
    const title = `write \`axis=${name}\``;
    report.error("LTX4050", span, "in version 2 of the language an axis of a reduction is named", {
      help: `${title}: \`max(x, axis=frame)\` reduces, \`max(x, y)\` compares; \`ltxc fmt --upgrade\` rewrites a whole file`,
      fix: { title, edits: [{ span: { start: span.start, end: span.start }, text: "axis=" }] },
    });
  }
}
