/**
 * What is found in a project's data, told in its strategy as well: the run config says where the data lies, the strategy which files of it are
 * read. Data is looked at when a file is opened or saved, not while somebody types.
 */
import { basename, dirname, join } from "node:path";
import { DiagnosticSeverity, type Diagnostic as LspDiagnostic } from "vscode-languageserver";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { entryOf, parseYaml, type YamlNode } from "../../compiler/1-parse/index.ts";
import { Bag, type Diagnostic } from "../../compiler/diagnostics/index.ts";
import { sourceDirectories, strategyName, treePlaceAt, type Analysis } from "../../compiler/service/index.ts";
import { sourceFile, type Span } from "../../compiler/source/index.ts";
import type { Io } from "../shell/io.ts";
import { missingPackage } from "../shell/missing-package.ts";
import { messageOf, rangeOf } from "./convert.ts";
import { isStrategy, pathOf, type Documents } from "./documents.ts";
import { examined } from "./findings.ts";

interface Found {
  readonly config: TextDocument;
  /** What the config says of the strategy's params. */
  readonly params: YamlNode | null;
  readonly findings: readonly Diagnostic[];
}

interface DataFindings {
  /** What was found last, at its places in the strategy as it is now. */
  of(uri: string): readonly LspDiagnostic[];
  /** Looks at the data of a strategy's project; whether there is, or was, something to say. */
  look(uri: string): Promise<boolean>;
}

export function createDataFindings(documents: Documents, io: Io): DataFindings {
  const known = new Map<string, Found>();
  return {
    of(uri) {
      const found = known.get(pathOf(uri));
      const strategy = found === undefined ? null : documents.strategy(pathOf(uri));
      if (found === undefined || strategy === null) return [];
      const { document, analysis } = strategy;
      return found.findings.map((finding) => informationOf(document, finding, spanOf(analysis, finding, found), found));
    },
    async look(uri) {
      const path = pathOf(uri);
      const before = known.has(path);
      const found = isStrategy(path) ? await dataOf(documents, path, io) : null;
      if (found === null || found.findings.length === 0) known.delete(path);
      else known.set(path, found);
      return before || known.has(path);
    },
  };
}

/** Null where no `train.yaml` next to the strategy names it, or where that cannot be read. */
async function dataOf(documents: Documents, path: string, io: Io): Promise<Found | null> {
  const config = documents.at(join(dirname(path), "train.yaml"));
  const own = documents.analysis(path)?.own ?? null;
  if (config === null || own === null) return null;
  const params = sectionOf(config);
  const named = entryOf(params, "name")?.value;
  const name = strategyName(own.tree);
  if (named?.kind !== "scalar" || name === null || named.text !== name.text) return null;
  const found = await examined(config, io, true).catch((error: unknown) => {
    if (missingPackage(error) !== null) return null;
    throw error;
  });
  if (found === null) return null;
  const { root, diagnostics } = found;
  const findings = root === null ? [] : diagnostics.filter((finding) => isAboutData(root, finding));
  return { config, params, findings };
}

function sectionOf(config: TextDocument): YamlNode | null {
  const tree = parseYaml(sourceFile(pathOf(config.uri), config.getText()), new Bag(), "1.1");
  return entryOf(tree, "training_strategy")?.value ?? null;
}

/** Of the files in the data root: those about the settings themselves have other codes. */
function isAboutData(root: YamlNode, { code, span }: Diagnostic): boolean {
  const section = treePlaceAt(root, span.start)?.path[0];
  return (
    (section === "data" && /^LTX6[13]/.test(code)) || (section === "training_strategy" && code.startsWith("LTX61"))
  );
}

/** The source that a finding names, or whose directory it names; else the first place that is about all sources. */
function spanOf(analysis: Analysis, { message, help = "" }: Diagnostic, { params }: Found): Span {
  const inside = ({ start }: Span) => start <= analysis.file.text.length;
  const text = `${message} ${help}`;
  const value = (name: string) => {
    const node = entryOf(params, name)?.value;
    return node?.kind === "scalar" ? node.text : null;
  };
  const sources = sourceDirectories(analysis, value);
  const named =
    sources.find(({ name }) => text.includes(`source \`${name}\``)) ??
    sources.find(({ directory }) => directory !== "" && mentions(text, directory));
  const tree = analysis.own?.tree ?? null;
  const general = (["sources", "extends", "strategy"] as const).flatMap((key) => entryOf(tree, key)?.keySpan ?? []);
  return [...(named === undefined ? [] : [named.span]), ...general].find(inside) ?? { start: 0, end: 0 };
}

/** Whether a text has a directory as a part of a path. */
function mentions(text: string, directory: string): boolean {
  const parts = text.split(/[\s`'",;:()]+/).map((word) => `/${word.replaceAll("\\", "/")}/`);
  return parts.some((part) => part.includes(`/${directory.replaceAll("\\", "/")}/`));
}

function informationOf(document: TextDocument, finding: Diagnostic, span: Span, { config }: Found): LspDiagnostic {
  const name = basename(pathOf(config.uri));
  return {
    range: rangeOf(document, span),
    severity: DiagnosticSeverity.Information,
    code: finding.code,
    source: "ltxc",
    message: `in the data that ${name} names: ${messageOf(finding)}`,
    relatedInformation: [
      { location: { uri: config.uri, range: rangeOf(config, finding.span) }, message: `where ${name} names it` },
    ],
  };
}
