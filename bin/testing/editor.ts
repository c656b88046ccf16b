/** Talks to the YAML language server that editors run, for tests. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from "vscode-jsonrpc/node.js";

/** Lines and columns from 0, as the protocol counts them. */
interface Place {
  readonly line: number;
  readonly character: number;
}

export interface EditorDiagnostic {
  readonly range: { readonly start: Place; readonly end: Place };
  readonly message: string;
  /** 1 is an error, 2 a warning. */
  readonly severity: number;
}

export interface Editor {
  /** Opens a file with a text that need not be on the disk, and waits for what the server says about it. */
  open(path: string, text: string): Promise<readonly EditorDiagnostic[]>;
  /** Labels of what the server offers at the first `|` of `text`, which takes the place of an opened file's. */
  complete(path: string, text: string): Promise<readonly string[]>;
  /** What is shown over the first occurrence of `word` in a text that was opened. */
  hover(path: string, word: string): Promise<string>;
  close(): Promise<void>;
}

const settings = {
  yaml: { validate: true, hover: true, completion: true, schemaStore: { enable: false }, format: { enable: false } },
};

/** Starts the server for a folder, as an editor does that opens it. */
export async function startEditor(folder: string): Promise<Editor> {
  const program = createRequire(import.meta.url).resolve("yaml-language-server/bin/yaml-language-server");
  const child = spawn(process.execPath, [program, "--stdio"], { stdio: ["pipe", "pipe", "ignore"] });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const connection = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  const waiting = new Map<string, (diagnostics: readonly EditorDiagnostic[]) => void>();
  const texts = new Map<string, string>();
  connection.onRequest("workspace/configuration", ({ items }: { items: { section: string }[] }) =>
    items.map(({ section }) => (section === "yaml" ? settings.yaml : {})),
  );
  connection.onRequest("client/registerCapability", () => null);
  connection.onNotification(
    "textDocument/publishDiagnostics",
    ({ uri, diagnostics }: { uri: string; diagnostics: EditorDiagnostic[] }) => waiting.get(uri)?.(diagnostics),
  );
  connection.listen();
  let version = 0;
  const uriOf = (path: string) => pathToFileURL(path).href;
  const show = async (path: string, text: string) => {
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
    return uri;
  };
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

  return {
    async open(path, text) {
      const found = new Promise<readonly EditorDiagnostic[]>((resolve) => waiting.set(uriOf(path), resolve));
      await show(path, text);
      return found;
    },
    async complete(path, text) {
      const at = text.indexOf("|");
      const uri = await show(path, text.slice(0, at) + text.slice(at + 1));
      const position = placeOf(text, at);
      const list = await connection.sendRequest<{ items: { label: string }[] }>("textDocument/completion", {
        textDocument: { uri },
        position,
      });
      return list.items.map(({ label }) => label);
    },
    async hover(path, word) {
      const uri = uriOf(path);
      const text = texts.get(uri) ?? "";
      const position = placeOf(text, text.indexOf(word) + 1);
      const shown = await connection.sendRequest<{ contents: { value: string } } | null>("textDocument/hover", {
        textDocument: { uri },
        position,
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

function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
}
