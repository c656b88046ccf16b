/** Between the compiler's data and that of the protocol. */
import {
  CompletionItemKind,
  DiagnosticSeverity,
  DiagnosticTag,
  InsertTextFormat,
  MarkupKind,
  SymbolKind,
  type CompletionItem,
  type Diagnostic as LspDiagnostic,
  type DocumentSymbol as LspSymbol,
  type Range,
  type TextEdit,
} from "vscode-languageserver";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { Diagnostic } from "../../compiler/index.ts";
import type { Completion, DocumentSymbol } from "../../compiler/service/index.ts";
import type { Edit, Span } from "../../compiler/source/index.ts";

export function rangeOf(document: TextDocument, { start, end }: Span): Range {
  return { start: document.positionAt(start), end: document.positionAt(end) };
}

export const editOf = (document: TextDocument, { span, text }: Edit): TextEdit => ({
  range: rangeOf(document, span),
  newText: text,
});

/** Findings that say of something that it is not needed: editors show it paler. */
const unneeded = new Set(["unused"]);

export const messageOf = ({ message, help }: Diagnostic): string =>
  help === undefined ? message : `${message}\nhelp: ${help}`;

export function diagnosticOf(document: TextDocument, finding: Diagnostic): LspDiagnostic {
  const { code, slug, severity, span, labels } = finding;
  return {
    range: rangeOf(document, span),
    severity: severity === "error" ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    code,
    source: "ltxc",
    message: messageOf(finding),
    ...(unneeded.has(slug) ? { tags: [DiagnosticTag.Unnecessary] } : {}),
    relatedInformation: labels.map((label) => ({
      location: { uri: document.uri, range: rangeOf(document, label.span) },
      message: label.message,
    })),
  };
}

const completionKinds: Readonly<Record<Completion["kind"], CompletionItemKind>> = {
  key: CompletionItemKind.Property,
  function: CompletionItemKind.Function,
  field: CompletionItemKind.Field,
  variable: CompletionItemKind.Variable,
  parameter: CompletionItemKind.TypeParameter,
  source: CompletionItemKind.File,
  keyword: CompletionItemKind.Keyword,
  value: CompletionItemKind.EnumMember,
  axis: CompletionItemKind.Unit,
  module: CompletionItemKind.Module,
};

/** What an editor makes of completions. */
export interface CompletionClient {
  /** Whether it knows where a cursor goes in what is inserted. */
  readonly withSnippets: boolean;
  /** Whether it asks for the text about an item when it shows that, and has one range for all items. */
  readonly asksLater: boolean;
  readonly sharesRange: boolean;
}

/** `doc`: the text about it, where it is sent along. */
export function completionOf(
  document: TextDocument,
  completion: Omit<Completion, "doc" | "about" | "is">,
  { withSnippets, sharesRange }: Pick<CompletionClient, "withSnippets" | "sharesRange">,
  doc = "",
): CompletionItem {
  const { label, kind, detail, insert = label, replace, rank } = completion;
  const isSnippet = withSnippets && insert !== label;
  // In a snippet, `$` and `}` of the text itself are written out.
  const plain = isSnippet ? insert : insert.replaceAll(/\$\d/g, "").trimEnd();
  const newText = plain === "" ? label : plain;
  return {
    label,
    kind: completionKinds[kind],
    ...(detail === undefined ? {} : { detail }),
    ...(doc === "" ? {} : { documentation: { kind: MarkupKind.Markdown, value: doc } }),
    sortText: String(rank).padStart(4, "0"),
    ...(isSnippet ? { insertTextFormat: InsertTextFormat.Snippet } : {}),
    ...(sharesRange
      ? newText === label
        ? {}
        : { textEditText: newText }
      : { textEdit: { range: rangeOf(document, replace), newText } }),
  };
}

const symbolKinds: Readonly<Record<DocumentSymbol["kind"], SymbolKind>> = {
  section: SymbolKind.Module,
  parameter: SymbolKind.TypeParameter,
  source: SymbolKind.File,
  value: SymbolKind.Variable,
  function: SymbolKind.Function,
  key: SymbolKind.Property,
};

export function symbolOf(document: TextDocument, { name, kind, span, whole, children }: DocumentSymbol): LspSymbol {
  return {
    name,
    kind: symbolKinds[kind],
    range: rangeOf(document, whole),
    selectionRange: rangeOf(document, span),
    children: children.map((child) => symbolOf(document, child)),
  };
}

/** The smallest change that makes one text of another, so that cursors stay where they are. */
export function changeOf(document: TextDocument, next: string): TextEdit[] {
  const text = document.getText();
  if (text === next) return [];
  let start = 0;
  while (start < Math.min(text.length, next.length) && text[start] === next[start]) start += 1;
  let tail = 0;
  while (
    tail < Math.min(text.length, next.length) - start &&
    text[text.length - 1 - tail] === next[next.length - 1 - tail]
  )
    tail += 1;
  const span = { start, end: text.length - tail };
  return [editOf(document, { span, text: next.slice(start, next.length - tail) })];
}
