/** The class of a strategy's section in the run config: its parameters as pydantic fields, and its data directories. */
import type { CheckedParam, CheckedSource } from "../../2-check/checked.ts";
import type { Program } from "../../3-lower/program.ts";
import { atom, call, dict, entry, list, named, quoted as text, textLiteral, type Code } from "./code.ts";
import { statement } from "./layout.ts";
import { docstring } from "./words.ts";

type Schema = Readonly<Record<string, unknown>>;

const types = { number: "float", integer: "int", boolean: "bool", string: "str" } as const;

/** Names that Python or pydantic take, besides those that begin with `_` or `model_`. */
const taken = new Set(
  `False None True and as assert async await break class continue def del elif else except finally for from global if import in is
  lambda nonlocal not or pass raise return try while with yield
  name directories get_data_sources construct copy dict fields from_orm json parse_file parse_obj parse_raw schema schema_json
  update_forward_refs validate float int bool str list`
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

/** The lines of the class `className`. */
export function configClass(program: Program, className: string, fields: ReadonlyMap<string, string>): string[] {
  const { name, params, sources } = program;
  const shared = sources.filter((source) => source.shared);
  const hasAlias = params.some((param) => fields.get(param.name) !== param.name);
  const rules = params.flatMap((param) => validator(param, fields.get(param.name) ?? param.name));
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
function directoryText(directory: string, fields: ReadonlyMap<string, string>): string {
  const whole = /^\$\{\s*(\w+)\s*\}$/.exec(directory)?.[1];
  if (whole !== undefined) return `self.${fields.get(whole) ?? whole}`;
  if (!directory.includes("${")) return text(directory);
  const escaped = text(directory).replace(/\$\{\s*(\w+)\s*\}|[{}]/g, (found, name: string | undefined) =>
    name === undefined ? found + found : `{self.${fields.get(name) ?? name}}`,
  );
  return `f${escaped}`;
}

/** Rules of JSON Schema that pydantic's `Field` has, too. */
const fieldRules: Readonly<Record<string, string>> = {
  minimum: "ge",
  maximum: "le",
  exclusiveMinimum: "gt",
  exclusiveMaximum: "lt",
  minLength: "min_length",
  maxLength: "max_length",
  minItems: "min_length",
  maxItems: "max_length",
};

function field({ name, schema }: CheckedParam, field: string): string {
  const { default: value, description, pattern } = schema;
  const args = [
    ...(Object.hasOwn(schema, "default") ? [named("default", python(value))] : []),
    ...(name === field ? [] : [named("alias", text(name))]),
    ...Object.entries(fieldRules).flatMap(([rule, own]) => (rule in schema ? [named(own, String(schema[rule]))] : [])),
    ...(typeof pattern === "string" && !isBeyondPydantic(pattern) ? [named("pattern", text(pattern))] : []),
    ...(typeof description === "string" ? [named("description", textLiteral(description))] : []),
  ];
  const head = `${field}: ${typeOf(schema)}`;
  if (args.length === 0) return `    ${head}`;
  const isPlain = args.length === 1 && Object.hasOwn(schema, "default");
  return statement(`${head} = `, isPlain ? python(value) : call("Field", args), "", 4);
}

function typeOf({ type, enum: choices, items }: Schema): string {
  if (type === "array") return `list[${typeOf((items ?? { type: "number" }) as Schema)}]`;
  if (type === "string" && Array.isArray(choices))
    return `Literal[${choices.map((each) => text(String(each))).join(", ")}]`;
  return types[type as keyof typeof types] ?? "float";
}

/** A value of JSON in Python. */
function python(value: unknown): Code {
  if (Array.isArray(value)) return list(value.map(python));
  if (typeof value === "boolean") return atom(value ? "True" : "False");
  return typeof value === "string" ? textLiteral(value) : atom(String(value));
}

/** Its regular expressions know no look-around, no named groups as JavaScript writes them, and no back references. */
const isBeyondPydantic = (pattern: string): boolean => /\(\?[^:]|\\[1-9kcpP]/.test(pattern);

/** What is wrong with `value` that pydantic has no rule for: a condition, and what it says. */
function mistakes(schema: Schema, value: string): (readonly [condition: string, message: string])[] {
  const { enum: choices, multipleOf, pattern, uniqueItems, items } = schema;
  const isNumber = schema["type"] === "number" || schema["type"] === "integer";
  const found: (readonly [string, string])[] = [];
  if (isNumber && Array.isArray(choices))
    found.push([`${value} not in [${choices.join(", ")}]`, `must be one of ${choices.join(", ")}`]);
  if (typeof multipleOf === "number")
    found.push([`not is_multiple(${value}, ${multipleOf})`, `must be a multiple of ${multipleOf}`]);
  if (typeof pattern === "string" && isBeyondPydantic(pattern))
    found.push([`not re.search(${text(inPython(pattern))}, ${value})`, `must match ${pattern}`]);
  if (uniqueItems === true) found.push([`len(set(${value})) < len(${value})`, "must not have an entry twice"]);
  return items === undefined ? found : [...found, ...itemMistakes(items as Schema, value)];
}

const inPython = (pattern: string): string => pattern.replace(/\(\?<(?=\w)/g, "(?P<");

const limits: Readonly<Record<string, readonly [sign: string, words: string]>> = {
  minimum: ["<", "at least"],
  maximum: [">", "at most"],
  exclusiveMinimum: ["<=", "above"],
  exclusiveMaximum: [">=", "below"],
};

function itemMistakes(items: Schema, value: string): (readonly [condition: string, message: string])[] {
  const beyond = Object.entries(limits).flatMap(([rule, [sign, words]]): (readonly [string, string])[] =>
    rule in items ? [[`item ${sign} ${String(items[rule])}`, `must be ${words} ${String(items[rule])}`]] : [],
  );
  return [...beyond, ...mistakes(items, "item")].map(([condition, message]) => [
    `any(${condition} for item in ${value})`,
    `every entry ${message}`,
  ]);
}

/** A method of the class that checks what `Field` cannot, after a blank line. */
function validator({ schema }: CheckedParam, field: string): string[] {
  const found = mistakes(schema, "value");
  if (found.length === 0) return [];
  return [
    "",
    `    @field_validator(${text(field)})`,
    "    @classmethod",
    `    def check_${field}(cls, value):`,
    ...found.flatMap(([condition, message]) => [
      `        if ${condition}:`,
      `            raise ValueError(${text(message)})`,
    ]),
    "        return value",
  ];
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
