/** Talks to the YAML language server that editors run, for tests. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import {
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
} from "vscode-jsonrpc/node.js";

/** Lines and columns from 0, as the protocol counts them. */
interface Position {
  readonly line: number;
  readonly character: number;
}

export interface EditorDiagnostic {
  readonly range: { readonly start: Position; readonly end: Position };
  readonly message: string;
  /** 1 is an error, 2 a warning. */
  readonly severity: number;
}

export interface Editor {
  /** Opens a file, whose text does not have to be on the disk, and waits for what the server reports about it. */
  open(path: string, text: string): Promise<readonly EditorDiagnostic[]>;
  /** Replaces an opened file's text by `text` without its first `|`; labels of what the server offers at the `|`. */
  complete(path: string, text: string): Promise<readonly string[]>;
  /** The text that is shown when the pointer is over the first `word` in an opened file. */
  hover(path: string, word: string): Promise<string>;
  close(): Promise<void>;
}

const settings = {
  yaml: { validate: true, hover: true, completion: true, schemaStore: { enable: false }, format: { enable: false } },
};

/** Starts the server for a folder, as an editor does that opens it. */
export async function startEditor(folder: string): Promise<Editor> {
  const { connection, ended } = startServer();
  const waiting = new Map<string, (diagnostics: readonly EditorDiagnostic[]) => void>();
  answerServer(connection, (uri, diagnostics) => waiting.get(uri)?.(diagnostics));
  await initialize(connection, folder);
  const texts = createTexts(connection);
  return {
    async open(path, text) {
      const found = new Promise<readonly EditorDiagnostic[]>((resolve) => waiting.set(uriOf(path), resolve));
      await texts.show(path, text);
      return found;
    },
    async complete(path, text) {
      const at = text.indexOf("|");
      await texts.show(path, text.slice(0, at) + text.slice(at + 1));
      const list = await connection.sendRequest<{ items: { label: string }[] }>("textDocument/completion", {
        textDocument: { uri: uriOf(path) },
        position: positionOf(text, at),
      });
      return list.items.map(({ label }) => label);
    },
    async hover(path, word) {
      const text = texts.of(path);
      const shown = await connection.sendRequest<{ contents: { value: string } } | null>("textDocument/hover", {
        textDocument: { uri: uriOf(path) },
        position: positionOf(text, text.indexOf(word) + 1),
      });
      return shown?.contents.value ?? "";
    },
    async close() {
      await connection.sendRequest("shutdown");
      await connection.sendNotification("exit");
      await ended;
      connection.dispose();
    },
  };
}

const uriOf = (path: string): string => pathToFileURL(path).href;

/** The server's process; `ended` resolves when it has ended. */
function startServer(): { readonly connection: MessageConnection; readonly ended: Promise<void> } {
  const program = createRequire(import.meta.url).resolve("yaml-language-server/bin/yaml-language-server");
  const child = spawn(process.execPath, [program, "--stdio"], { stdio: ["pipe", "pipe", "ignore"] });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const [input, output] = [new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin)];
  return { connection: createMessageConnection(input, output), ended };
}

/** Answers what the server asks for, and passes on what it finds. */
function answerServer(
  connection: MessageConnection,
  onDiagnostics: (uri: string, diagnostics: readonly EditorDiagnostic[]) => void,
): void {
  connection.onRequest("workspace/configuration", ({ items }: { items: { section: string }[] }) =>
    items.map(({ section }) => (section === "yaml" ? settings.yaml : {})),
  );
  connection.onRequest("client/registerCapability", () => null);
  connection.onNotification(
    "textDocument/publishDiagnostics",
    ({ uri, diagnostics }: { uri: string; diagnostics: EditorDiagnostic[] }) => onDiagnostics(uri, diagnostics),
  );
  connection.listen();
}

async function initialize(connection: MessageConnection, folder: string): Promise<void> {
  await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri: uriOf(folder),
    workspaceFolders: [{ uri: uriOf(folder), name: "project" }],
    capabilities: {
      workspace: { configuration: true, workspaceFolders: true },
      textDocument: { hover: { contentFormat: ["markdown"] }, completion: { completionItem: {} } },
    },
  });
  await connection.sendNotification("initialized", {});
  await connection.sendNotification("workspace/didChangeConfiguration", { settings });
}

/** The texts that the server was shown. `show` opens a file, or replaces the text of one that is open. */
function createTexts(connection: MessageConnection) {
  const texts = new Map<string, string>();
  let version = 0;
  return {
    of: (path: string): string => texts.get(uriOf(path)) ?? "",
    async show(path: string, text: string): Promise<void> {
      const uri = uriOf(path);
      const isNew = !texts.has(uri);
      texts.set(uri, text);
      version += 1;
      if (isNew) {
        const textDocument = { uri, languageId: "yaml", version, text };
        await connection.sendNotification("textDocument/didOpen", { textDocument });
      } else {
        const change = { textDocument: { uri, version }, contentChanges: [{ text }] };
        await connection.sendNotification("textDocument/didChange", change);
      }
    },
  };
}

function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
}
