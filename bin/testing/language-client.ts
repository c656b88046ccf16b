/** A client of `ltxc lsp`, as an editor is one, for tests. */
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  CompletionRequest,
  createProtocolConnection,
  DefinitionRequest,
  DidChangeTextDocumentNotification,
  DidOpenTextDocumentNotification,
  DidSaveTextDocumentNotification,
  ExitNotification,
  HoverRequest,
  InitializedNotification,
  InitializeRequest,
  PublishDiagnosticsNotification,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter,
  type ClientCapabilities,
  type CompletionItem,
  type Diagnostic,
  type InitializeResult,
  type Location,
  type Position,
  type ProtocolConnection,
  type TextEdit,
} from "vscode-languageserver-protocol/node.js";

interface At {
  readonly textDocument: { readonly uri: string };
  readonly position: Position;
}

export interface LanguageClient {
  readonly server: InitializeResult;
  readonly process: ChildProcess;
  /** Opens a file, whose text does not have to be on the disk, and waits for what the server finds in it. */
  open(path: string, text: string): Promise<readonly Diagnostic[]>;
  /** Replaces a piece of an open file by another, as typing does; `null` waits for no findings. */
  edit(path: string, from: string, to: string): Promise<readonly Diagnostic[]>;
  /** Types `text` at an offset without waiting. */
  type(path: string, offset: number, text: string): Promise<void>;
  save(path: string): Promise<readonly Diagnostic[]>;
  /** The next findings of the text as it is that are of a kind, such as those that come later. */
  until(path: string, accepts: (found: readonly Diagnostic[]) => boolean): Promise<readonly Diagnostic[]>;
  /** The text as the client has it. */
  text(path: string): string;
  /** What is offered at the `|` of a piece, which is typed in place of the same piece without it. */
  complete(path: string, offset: number): Promise<readonly CompletionItem[]>;
  hover(path: string, piece: string): Promise<string>;
  definition(path: string, piece: string): Promise<readonly Location[]>;
  /** Any other request about a file; `position` is that of the `|` in a piece. */
  ask<P, R>(type: { readonly method: string }, params: P): Promise<R>;
  at(path: string, piece: string): At;
  close(): Promise<void>;
}

const program = join(fileURLToPath(new URL("..", import.meta.url)), "ltxc.ts");

export const uriOf = (path: string): string => pathToFileURL(path).href;

