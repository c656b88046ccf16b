/** Files that make an editor complete and check strategies and run configs, and keep results out of version control. */
import { schemaFolder } from "../project/schemas.ts";

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** VS Code reads `*.strategy` as YAML; its YAML extension takes the schemas from here, other editors from the files' first lines. */
export const settings = json({
  "files.associations": { "*.strategy": "yaml" },
  "yaml.schemas": {
    [`${schemaFolder}/strategy.schema.json`]: "*.strategy",
    [`${schemaFolder}/train.schema.json`]: "train.yaml",
  },
});

export const extensions = json({ recommendations: ["redhat.vscode-yaml"] });

export const gitignore = "build/\noutputs/\n";
