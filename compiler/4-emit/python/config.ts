/** The class of a strategy's section in the run config: its parameters as pydantic fields, and its data directories. */
import type { CheckedParam, CheckedSource } from "../../2-check/checked.ts";
import type { Program } from "../../3-lower/program.ts";
import { atom, call, dict, entry, named, quoted as text, subscript, textLiteral, type Code } from "./code.ts";
import { fieldRules, hasChoices, validator, type Schema } from "./field-rules.ts";
import { statement } from "./layout.ts";
import { constant, docstring } from "./words.ts";

const types = { number: "float", integer: "int", boolean: "bool", string: "str" } as const;

/** Names that Python or pydantic take, besides those that begin with `_` or `model_`. */
const taken = new Set(
  `False None True and as assert async await break class continue def del elif else except finally for from global if import in is
  lambda nonlocal not or pass raise return try while with yield
  name directories get_data_sources construct copy dict fields from_orm json parse_file parse_obj parse_raw schema schema_json
  update_forward_refs validate float int bool str list classmethod Field Literal ConfigDict field_validator`
    .trim()
    .split(/\s+/),
);

/** The attribute of the config class that holds each parameter. */
export function fieldNames(params: readonly CheckedParam[]): ReadonlyMap<string, string> {
  const names = new Set(params.map(({ name }) => name));
  const fieldOf = (name: string): string => {
    if (!taken.has(name) && !/^(?:_|model_)/.test(name)) return name;
    let field = `${name.replace(/^_+/, "")}_`;
    while (names.has(field)) field += "_";
    return /^[A-Za-z]/.test(field) ? field : `param_${field}`;
  };
  return new Map(params.map(({ name }) => [name, fieldOf(name)]));
}

/** A method that checks a parameter. */
function methodOf(name: string, fields: ReadonlyMap<string, string>): string {
  const taken = new Set(fields.values());
  let method = `check_${fields.get(name) ?? name}`;
  while (taken.has(method)) method += "_";
  return method;
}

/** The lines of the class `className`. */
export function configClass(program: Program, className: string, fields: ReadonlyMap<string, string>): string[] {
  const { name, params, sources } = program;
  const shared = sources.filter((source) => source.shared);
  const hasAlias = params.some((param) => fields.get(param.name) !== param.name);
  const rules = params.flatMap(({ name, schema }) =>
    validator(schema, fields.get(name) ?? name, methodOf(name, fields)),
  );
  return [
    `class ${className}(TrainingStrategyConfigBase):`,
    docstring([`The section training_strategy of a run config whose strategy is ${name}.`], 4),
    "",
    ...(hasAlias ? ["    model_config = ConfigDict(populate_by_name=True)", ""] : []),
    `    name: Literal[${text(name)}] = ${text(name)}`,
    ...params.map((param) => field(param, fields.get(param.name) ?? param.name)),
    ...rules,
    "",
    "    def directories(self) -> dict[str, str]:",
    docstring(["The directory of each source, below data.preprocessed_data_root."], 8),
    statement(
      "return ",
      pathsCode(
        inOrder(program).filter((source) => !source.shared),
        fields,
      ),
      "",
      8,
    ),
    "",
    ...(shared.length === 0 ? [] : filesMethod(shared, fields)),
    "    def batch_keys(self) -> dict[str, str]:",
    docstring(["Where each source lies in a batch."], 8),
    `        return keys_of(self.directories(), ${text(textSources(program)[0] ?? "")}${shared.length > 0 ? ", self.files()" : ""})`,
    "",
    "    def get_data_sources(self) -> dict[str, str]:",
    docstring(["The directories that the trainer reads, and where it puts what it reads in a batch."], 8),
    "        keys = self.batch_keys()",
    "        return {directory: keys[source] for source, directory in self.directories().items()}",
  ];
}

/** The target's latents come first: the trainer takes its list of samples from them. */
export function inOrder({ sources, modalities }: Program): readonly CheckedSource[] {
  const first = modalities.map(({ latents }) => latents);
  const isTarget = ({ name }: CheckedSource) => first.includes(name);
  return [...sources.filter(isTarget), ...sources.filter((source) => !isTarget(source))];
}

/** Of sources that are one file for all samples. */
function filesMethod(shared: readonly CheckedSource[], fields: ReadonlyMap<string, string>): string[] {
  return [
    "    def files(self) -> dict[str, str]:",
    docstring(["The file of each source that is the same for all samples, below data.preprocessed_data_root."], 8),
    statement("return ", pathsCode(shared, fields), "", 8),
    "",
  ];
}

const pathsCode = (sources: readonly CheckedSource[], fields: ReadonlyMap<string, string>): Code =>
  dict(sources.map(({ name, directory }) => entry(name, directoryText(directory, fields))));

/** `"${x}_latents"` with the parameter's value. */
function directoryText(directory: string, fields: ReadonlyMap<string, string>): Code | string {
  const whole = /^\$\{\s*(\w+)\s*\}$/.exec(directory)?.[1];
  if (whole !== undefined) return `self.${fields.get(whole) ?? whole}`;
  if (!directory.includes("${")) return textLiteral(directory);
  const escaped = text(directory).replace(/\$\{\s*(\w+)\s*\}|[{}]/g, (found, name: string | undefined) =>
    name === undefined ? found + found : `{self.${fields.get(name) ?? name}}`,
  );
  return `f${escaped}`;
}

/** `field: type = value`, in lines that are not too long. */
function field({ name, schema }: CheckedParam, field: string): string {
  const { default: value, description } = schema;
  const args = [
    ...(Object.hasOwn(schema, "default") ? [named("default", constant(value))] : []),
    ...(name === field ? [] : [named("alias", text(name))]),
    ...fieldRules(schema),
    ...(typeof description === "string" ? [named("description", textLiteral(description))] : []),
  ];
  const head = statement(`${field}: `, typeOf(schema), "", 4);
  if (args.length === 0) return head;
  const lines = head.split("\n");
  const last = (lines.pop() ?? "").trim();
  const isPlain = args.length === 1 && Object.hasOwn(schema, "default");
  return [...lines, statement(`${last} = `, isPlain ? constant(value) : call("Field", args), "", 4)].join("\n");
}

function typeOf(schema: Schema): Code {
  const { type, enum: choices, items, default: value } = schema;
  if (type === "array") {
    const isOfNumbers = !Array.isArray(value) || value.every((each) => typeof each === "number");
    if (items === undefined) return isOfNumbers ? subscript("list", ["float"]) : atom("list");
    return subscript("list", [typeOf(items as Schema)]);
  }
  if (hasChoices(schema)) return subscript("Literal", (choices as readonly unknown[]).map(constant));
  return atom(types[type as keyof typeof types] ?? "float");
}

/**
 * The sources of texts. The trainer runs its connectors over `conditions` alone: the first one's, which is that of a directory. The texts of the
 * others are put there, too, see library/sources.py.
 */
export function textSources({ modalities, sources }: Program): readonly string[] {
  const texts = sources.filter(({ kind }) => kind === "text_embeddings");
  const own = modalities[0]?.text;
  const isFirst = ({ name, shared }: CheckedSource) => name === own && !shared;
  const rank = (source: CheckedSource) => (isFirst(source) ? 0 : source.shared ? 2 : 1);
  return texts.toSorted((a, b) => rank(a) - rank(b)).map(({ name }) => name);
}
