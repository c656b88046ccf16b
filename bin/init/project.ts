/** The files of a new project. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../package-root.ts";
import { recipes, runConfig } from "./config.ts";
import { sampleFiles } from "./data.ts";
import { extensions, gitignore, settings } from "./editor.ts";
import { writeModel } from "./model.ts";

export interface ProjectFile {
  /** Below the project's folder, with `/`. */
  readonly path: string;
  /** Text, or how to write the file at an absolute path. */
  readonly content: string | ((path: string) => Promise<void>);
}

export type StrategyName = "inpainting" | "text_to_video" | "text_to_video_with_audio";

const modeline = "# yaml-language-server: $schema=.vscode/strategy.schema.json";

function shipped(...parts: readonly string[]): Promise<string> {
  return readFile(join(packageRoot, ...parts), "utf8");
}

/** The built-in strategy, with the editor's hint pointed at the project's own copy of the schema. */
async function strategySource(name: StrategyName): Promise<string> {
  const text = await shipped("compiler/builtin", `${name}.strategy`);
  return `${modeline}\n${text.replace(/^# yaml-language-server:.*\r?\n/, "")}`;
}

/** Everything that `ltxc init --from name` writes. */
export async function projectFiles(name: StrategyName): Promise<readonly ProjectFile[]> {
  return [
    { path: `${name}.strategy`, content: await strategySource(name) },
    { path: "train.yaml", content: runConfig(recipes[name]) },
    ...sampleFiles(name),
    { path: "models/tiny-ltx2.safetensors", content: writeModel },
    { path: ".vscode/settings.json", content: settings },
    { path: ".vscode/extensions.json", content: extensions },
    { path: ".vscode/strategy.schema.json", content: await shipped("schemas/strategy.schema.json") },
    { path: ".vscode/train.schema.json", content: await shipped("schemas/train.schema.json") },
    { path: ".gitignore", content: gitignore },
  ];
}
