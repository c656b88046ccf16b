/** The files of a new project. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../package-root.ts";
import { runConfig } from "./config.ts";
import { sampleFiles } from "./data.ts";
import { extensions, gitignore, settings } from "./editor.ts";
import { readExample } from "./example.ts";
import { writeModel } from "./model.ts";

export interface ProjectFile {
  /** Below the project's folder, with `/`. */
  readonly path: string;
  /** Text, or how to write the file at an absolute path. */
  readonly content: string | ((path: string) => Promise<void>);
}

const modeline = "# yaml-language-server: $schema=.vscode/strategy.schema.json";

function shipped(...parts: readonly string[]): Promise<string> {
  return readFile(join(packageRoot, ...parts), "utf8");
}

/** With the editor's hint pointed at the project's own copy of the schema. */
function withModeline(text: string): string {
  return `${modeline}\n${text.replace(/^# yaml-language-server:.*\r?\n/, "")}`;
}

/** Everything that `ltxc init --from name` writes. */
export async function projectFiles(name: string): Promise<readonly ProjectFile[]> {
  const { program, files } = await readExample(name);
  return [
    ...files.map(({ path, text }) => ({ path, content: path.endsWith(".strategy") ? withModeline(text) : text })),
    { path: "train.yaml", content: runConfig(program) },
    ...sampleFiles(program),
    { path: "models/tiny-ltx2.safetensors", content: writeModel },
    { path: ".vscode/settings.json", content: settings },
    { path: ".vscode/extensions.json", content: extensions },
    { path: ".vscode/strategy.schema.json", content: await shipped("schemas/strategy.schema.json") },
    { path: ".vscode/train.schema.json", content: await shipped("schemas/train.schema.json") },
    { path: ".gitignore", content: gitignore },
  ];
}
