/** When findings are looked for, and sent. */
import type { Connection, Diagnostic } from "vscode-languageserver/node.js";
import type { Io } from "../shell/io.ts";
import { createDataFindings } from "./data-findings.ts";
import { isStrategy, pathOf, type Documents } from "./documents.ts";
import { findingsOf } from "./findings.ts";
import { KeptFindings } from "./kept-findings.ts";
import { warmUp } from "./warm-up.ts";

/** How long nobody types before findings are looked for, ms. */
const QUIET = 120;

/** Keeps the texts, and says what is wrong with them whenever nobody has typed for a moment. `isAlone`: see `findingsOf`. */
export function publishFindings(connection: Connection, documents: Documents, io: Io, isAlone: () => boolean): void {
  const { soon, forget } = createPublisher(connection, documents, io, isAlone);
  let isWarm = false;
  connection.onDidOpenTextDocument(({ textDocument: { uri, languageId, version, text } }) => {
    documents.open(uri, languageId, version, text);
    soon(uri, true, 0);
    if (isWarm || !isStrategy(pathOf(uri))) return;
    isWarm = true;
    warmUp(
      () => documents.checkAnew(pathOf(uri)),
      () => documents.versionOf(uri) !== version,
    );
  });
  connection.onDidChangeTextDocument(({ textDocument: { uri, version }, contentChanges }) => {
    documents.change(uri, contentChanges, version);
    soon(uri, false);
  });
  connection.onDidSaveTextDocument(({ textDocument: { uri } }) => {
    soon(uri, true, 0);
    // What extends the file, and run configs that name it, may read otherwise now.
    for (const path of documents.opened) if (documents.uriOf(path) !== uri) soon(documents.uriOf(path), true);
  });
  connection.onDidCloseTextDocument(({ textDocument: { uri } }) => {
    forget(uri);
    documents.close(uri);
    void connection.sendDiagnostics({ uri, diagnostics: [] });
  });
}

interface Waiting {
  readonly timer: NodeJS.Timeout;
  readonly withFiles: boolean;
}

function createPublisher(connection: Connection, documents: Documents, io: Io, isAlone: () => boolean) {
  const waiting = new Map<string, Waiting>();
  const data = createDataFindings(documents, io);
  const kept = new KeptFindings();
  const look = (uri: string, withFiles: boolean) => findingsOf(documents, uri, io, { withFiles, isAlone: isAlone() });
  /** Of a run config, what only its files tell stays while somebody types. */
  const found = async (uri: string, withFiles: boolean): Promise<readonly Diagnostic[] | null> => {
    const text = documents.at(pathOf(uri))?.getText() ?? "";
    if (isStrategy(pathOf(uri))) return look(uri, withFiles);
    const quick = await look(uri, false);
    if (quick === null || !withFiles) return quick === null ? null : [...quick, ...kept.of(uri, text)];
    const all = (await look(uri, true)) ?? quick;
    kept.keep(uri, text, all, quick);
    return all;
  };
  const publish = async (uri: string, withFiles: boolean): Promise<void> => {
    const version = documents.versionOf(uri);
    const all = await found(uri, withFiles);
    const send = async (): Promise<void> => {
      // Of a text that has changed meanwhile, places would be wrong.
      if (all === null || version === null || documents.versionOf(uri) !== version) return;
      await connection.sendDiagnostics({ uri, version, diagnostics: [...all, ...data.of(uri)] });
    };
    await send();
    if (withFiles && (await data.look(uri))) await send();
  };
  return {
    /** Files that were to be looked at are, also where somebody types before that. */
    soon(uri: string, withFiles: boolean, delay = QUIET): void {
      const before = waiting.get(uri);
      clearTimeout(before?.timer);
      const isThorough = withFiles || before?.withFiles === true;
      const go = (): void => {
        waiting.delete(uri);
        void publish(uri, isThorough).catch((error: unknown) => connection.console.error(String(error)));
      };
      waiting.set(uri, { timer: setTimeout(go, delay), withFiles: isThorough });
    },
    forget(uri: string): void {
      clearTimeout(waiting.get(uri)?.timer);
      waiting.delete(uri);
      kept.forget(uri);
    },
  };
}
