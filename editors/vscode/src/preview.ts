/** The page of `ltxc inspect` beside a strategy: its masks on the token grid, drawn again while it is edited. */
import { spawn, type ChildProcess } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import * as vscode from "vscode";
import { programFor } from "./program";

/** How long nobody types before it is drawn again, ms. */
const QUIET = 600;

interface Preview {
  readonly panel: vscode.WebviewPanel;
  readonly document: vscode.TextDocument;
  timer: NodeJS.Timeout | null;
  running: ChildProcess | null;
}

export class Previews implements vscode.Disposable {
  readonly #open = new Map<string, Preview>();
  readonly #extension: string;
  readonly #listener: vscode.Disposable;

  constructor(extension: string) {
    this.#extension = extension;
    this.#listener = vscode.workspace.onDidChangeTextDocument(({ document }) => this.#soon(document.uri.toString()));
  }

  /** Only with trust: to look at values, imported functions run. */
  show(document: vscode.TextDocument | undefined): void {
    if (document?.languageId !== "strategy" || !vscode.workspace.isTrusted) return;
    const key = document.uri.toString();
    const known = this.#open.get(key);
    if (known !== undefined) return known.panel.reveal(vscode.ViewColumn.Beside, true);
    const title = `${basename(document.fileName)}: masks`;
    const panel = vscode.window.createWebviewPanel(
      "ltxc.preview",
      title,
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
      { enableScripts: false },
    );
    this.#open.set(key, { panel, document, timer: null, running: null });
    panel.onDidDispose(() => this.#close(key));
    this.#soon(key, 0);
  }

  dispose(): void {
    this.#listener.dispose();
    for (const { panel } of this.#open.values()) panel.dispose();
  }

  #close(key: string): void {
    const preview = this.#open.get(key);
    if (preview?.timer != null) clearTimeout(preview.timer);
    preview?.running?.kill();
    this.#open.delete(key);
  }

  #soon(key: string, delay = QUIET): void {
    const preview = this.#open.get(key);
    if (preview === undefined) return;
    if (preview.timer !== null) clearTimeout(preview.timer);
    preview.timer = setTimeout(() => void this.#draw(preview), delay);
  }

  /** The text as it is in the editor goes into a file next to the strategy, so that what it extends and imports is found. */
  async #draw(preview: Preview): Promise<void> {
    const { document, panel } = preview;
    preview.running?.kill();
    const folder = dirname(document.fileName);
    // Files that begin with `._` are not taken for strategies of the folder.
    const path = join(folder, `._${basename(document.fileName)}`);
    await writeFile(path, document.getText());
    const program = programFor(vscode.workspace.getWorkspaceFolder(document.uri)?.uri.fsPath ?? null, this.#extension);
    const child = spawn(program.command, [...program.args, "inspect", basename(path), "--html", "-"], {
      cwd: folder,
      env: { ...process.env, ...program.env },
    });
    preview.running = child;
    let [page, errors] = ["", ""];
    child.stdout.on("data", (part) => (page += String(part)));
    child.stderr.on("data", (part) => (errors += String(part)));
    child.on("close", (code) => {
      void rm(path, { force: true });
      if (preview.running !== child) return;
      preview.running = null;
      // The last good page stays while the strategy is wrong: findings stand in the editor.
      if (page !== "" && code === 0) panel.webview.html = page;
      else if (panel.webview.html === "") panel.webview.html = `<pre>${escaped(errors)}</pre>`;
    });
  }
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
