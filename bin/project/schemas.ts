/** JSON Schemas for editors, with the strategies of a project in them. */
import { jsonText } from "../../compiler/source/index.ts";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { paramsSchema, check } from "../../compiler/index.ts";
import { builtinFolder, builtinNames, libraryAt } from "./library.ts";
import { textOf } from "./official-step.ts";
import { packageRoot } from "../shell/package-root.ts";

/** The folder in which `ltxc init` and `ltxc schema` put them; the first lines of a project's files name it. */
export const schemaFolder = "schemas";

/** What the schema of run configs says about a strategy. */
export interface Outline {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of its parameters. */
  readonly params: Schema;
}

interface SchemaFile {
  readonly name: string;
  readonly text: string;
}

type Program = NonNullable<ReturnType<typeof check>["program"]>;
type Schema = Readonly<Record<string, unknown>>;

/** Null if the strategy has errors. Its path is relative to the folder `root`. */
export function outlineOf(source: { readonly path: string; readonly text: string }, root: string): Outline | null {
  const { program } = check(source, { library: libraryAt(root, source.path) });
  return program === null ? null : outline(program);
}

export function outline({ name, description, params }: Program): Outline {
  return { name, description, params: paramsSchema(name, params) };
}

/** The schemas of a project: that of strategies as it ships, that of run configs with the project's strategies in it. */
export async function projectSchemas(own: readonly Outline[]): Promise<readonly SchemaFile[]> {
  const [strategy, train] = await Promise.all([shipped("strategy.schema.json"), shipped("train.schema.json")]);
  const names = new Set(own.map(({ name }) => name));
  const others = (await builtins()).filter(({ name }) => !names.has(name));
  const text = `${jsonText(withStrategies(JSON.parse(train) as Schema, own, others), 2)}\n`;
  return [
    { name: "strategy.schema.json", text: strategy },
    { name: "train.schema.json", text },
  ];
}

/** The files of `projectSchemas`. */
export const schemaNames = ["strategy.schema.json", "train.schema.json"];

const made = "Made by `ltxc schema` from the strategies of this project";

/** Whether a schema for run configs was written by `projectSchemas`, which may then replace it. */
export function isProjectSchema(text: string): boolean {
  return text.includes(made);
}

/** Whether a schema is the project's, or one that came with ltxc: all name it in their first lines. */
export const isOwnSchema = (text: string): boolean => /"\$comment": "[^"]*\bltxc\b/.test(text);

function shipped(name: string): Promise<string> {
  return readFile(join(packageRoot, "schemas", name), "utf8");
}

async function builtins(): Promise<Outline[]> {
  const outlines = builtinNames().map(async (name) =>
    outlineOf({ path: name, text: (await textOf({ name })) ?? "" }, builtinFolder),
  );
  return (await Promise.all(outlines)).filter((outline) => outline !== null);
}

/**
 * The run config's schema in which `training_strategy.name` is one of the strategies, and decides which other keys there are. What it
 * says of official strategies itself stays, unless the project has one of that name.
 */
function withStrategies(train: Schema, own: readonly Outline[], others: readonly Outline[]): Schema {
  const properties = at(train, "properties");
  const section = at(properties, "training_strategy");
  const names = new Set(own.map(({ name }) => name));
  const cases = listOf(section["allOf"]).filter((entry) => !names.has(nameOf(entry)));
  const known = new Set(cases.map(nameOf));
  const added = [...own, ...others.filter(({ name }) => !known.has(name))];
  const described = new Map([...others, ...own].map(({ name, description }) => [name, description]));
  const all = [...new Set([...own.map(({ name }) => name), ...known, ...described.keys()])];
  const name = {
    ...at(at(section, "properties"), "name"),
    enum: all,
    enumDescriptions: all.map((each) => described.get(each) ?? ""),
  };
  const strategies = {
    ...section,
    properties: { ...at(section, "properties"), name },
    allOf: [...cases, ...added.map(caseOf)],
  };
  // The address is that of the schema without strategies.
  const { $id: _, ...rest } = train;
  return { ...rest, $comment: made, properties: { ...properties, training_strategy: strategies } };
}

function caseOf({ name, description, params }: Outline): Schema {
  return {
    if: { properties: { name: { const: name } }, required: ["name"] },
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
    then: {
      ...(description === "" ? {} : { description }),
      properties: { name: {}, ...at(params, "properties") },
      required: params["required"],
      additionalProperties: false,
    },
  };
}

/** The name in `if: {properties: {name: {const: …}}}`. */
function nameOf(entry: Schema): string {
  return String(at(at(at(entry, "if"), "properties"), "name")["const"]);
}

function at(schema: Schema, key: string): Schema {
  const value = schema[key];
  return typeof value === "object" && value !== null ? (value as Schema) : {};
}

function listOf(value: unknown): readonly Schema[] {
  return Array.isArray(value) ? (value as Schema[]) : [];
}
