/** What is wrong with an open file, for the editor to show. Nothing of the project runs: imported functions are read, and bundled, at most. */
import { dirname } from "node:path";
import { DiagnosticSeverity, type Diagnostic as LspDiagnostic } from "vscode-languageserver";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { compile } from "../../compiler/index.ts";
import { findingsHere } from "../../compiler/service/index.ts";
import { sourceFile } from "../../compiler/source/index.ts";
import { defaultBuild } from "../project/builds.ts";
import { describeStrategy } from "../project/config-strategy.ts";
import { forecastStep } from "../project/forecast-step.ts";
import { examineRunConfig, type Examined } from "../project/run-config.ts";
import type { Io } from "../shell/io.ts";
import { missingPackage } from "../shell/missing-package.ts";
import { diagnosticOf, rangeOf } from "./convert.ts";
import { isStrategy, pathOf, type Documents } from "./documents.ts";
import { isRunConfig } from "./config-names.ts";

interface Options {
  /** Whether files are looked at that take time: imported ones, data, checkpoints. Not while somebody types. */
  readonly withFiles: boolean;
  /** Whether no other server checks run configs against their schema. */
  readonly isAlone: boolean;
}

/** Findings that the schema of run configs gives, too. */
const ofSchema = (code: string): boolean => code.startsWith("LTX60") || code.startsWith("LTX1");

/** Null for a file that is none of ltxc. */
export async function findingsOf(
  documents: Documents,
  uri: string,
  io: Io,
  options: Options,
): Promise<LspDiagnostic[] | null> {
  try {
    return await found(documents, uri, io, options);
  } catch (error) {
    if (missingPackage(error) === null || !options.withFiles) throw error;
    const alone = await found(documents, uri, io, { ...options, withFiles: false });
    return alone === null ? null : [...alone, ...leftOut(documents, pathOf(uri))];
  }
}

/** What this program cannot look into where packages are missing, at the key that is about it. */
function leftOut(documents: Documents, path: string): LspDiagnostic[] {
  const document = documents.at(path);
  const [key, what] = isStrategy(path)
    ? (["imports", "imported functions are not looked into"] as const)
    : (["data", "data and model are not looked at"] as const);
  const at = document === null ? -1 : document.getText().search(new RegExp(`^${key}\\s*:`, "m"));
  if (document === null || at < 0) return [];
  return [
    {
      range: rangeOf(document, { start: at, end: at + key.length }),
      severity: DiagnosticSeverity.Information,
      source: "ltxc",
      message: `${what} here: this ltxc came alone, with the editor's extension\nhelp: install ltxc in the project, which is then started instead, or run \`ltxc check\``,
    },
  ];
}

async function found(documents: Documents, uri: string, io: Io, options: Options): Promise<LspDiagnostic[] | null> {
  const path = pathOf(uri);
  const document = documents.at(path);
  if (document === null) return null;
  const text = document.getText();
  if (isStrategy(path)) return ofStrategy(documents, path, options);
  if (!isRunConfig(path, text)) return null;
  const { diagnostics } = await examined(document, io, options.withFiles);
  const shown = options.isAlone ? diagnostics : diagnostics.filter(({ code }) => !ofSchema(code));
  return shown.map((finding) => diagnosticOf(document, finding));
}

/**
 * What is wrong with a run config as it is in the editor, and with its files where they are looked at. That takes the code of its strategy;
 * otherwise the strategy's text is enough.
 */
export function examined(document: TextDocument, io: Io, withFiles: boolean): Promise<Examined> {
  const path = pathOf(document.uri);
  const config = dirname(path);
  const here = { ...io, cwd: config };
  return examineRunConfig(
    here,
    sourceFile(path, document.getText()),
    (section) =>
      withFiles
        ? forecastStep(here, section, { build: defaultBuild, guard: null, config })
        : describeStrategy(here, section, config),
    { withFiles, withPlaces: withFiles },
  );
}

async function ofStrategy(documents: Documents, path: string, { withFiles }: Options): Promise<LspDiagnostic[] | null> {
  const strategy = documents.strategy(path);
  if (strategy === null) return null;
  const { document, analysis } = strategy;
  const hasErrors = analysis.findings.some(({ severity }) => severity === "error");
  const hasImports = (analysis.syntax?.imports.length ?? 0) > 0;
  // Only bundling shows whether what is imported exists and may be read.
  const bundled = withFiles && hasImports && !hasErrors;
  const source = { path, text: document.getText() };
  const findings = bundled ? (await compile(source, { library: documents.library(path) })).diagnostics : null;
  const found = findingsHere(findings === null ? analysis : { ...analysis, findings });
  return found.map((finding) => diagnosticOf(document, finding));
}