/** Starts a server for a folder; `command` is another way to start it. */
export async function startClient(
  folder: string,
  options: object = {},
  command: readonly string[] = ["--import", "tsx", program, "lsp"],
  capabilities: ClientCapabilities = { textDocument: { completion: { completionItem: { snippetSupport: true } } } },
): Promise<LanguageClient> {
  const child = spawn(process.execPath, command, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const connection = createProtocolConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  const waiting: Waiting = new Map();
  connection.onNotification(PublishDiagnosticsNotification.type, ({ uri, version, diagnostics }) => {
    const asked = waiting.get(uri);
    // Those of an earlier text may be on their way.
    if (asked !== undefined && (version ?? asked.version) >= asked.version && asked.accepts(diagnostics))
      asked.resolve(diagnostics);
  });
  connection.listen();
  const server = await connection.sendRequest(InitializeRequest.type, {
    processId: process.pid,
    rootUri: uriOf(folder),
    workspaceFolders: [{ uri: uriOf(folder), name: "project" }],
    initializationOptions: options,
    capabilities,
  });
  await connection.sendNotification(InitializedNotification.type, {});
  return client(connection, { server, process: child, ended, waiting });
}

/** Who waits for the findings of a file, and of which text. */
type Waiting = Map<
  string,
  {
    readonly version: number;
    accepts(found: readonly Diagnostic[]): boolean;
    resolve(found: readonly Diagnostic[]): void;
  }
>;

interface Started {
  readonly server: InitializeResult;
  readonly process: ChildProcess;
  readonly ended: Promise<void>;
  readonly waiting: Waiting;
}

interface FindingsAsked {
  readonly isOfNext?: boolean;
  readonly accepts?: (found: readonly Diagnostic[]) => boolean;
}

/** The texts as the client has them, and their changes. */
function createTexts(connection: ProtocolConnection, waiting: Started["waiting"]) {
  const texts = new Map<string, string>();
  let version = 0;
  const versions = new Map<string, number>();
  const textOf = (path: string) => texts.get(path) ?? "";
  return {
    textOf,
    /** Those of the next change, or of the text as it is. */
    findings: (
      path: string,
      { isOfNext = true, accepts = (): boolean => true }: FindingsAsked = {},
    ): Promise<readonly Diagnostic[]> =>
      new Promise((resolve) =>
        waiting.set(uriOf(path), { version: isOfNext ? version + 1 : (versions.get(path) ?? 0), accepts, resolve }),
      ),
    at(path: string, piece: string): At {
      const found = textOf(path).indexOf(piece.replace("|", ""));
      if (found < 0) throw new Error(`there is no ${piece}`);
      const position = positionOf(textOf(path), found + Math.max(0, piece.indexOf("|")));
      return { textDocument: { uri: uriOf(path) }, position };
    },
    async show(path: string, text: string): Promise<void> {
      texts.set(path, text);
      versions.set(path, ++version);
      const languageId = path.endsWith(".strategy") ? "strategy" : "yaml";
      const textDocument = { uri: uriOf(path), languageId, version, text };
      await connection.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
    },
    async replace(path: string, start: number, length: number, to: string): Promise<void> {
      const text = textOf(path);
      const range = { start: positionOf(text, start), end: positionOf(text, start + length) };
      texts.set(path, text.slice(0, start) + to + text.slice(start + length));
      versions.set(path, ++version);
      const change = { textDocument: { uri: uriOf(path), version }, contentChanges: [{ range, text: to }] };
      await connection.sendNotification(DidChangeTextDocumentNotification.type, change);
    },
  };
}

function client(connection: ProtocolConnection, { server, process: child, ended, waiting }: Started): LanguageClient {
  const { textOf, findings, at, show, replace } = createTexts(connection, waiting);
  return {
    server,
    process: child,
    at,
    text: textOf,
    async open(path, text) {
      const found = findings(path);
      await show(path, text);
      return found;
    },
    async edit(path, from, to) {
      const found = findings(path);
      const start = textOf(path).indexOf(from);
      if (start < 0) throw new Error(`there is no ${from}`);
      await replace(path, start, from.length, to);
      return found;
    },
    type: (path, offset, text) => replace(path, offset, 0, text),
    until: (path, accepts) => findings(path, { isOfNext: false, accepts }),
    async save(path) {
      const found = findings(path, { isOfNext: false });
      await connection.sendNotification(DidSaveTextDocumentNotification.type, { textDocument: { uri: uriOf(path) } });
      return found;
    },
    async complete(path, offset) {
      const position = positionOf(textOf(path), offset);
      const params = { textDocument: { uri: uriOf(path) }, position };
      const found = await connection.sendRequest(CompletionRequest.type, params);
      return Array.isArray(found) ? found : (found?.items ?? []);
    },
    async hover(path, piece) {
      const found = await connection.sendRequest(HoverRequest.type, at(path, piece));
      return found === null ? "" : (found.contents as { value: string }).value;
    },
    async definition(path, piece) {
      return ((await connection.sendRequest(DefinitionRequest.type, at(path, piece))) ?? []) as Location[];
    },
    ask: (type, params) => connection.sendRequest(type.method, params),
    async close() {
      await connection.sendRequest(ShutdownRequest.type);
      await connection.sendNotification(ExitNotification.type);
      await ended;
      connection.dispose();
    },
  };
}

function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
}

/** A text with edits of the protocol made. */
export function edited(text: string, edits: readonly TextEdit[]): string {
  const lines = text.split("\n");
  const offsetOf = ({ line, character }: Position) =>
    lines.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0) + character;
  const inOrder = edits.toSorted((a, b) => offsetOf(b.range.start) - offsetOf(a.range.start));
  return inOrder.reduce(
    (all, { range, newText }) => all.slice(0, offsetOf(range.start)) + newText + all.slice(offsetOf(range.end)),
    text,
  );
}
