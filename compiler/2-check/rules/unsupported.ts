import type { StrategySyntax } from "../../1-parse/syntax.ts";
import type { Report } from "../report.ts";

const sections = ["imports"] as const;

/** Names what the language has and this version has not: nothing is ignored in silence. */
export function unsupported(syntax: StrategySyntax, report: Report): void {
  for (const section of sections) {
    const span = syntax.keySpans.get(section);
    if (span !== undefined) report.notSupported(span, `the section \`${section}\``);
  }
}
