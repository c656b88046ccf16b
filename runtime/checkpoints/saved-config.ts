import { jsonText } from "../escape.ts";
import type { RunConfig } from "../config/run-config.ts";
import { configHead } from "../files/written-by-us.ts";

/**
 * The text of `training_config.yaml`: plain YAML that any loader reads, in the official trainer's sections only, with every default
 * written out. `strategy` is the strategy's section with the parameters that the run used.
 */
export function savedConfig(config: RunConfig, strategy: Readonly<Record<string, unknown>>): string {
  const { runtime: _runtime, evaluation: _evaluation, ...official } = config;
  const validation = officialValidation(config.validation);
  const text = lines({ ...official, validation, training_strategy: strategy }, 0);
  return `${[configHead, ...text, ...drawnHere(config.validation)].join("\n")}\n`;
}

/** What the official format has no place for, as a comment: which samples were drawn, of which files of features. */
function drawnHere({ samples, negative_conditions_file }: RunConfig["validation"]): string[] {
  const own = samples.filter(({ conditions_file }) => conditions_file !== null);
  if (own.length === 0) return [];
  const settings = lines({ validation: { negative_conditions_file, samples: own } }, 0);
  return [
    "# Samples of files of features, which the official format does not have:",
    ...settings.map((line) => `# ${line}`),
  ];
}

/** Leaves out samples without a prompt, and the files of features that replace prompts here: the official format has neither. */
function officialValidation({ negative_conditions_file: _negative, samples, ...official }: RunConfig["validation"]) {
  const prompts = samples.flatMap(({ conditions_file: _file, ...sample }) => (sample.prompt === null ? [] : [sample]));
  return { ...official, samples: prompts };
}

/** Block style for non-empty mappings and lists, one line for the rest. Text is always quoted, so that no loader reads it as another type. */
function lines(value: unknown, depth: number): string[] {
  const indent = "  ".repeat(depth);
  const entry = (head: string, child: unknown) =>
    isBranch(child) ? [`${indent}${head}`, ...lines(child, depth + 1)] : [`${indent}${head} ${inline(child)}`];
  if (Array.isArray(value)) return value.flatMap((child) => entry("-", child));
  return Object.entries(value as object).flatMap(([key, child]) => entry(`${plainKey(key)}:`, child));
}

function isBranch(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

const plainKey = (key: string): string => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? key : jsonText(key));

/** Empty collections, true, false and null are the same in YAML and JSON, and numbers with a point: YAML 1.1 reads `1e-7` as text. */
function inline(value: unknown): string {
  const json = jsonText(value);
  return typeof value === "number" ? json.replace(/^(-?\d+)e/, "$1.0e") : json;
}
