import {
  renderJson,
  summarize,
  renderSarif,
  renderTerminal,
  type JsonExtras,
  type FileReport,
} from "../../compiler/diagnostics/index.ts";
import { colors } from "./color.ts";
import { exitCode } from "./exit.ts";
import { packageVersion } from "./package-root.ts";
import type { Session } from "./session.ts";

export type Format = "terminal" | "json" | "sarif";

/** 1 if a finding is an error; warnings alone are no failure. */
export function codeOf(reports: readonly FileReport[]): number {
  return summarize(reports).errors > 0 ? exitCode.findings : exitCode.ok;
}

/** Prints findings as the result of a command, on stdout; `more` is what else the command reports, for JSON only. */
export function printReport(
  { io, color }: Session,
  reports: readonly FileReport[],
  format: Format,
  more: JsonExtras = {},
): void {
  switch (format) {
    case "terminal":
      return io.out(renderTerminal(reports, colors(color.out)));
    case "json":
      return io.out(renderJson(reports, more));
    case "sarif":
      return io.out(renderSarif(reports, packageVersion()));
  }
}

/** Prints findings that are not the command's result, on stderr. */
export function printFindings({ io, color }: Session, reports: readonly FileReport[]): void {
  io.err(renderTerminal(reports, colors(color.err)));
}
