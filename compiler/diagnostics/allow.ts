/** `# allow: LTX5035 why`: a warning that its author has seen and means. */
import { lineSpan, locate, positionAt, type SourceFile } from "../source/source-file.ts";
import type { Diagnostic } from "./diagnostic.ts";

/** The findings without the warnings that a comment allows: one on their line, or on lines of comments right above it. */
export function withoutAllowed(whole: SourceFile, found: readonly Diagnostic[]): readonly Diagnostic[] {
  return found.filter(({ severity, code, span }) => severity !== "warning" || !isAllowed(whole, span.start, code));
}

function isAllowed(whole: SourceFile, offset: number, code: string): boolean {
  const { file } = locate(whole, offset);
  const { line } = positionAt(whole, offset);
  if (allows(textOf(file, line), code)) return true;
  for (let above = line - 1; above >= 1; above--) {
    const text = textOf(file, above);
    if (!/^\s*#/.test(text)) return false;
    if (allows(text, code)) return true;
  }
  return false;
}

function textOf(file: SourceFile, line: number): string {
  const { start, end } = lineSpan(file, line);
  return file.text.slice(start, end);
}

const allows = (line: string, code: string): boolean =>
  /(?:^|\s)#\s*allow:((?:[\s,]*LTX\d{4})+)/.exec(line)?.[1]?.includes(code) ?? false;
