/** SARIF 2.1.0 (OASIS Standard), for code-scanning services. */
import type { SourceFile } from "../../source/source-file.ts";
import type { Span } from "../../source/span.ts";
import { catalog } from "../catalog/index.ts";
import type { Diagnostic, Fix } from "../diagnostic.ts";
import { placeOf, rangeOf, type FileReport } from "./report.ts";

export function renderSarif(reports: readonly FileReport[], toolVersion: string): string {
  return `${JSON.stringify(toSarif(reports, toolVersion), null, 2)}\n`;
}

export function toSarif(reports: readonly FileReport[], toolVersion: string): Readonly<Record<string, unknown>> {
  const codes = new Set(reports.flatMap(({ diagnostics }) => diagnostics.map((diagnostic) => diagnostic.code)));
  const rules = catalog.filter((entry) => codes.has(entry.code));
  const driver = {
    name: "ltxc",
    version: toolVersion,
    rules: rules.map(({ code, slug, title, explanation }) => ({
      id: code,
      name: slug,
      shortDescription: { text: title },
      fullDescription: { text: explanation },
      help: { text: `ltxc explain ${code}` },
    })),
  };
  const ruleIndex = (code: string) => rules.findIndex((rule) => rule.code === code);
  const results = reports.flatMap(({ file, diagnostics }) =>
    diagnostics.map((diagnostic) => ({ ...result(file, diagnostic), ruleIndex: ruleIndex(diagnostic.code) })),
  );
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{ tool: { driver }, columnKind: "utf16CodeUnits", results }],
  };
}

function result(file: SourceFile, diagnostic: Diagnostic) {
  const { code, severity, message, help, labels, span, fix } = diagnostic;
  return {
    ruleId: code,
    level: severity,
    message: { text: help === undefined ? message : `${message}\nhelp: ${help}` },
    locations: [location(file, span)],
    ...(labels.length === 0
      ? {}
      : {
          relatedLocations: labels.map((label, id) => ({
            id,
            ...location(file, label.span),
            message: { text: label.message },
          })),
        }),
    ...(fix === undefined ? {} : { fixes: [sarifFix(file, fix)] }),
  };
}

function sarifFix(file: SourceFile, fix: Fix) {
  const replacements = fix.edits.map(({ span, text }) => ({
    deletedRegion: region(file, span),
    insertedContent: { text },
  }));
  return {
    description: { text: fix.title },
    artifactChanges: [{ artifactLocation: artifact(file, fix.edits[0]?.span ?? { start: 0, end: 0 }), replacements }],
  };
}

function location(file: SourceFile, span: Span) {
  return { physicalLocation: { artifactLocation: artifact(file, span), region: region(file, span) } };
}

function artifact(file: SourceFile, span: Span) {
  return { uri: encodeURI(placeOf(file, span).path.replaceAll("\\", "/")) };
}

function region(file: SourceFile, span: Span) {
  const { start, end } = rangeOf(file, span);
  return {
    startLine: start.line,
    startColumn: start.column,
    endLine: end.line,
    endColumn: end.column,
    charOffset: placeOf(file, span).span.start,
    charLength: span.end - span.start,
  };
}
