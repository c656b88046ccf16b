/** The extension: starts the language server, and adds what only VS Code has: commands, tasks, a preview. */
import * as vscode from "vscode";
import { LanguageClient, type LanguageClientOptions } from "vscode-languageclient/node";
import { newStrategy } from "./new-strategy";
import { Previews } from "./preview";
import { commandLine, programFor } from "./program";
import { taskProvider } from "./tasks";

let client: LanguageClient | null = null;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const previews = new Previews(context.extensionPath);
  context.subscriptions.push(
    previews,
    vscode.commands.registerCommand("ltxc.newStrategy", newStrategy),
    vscode.commands.registerCommand("ltxc.preview", () => previews.show(vscode.window.activeTextEditor?.document)),
    vscode.commands.registerCommand("ltxc.test", (uri?: string) => inTerminal(context, "test", uri)),
    vscode.commands.registerCommand("ltxc.inspect", (uri?: string) => inTerminal(context, "inspect", uri)),
    vscode.commands.registerCommand("ltxc.restart", () => restart(context)),
    vscode.tasks.registerTaskProvider("ltxc", taskProvider(context.extensionPath)),
    // Only now may the project's own ltxc be started.
    vscode.workspace.onDidGrantWorkspaceTrust(() => restart(context)),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("ltxc.path")) void restart(context);
    }),
  );
  context.subscriptions.push(vscode.workspace.onDidOpenTextDocument(asStrategy));
  for (const document of vscode.workspace.textDocuments) await asStrategy(document);
  await start(context);
}

/** A project may say that strategies are YAML, for editors without this extension; here they have a language of their own. */
async function asStrategy(document: vscode.TextDocument): Promise<void> {
  if (document.fileName.endsWith(".strategy") && document.languageId === "yaml")
    await vscode.languages.setTextDocumentLanguage(document, "strategy");
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}

async function start(context: vscode.ExtensionContext): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? null;
  const program = programFor(folder, context.extensionPath);
  const run = {
    command: program.command,
    args: [...program.args, "lsp"],
    options: { env: { ...process.env, ...program.env } },
  };
  const options: LanguageClientOptions = {
    documentSelector: [
      { scheme: "file", language: "strategy" },
      { scheme: "file", pattern: "**/*.strategy" },
      { scheme: "file", language: "yaml" },
    ],
    initializationOptions: {
      commands: vscode.workspace.isTrusted ? ["ltxc.test", "ltxc.inspect"] : [],
      // Its findings and completions of run configs come from the same schema.
      yamlServer: vscode.extensions.getExtension("redhat.vscode-yaml") !== undefined,
    },
  };
  client = new LanguageClient("ltxc", "ltxc", run, options);
  client.outputChannel.appendLine(`server: ${program.command} ${program.args.join(" ")} (${program.why})`);
  await client.start();
}

async function restart(context: vscode.ExtensionContext): Promise<void> {
  await client?.stop();
  await start(context);
}

function inTerminal(context: vscode.ExtensionContext, command: "test" | "inspect", uri?: string): void {
  const file = uri === undefined ? vscode.window.activeTextEditor?.document.uri : vscode.Uri.parse(uri);
  if (file === undefined || !vscode.workspace.isTrusted) return;
  const folder = vscode.workspace.getWorkspaceFolder(file)?.uri.fsPath ?? null;
  const terminal =
    vscode.window.terminals.find(({ name }) => name === "ltxc") ??
    vscode.window.createTerminal({ name: "ltxc", ...(folder === null ? {} : { cwd: folder }) });
  terminal.show(true);
  terminal.sendText(commandLine(programFor(folder, context.extensionPath), [command, file.fsPath]));
}
