/** Files that make an editor complete and check strategies and run configs, and keep results out of version control. */
import { schemaFolder } from "../project/schemas.ts";

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/**
 * VS Code without the extension of ltxc reads `*.strategy` as YAML, with the schemas from here; the extension gives them a language of
 * their own. The YAML extension must not format: it would undo `ltxc fmt`. Other editors take the schemas from the files' first lines.
 */
export const settings = json({
  "files.associations": { "*.strategy": "yaml" },
  "yaml.schemas": {
    [`${schemaFolder}/strategy.schema.json`]: "*.strategy",
    [`${schemaFolder}/train.schema.json`]: "train.yaml",
  },
  "yaml.format.enable": false,
});

export const extensions = json({ recommendations: ["ltxc.ltxc-strategy", "redhat.vscode-yaml"] });

export const gitignore = "build/\noutputs/\n";
