/** The language server: requests of the protocol go to functions of `compiler/service`, and to those for run configs. */
import {
  CodeActionKind,
  createConnection,
  MarkupKind,
  ProposedFeatures,
  ResponseError,
  TextDocumentSyncKind,
  type Connection,
  type InitializeParams,
  type InitializeResult,
  type Position,
} from "vscode-languageserver/node.js";
import { documentSymbols, tokenTypes } from "../../compiler/service/index.ts";
import type { Io } from "../shell/io.ts";
import { packageVersion } from "../shell/package-root.ts";
import { declarationOf, definitionInConfig, isName, isRunConfig } from "./config-names.ts";
import { rangeOf, symbolOf, type CompletionClient } from "./convert.ts";
import { Documents, isStrategy, pathOf, type Strategy } from "./documents.ts";
import { publishFindings } from "./publish.ts";
import { completionInConfig, hoverInConfig } from "./run-config.ts";
import * as features from "./strategy-features.ts";

/** What an editor may say of itself when it starts the server. */
interface Client extends CompletionClient {
  /** Commands of lenses that it knows. */
  readonly commands: readonly string[];
  /** Whether another server checks and completes YAML by its schema. */
  readonly hasYamlServer: boolean;
  /** Whether it asks for the edits of an action when somebody chooses that. */
  readonly asksForEdits: boolean;
}

const unknownClient: Client = {
  commands: [],
  hasYamlServer: false,
  asksForEdits: false,
  withSnippets: false,
  asksLater: false,
  sharesRange: false,
};

/** Serves one editor over stdin and stdout, and resolves when it has gone. */
export function serve(io: Io, input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Promise<void> {
  const connection = createConnection(ProposedFeatures.all, input, output);
  const documents = new Documents();
  let client = unknownClient;
  connection.onInitialize((params) => {
    client = clientOf(params);
    documents.setFolders(foldersOf(params));
    return capabilities;
  });
  publishFindings(connection, documents, io, () => !client.hasYamlServer);
  answerCompletions(connection, documents, () => client);
  answerPlaces(connection, documents, () => client);
  answerNames(connection, documents);
  answerWholeFiles(connection, documents, () => client);
  return new Promise((resolve) => {
    connection.onExit(() => resolve());
    connection.listen();
  });
}

const capabilities: InitializeResult = {
  serverInfo: { name: "ltxc", version: packageVersion() },
  capabilities: {
    textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: true },
    completionProvider: { triggerCharacters: [".", " ", "{", "(", ","], resolveProvider: true },
    hoverProvider: true,
    signatureHelpProvider: { triggerCharacters: ["(", ","] },
    definitionProvider: true,
    referencesProvider: true,
    renameProvider: { prepareProvider: true },
    documentSymbolProvider: true,
    foldingRangeProvider: true,
    inlayHintProvider: true,
    documentFormattingProvider: true,
    codeActionProvider: {
      codeActionKinds: [CodeActionKind.QuickFix, CodeActionKind.SourceFixAll],
      resolveProvider: true,
    },
    codeLensProvider: { resolveProvider: false },
    semanticTokensProvider: { legend: { tokenTypes: [...tokenTypes], tokenModifiers: ["declaration"] }, full: true },
  },
};

function clientOf({ initializationOptions, capabilities: known }: InitializeParams): Client {
  const options = (initializationOptions ?? {}) as { readonly commands?: unknown; readonly yamlServer?: unknown };
  const { completionItem, completionList } = known.textDocument?.completion ?? {};
  return {
    commands: Array.isArray(options.commands) ? options.commands.map(String) : [],
    hasYamlServer: options.yamlServer === true,
    asksForEdits: known.textDocument?.codeAction?.resolveSupport?.properties.includes("edit") === true,
    withSnippets: completionItem?.snippetSupport === true,
    asksLater: completionItem?.resolveSupport?.properties.includes("documentation") === true,
    sharesRange: completionList?.itemDefaults?.includes("editRange") === true,
  };
}

function foldersOf({ workspaceFolders, rootUri }: InitializeParams): readonly string[] {
  const folders = workspaceFolders?.map(({ uri }) => pathOf(uri)) ?? [];
  return folders.length > 0 || rootUri === null ? folders : [pathOf(rootUri)];
}

// ----------------------------------------------------------------------------------------------------------------- requests

const isConfig = (documents: Documents, uri: string): boolean =>
  isRunConfig(pathOf(uri), documents.at(pathOf(uri))?.getText() ?? "");

