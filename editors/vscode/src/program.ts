/** Which ltxc is started: the project's own first, so that editor and command line agree. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** Variables that it needs besides those of the editor. */
  readonly env: Readonly<Record<string, string>>;
  readonly why: string;
}

/** Without trust always the extension's own: what lies in the project is a program of the project. */
export function programFor(folder: string | null, extension: string): Program {
  if (vscode.workspace.isTrusted) {
    const named = vscode.workspace.getConfiguration("ltxc").get<string>("path", "");
    if (named !== "")
      return named.endsWith("js")
        ? script(named, "the setting ltxc.path")
        : { command: named, args: [], env: {}, why: "the setting ltxc.path" };
    const own = folder === null ? null : join(folder, "node_modules/ltxc/dist/ltxc.mjs");
    if (own !== null && existsSync(own)) return script(own, "the project's own");
  }
  return script(join(extension, "server/dist/ltxc.mjs"), "the extension's own");
}

/** Runs in the editor's Node.js, so that none has to be installed. */
function script(path: string, why: string): Program {
  return { command: process.execPath, args: [path], env: { ELECTRON_RUN_AS_NODE: "1" }, why };
}

/** For a terminal, where `node` is the user's. */
export function commandLine({ command, args, env }: Program, more: readonly string[]): string {
  const first = env["ELECTRON_RUN_AS_NODE"] === undefined ? [command] : ["node", ...args];
  return [...first, ...more]
    .map((word) => (/^[\w./:-]+$/.test(word) ? word : `"${word.replace(/(["\\$`])/g, "\\$1")}"`))
    .join(" ");
}
