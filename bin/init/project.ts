/** The files of a new project. */
import { outline, projectSchemas, schemaFolder } from "../project/schemas.ts";
import { runConfig } from "./config.ts";
import { sampleFiles } from "./data.ts";
import { extensions, gitignore, settings } from "./editor.ts";
import { readExample } from "./example.ts";
import { gemmaFiles } from "./gemma.ts";
import { writeModelFor } from "./model.ts";
import { networkFiles } from "./networks.ts";
import type { ProjectFile } from "./project-file.ts";

const modeline = `# yaml-language-server: $schema=${schemaFolder}/strategy.schema.json`;

/** With the editor's hint pointed at the project's own copy of the schema. */
function withModeline(text: string): string {
  return `${modeline}\n${text.replace(/^# yaml-language-server:.*\r?\n/, "")}`;
}

/** Everything that `ltxc init --from name` writes; with `isForOfficial` also what the official trainer needs. */
export async function projectFiles(name: string, isForOfficial = false): Promise<readonly ProjectFile[]> {
  const { program, files } = await readExample(name);
  const schemas = await projectSchemas([outline(program)]);
  return [
    ...files.map(({ path, text }) => ({ path, content: path.endsWith(".strategy") ? withModeline(text) : text })),
    { path: "train.yaml", content: runConfig(program, isForOfficial) },
    ...sampleFiles(program),
    ...networkFiles(program),
    { path: "models/tiny-ltx2.safetensors", content: writeModelFor(program) },
    ...(isForOfficial ? gemmaFiles : []),
    { path: ".vscode/settings.json", content: settings },
    { path: ".vscode/extensions.json", content: extensions },
    ...schemas.map(({ name, text }) => ({ path: `${schemaFolder}/${name}`, content: text })),
    { path: ".gitignore", content: gitignore },
  ];
}