/** Completions, and the text about one of those that were offered last. */
function answerCompletions(connection: Connection, documents: Documents, client: () => Client): void {
  let [offered, last]: [number, features.Offer | null] = [0, null];
  connection.onCompletion(async ({ textDocument: { uri }, position }) => {
    const { withSnippets, hasYamlServer, asksLater } = client();
    if (isConfig(documents, uri)) return completionInConfig(documents, uri, position, !hasYamlServer, withSnippets);
    if (!isStrategy(pathOf(uri))) return [];
    const around = await features.filesAround(documents, uri, position);
    const offer = features.completionAt(documents, uri, position, around, client());
    [offered, last] = [offered + 1, offer];
    if (offer === null || !asksLater) return offer?.list ?? [];
    return { ...offer.list, items: offer.list.items.map((item, index) => ({ ...item, data: [offered, index] })) };
  });
  connection.onCompletionResolve((item) => {
    const [of, index] = Array.isArray(item.data) ? (item.data as readonly unknown[]) : [];
    const value = of === offered && typeof index === "number" ? (last?.explain(index) ?? "") : "";
    return value === "" ? item : { ...item, documentation: { kind: MarkupKind.Markdown, value } };
  });
}

/** What is asked of one place in a file. */
function answerPlaces(connection: Connection, documents: Documents, client: () => Client): void {
  connection.onHover(({ textDocument: { uri }, position }) => {
    if (isConfig(documents, uri)) return hoverInConfig(documents, uri, position, !client().hasYamlServer);
    return isStrategy(pathOf(uri)) ? features.hoverAt(documents, uri, position) : null;
  });
  connection.onSignatureHelp(({ textDocument: { uri }, position }) =>
    isStrategy(pathOf(uri)) ? features.signatureAt(documents, uri, position) : null,
  );
  connection.onDefinition(({ textDocument: { uri }, position }) => {
    if (isConfig(documents, uri)) return definitionInConfig(documents, uri, position);
    return isStrategy(pathOf(uri)) ? features.definitionAt(documents, uri, position) : [];
  });
}

function answerNames(connection: Connection, documents: Documents): void {
  /** The place in a strategy that gives the name at a place, which may be one in a run config. */
  const given = (uri: string, position: Position): features.NamePlace | null => {
    const document = documents.at(pathOf(uri));
    if (document === null) return null;
    if (isStrategy(pathOf(uri))) return { uri, position, span: null };
    const found = isConfig(documents, uri) ? declarationOf(documents, uri, position) : null;
    if (found === null || !isName(found)) return null;
    return { uri: found.uri, position: found.document.positionAt(found.span.start), span: found.pointed.span };
  };
  connection.onReferences(({ textDocument: { uri }, position, context }) => {
    const at = given(uri, position);
    return at === null ? [] : features.referencesAt(documents, at.uri, at.position, context.includeDeclaration);
  });
  connection.onPrepareRename(({ textDocument: { uri }, position }) => {
    const at = given(uri, position);
    const document = documents.at(pathOf(uri));
    const found = at === null ? null : features.occurrencesAt(documents, at.uri, at.position);
    if (at === null || found === null || document === null) return null;
    const why = features.unwritable(found);
    if (why !== null) throw new ResponseError(-32_602, why);
    return { range: rangeOf(document, at.span ?? found.span), placeholder: found.name };
  });
  connection.onRenameRequest(({ textDocument: { uri }, position, newName }) => {
    const at = given(uri, position);
    return at === null ? null : features.renameAt(documents, at.uri, at.position, newName);
  });
}

function answerWholeFiles(connection: Connection, documents: Documents, client: () => Client): void {
  /** `answer` of an open strategy, otherwise `otherwise`. */
  const ofStrategy = <T>(
    uri: string,
    otherwise: T,
    answer: (document: Strategy["document"], analysis: Strategy["analysis"]) => T,
  ): T => {
    const found = isStrategy(pathOf(uri)) ? documents.strategy(pathOf(uri)) : null;
    return found === null ? otherwise : answer(found.document, found.analysis);
  };
  connection.onDocumentSymbol(({ textDocument: { uri } }) =>
    ofStrategy(uri, [], (document, analysis) => documentSymbols(analysis).map((symbol) => symbolOf(document, symbol))),
  );
  connection.onFoldingRanges(({ textDocument: { uri } }) =>
    ofStrategy(uri, [], (_, analysis) => features.foldingRanges(analysis)),
  );
  connection.languages.inlayHint.on(({ textDocument: { uri } }) => ofStrategy(uri, [], features.hintsOf));
  connection.languages.semanticTokens.on(({ textDocument: { uri } }) =>
    ofStrategy(uri, { data: [] }, features.tokensOf),
  );
  connection.onDocumentFormatting(({ textDocument: { uri } }) => ofStrategy(uri, [], features.formatAll));
  connection.onCodeLens(({ textDocument: { uri } }) =>
    ofStrategy(uri, [], (document, analysis) => features.lensesOf(document, analysis, client().commands)),
  );
  connection.onCodeAction((params) =>
    isStrategy(pathOf(params.textDocument.uri)) ? features.codeActions(documents, params, client().asksForEdits) : [],
  );
  connection.onCodeActionResolve((action) => features.fixedAll(documents, action));
}
