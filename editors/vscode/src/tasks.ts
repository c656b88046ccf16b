/** `ltxc check`, `compile` and `test` as tasks whose findings appear among the problems. */
import * as vscode from "vscode";
import { programFor } from "./program";

interface Definition extends vscode.TaskDefinition {
  readonly command: string;
  readonly watch?: boolean;
}

export function taskProvider(extension: string): vscode.TaskProvider {
  const make = (definition: Definition): vscode.Task => {
    const folder = vscode.workspace.workspaceFolders?.[0];
    const program = programFor(folder?.uri.fsPath ?? null, extension);
    const args = [...program.args, definition.command, ...(definition.watch === true ? ["--watch"] : [])];
    const run = new vscode.ProcessExecution(program.command, args, { env: { ...program.env } });
    const name = `${definition.command}${definition.watch === true ? " --watch" : ""}`;
    const task = new vscode.Task(
      definition,
      folder ?? vscode.TaskScope.Workspace,
      name,
      "ltxc",
      run,
      definition.watch === true ? "$ltxc-watch" : "$ltxc",
    );
    task.isBackground = definition.watch === true;
    return task;
  };
  const all = ["check", "compile", "test"].flatMap((command) => [
    { type: "ltxc", command },
    { type: "ltxc", command, watch: true },
  ]);
  return {
    // Tasks run programs: none without trust.
    provideTasks: () => (vscode.workspace.isTrusted ? all.map(make) : []),
    resolveTask: (task) => (vscode.workspace.isTrusted ? make(task.definition as Definition) : undefined),
  };
}
