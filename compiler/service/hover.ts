/** What is shown when the pointer rests on something. */
import { printExpression } from "../1-parse/expression/print.ts";
import {
  docOf,
  expectDocs,
  fieldDocs,
  keywordDocs,
  methodDocs,
  progressDocs,
  signatureOf,
  unitDocs,
  type FieldDoc,
} from "../2-check/builtin-docs.ts";
import { wordFor, axesOfSource, fieldsOfSource, type Declaration } from "../2-check/declarations.ts";
import { describe } from "../2-check/core.ts";
import { textAt } from "../source/source-file.ts";
import type { Span } from "../source/span.ts";
import type { Analysis } from "./analysis.ts";
import { networkText } from "./network-text.ts";
import { roleAt, schemaAt, type Schema } from "./roles.ts";
import { symbolAt, type SymbolAt } from "./symbol.ts";

export interface Hover {
  readonly span: Span;
  /** Markdown. */
  readonly text: string;
}

/** Null where nothing is to be said. */
export function hover(analysis: Analysis, offset: number): Hover | null {
  const symbol = symbolAt(analysis, offset);
  const text = symbol === null ? null : textOf(analysis, symbol);
  return symbol === null || text === null ? null : { span: symbol.span, text };
}

function textOf(analysis: Analysis, symbol: SymbolAt): string | null {
  switch (symbol.kind) {
    case "local":
      return `\`${symbol.local.name}\`: an argument of this \`let\`; each use puts its own value in.`;
    case "declared":
      return declaredText(analysis, symbol.name);
    case "field":
      return fieldText(analysis, symbol);
    case "modality":
      return `\`${symbol.name}\`: ${sentence(schemaAt([symbol.name]))}`;
    case "function":
      return functionText(symbol.name);
    case "progress":
      return `\`${symbol.name}\`: ${progressDocs[symbol.name]?.text ?? ""}`;
    case "axis":
      return `\`${symbol.name}\`: an axis. Values are matched by the names of their axes.`;
    case "keyword":
      return keywordDocs[symbol.name] ?? expectDocs[symbol.name] ?? null;
    case "unit":
      return unitDocs[symbol.name];
    case "argument":
      return functionText(symbol.callee);
    case "key":
      return keyText(analysis, symbol.path);
    case "value":
      return symbol.path[0] === "extends" ? baseText(analysis, symbol) : valueText(symbol.path, symbol.text);
  }
}

/** The signature of a built-in function, and what it does; null for what is none. */
export function functionText(name: string): string | null {
  const doc = docOf(name);
  if (doc === null) return null;
  const forms = doc.forms.map((form) => signatureOf(name, form, doc.bare));
  return `${fenced(forms.join("\n"))}\n${doc.text}`;
}

const fenced = (code: string): string => `\`\`\`strategy\n${code}\n\`\`\``;

function sentence(schema: Schema | null): string {
  return typeof schema?.["description"] === "string" ? schema["description"] : "";
}

// ------------------------------------------------------------------------------------------------------------------- names

/** What a name stands for that the strategy gives; null for other names. */
export function declaredText(analysis: Analysis, name: string): string | null {
  const declaration = analysis.declarations?.byName.get(name);
  if (declaration === undefined) return null;
  const { head, rest } = ofDeclaration(analysis, declaration);
  const from = originOf(analysis, declaration.name.span);
  return [fenced(head), `${wordFor[declaration.kind]}${rest}`, from].filter((part) => part !== "").join("\n\n");
}

function originOf({ file }: Analysis, { start }: Span): string {
  let begin = file.text.length + 1;
  if (start < begin) return "";
  for (const base of file.bases) {
    if (start <= begin + base.text.length) return `from \`${base.path}\``;
    begin += base.text.length + 1;
  }
  return "";
}

function ofDeclaration(analysis: Analysis, declaration: Declaration): { readonly head: string; readonly rest: string } {
  const name = declaration.name.text;
  switch (declaration.kind) {
    case "param":
      return { head: name, rest: paramText(declaration.syntax.schema) };
    case "source": {
      const axes = analysis.declarations === null ? null : axesOfSource(declaration, analysis.declarations.references);
      const fields = fieldsOfSource(declaration).map((field) => `\`.${field}\``);
      const type = axes === null ? "" : `, \`f32[${axes.join(", ")}]\``;
      const more = axes === null || fields.length === 0 ? "" : `; ${fields.join(" ")}`;
      return { head: `${name}: ${declaration.sourceKind}`, rest: `${type}${more}` };
    }
    case "let": {
      const { binder, value } = declaration.syntax;
      const left = textAt(analysis.file, binder.span);
      const type = analysis.bindings.get(name)?.core.type;
      const head = value.kind === "error" ? left : `${left}: ${printExpression(value)}`;
      return { head, rest: type === undefined ? "" : `, ${describe(type)}` };
    }
    case "output": {
      const { tap, linear } = declaration.syntax;
      return {
        head: `${name}: ${tap?.value ?? `a linear layer on ${linear?.text ?? "another output"}`}`,
        rest: ": read in `loss` and `denoised`",
      };
    }
    case "import":
      return {
        head: `${name} of ${declaration.syntax.from?.value ?? "?"}`,
        rest: ": a function written in TypeScript",
      };
    case "network":
      return { head: `${name}(x)`, rest: `: ${networkText(declaration.syntax)}` };
    case "weight": {
      const { axes, like } = declaration.syntax;
      const tokens = axes?.value[0]?.length ?? "?";
      const head = `${name}: ${tokens} tokens like those of ${like?.text ?? "?"}`;
      return { head, rest: `: trained, put into a caption by \`insert(${like?.text ?? "conditions"}, ${name})\`` };
    }
    case "dataset":
      return { head: name, rest: `: a data set; \`in(${name})\` is the mask of its samples` };
    case "pass":
      return { head: name, rest: `: ${sentence(schemaAt(["passes", name]))}` };
  }
}

function paramText(schema: Schema): string {
  const { type, default: given, description, minimum, maximum } = schema;
  const values = Array.isArray(schema["enum"])
    ? `one of ${schema["enum"].map((value) => `\`${String(value)}\``).join(", ")}`
    : "";
  const bounds = [
    minimum === undefined ? "" : `at least ${String(minimum)}`,
    maximum === undefined ? "" : `at most ${String(maximum)}`,
  ];
  const standard = given === undefined ? "required" : `default \`${JSON.stringify(given)}\``;
  const facts = [String(type ?? ""), standard, values, ...bounds].filter((fact) => fact !== "").join(", ");
  return `: ${facts}${typeof description === "string" ? `\n\n${description}` : ""}`;
}

// ------------------------------------------------------------------------------------------------------------------ fields

function fieldText(analysis: Analysis, { owner, pass, name }: Extract<SymbolAt, { kind: "field" }>): string | null {
  if (owner !== "video" && owner !== "audio") {
    const size = fieldDocOf(name);
    return analysis.declarations?.byName.has(owner) === true && size !== undefined
      ? `\`${owner}.${name}\`: ${size.text}`
      : null;
  }
  if (Object.hasOwn(methodDocs, name)) return functionText(name);
  const doc = fieldDocOf(name);
  return doc === undefined
    ? null
    : fieldDocText(analysis, doc, [...(pass === null ? [] : [pass]), owner, name].join("."));
}

/** Undefined for names that are no field, those of every JavaScript object among them. */
const fieldDocOf = (name: string): FieldDoc | undefined =>
  Object.hasOwn(fieldDocs, name) ? fieldDocs[name] : undefined;

function fieldDocText({ bindings, file }: Analysis, { text, formula, type }: FieldDoc, key: string): string {
  const binding = bindings.get(key) ?? bindings.get(key.split(".").slice(-2).join("."));
  const known = binding === undefined ? (type.startsWith("a ") ? type : `\`${type}\``) : describe(binding.core.type);
  const written = binding?.span ?? null;
  const rule = written === null ? formula : textAt(file, written);
  const value = rule === undefined ? "" : `${fenced(`${key.split(".").at(-1)}: ${rule}`)}\n`;
  return `${value}\`${key}\`, ${known}\n\n${text}${written === null && formula !== undefined ? " This is its default." : ""}`;
}

// ---------------------------------------------------------------------------------------------------------- keys and values

function keyText(analysis: Analysis, path: readonly (string | number)[]): string | null {
  const schema = schemaAt(path);
  const described = sentence(schema);
  const [owner, name] = path;
  const isField = path.length === 2 && (owner === "video" || owner === "audio");
  const type = isField ? analysis.bindings.get(`${owner}.${String(name)}`)?.core.type : undefined;
  const loss = owner === "loss" && path.length === 2 ? `A loss term, \`f32[batch]\`. ${described}` : described;
  if (loss === "") return null;
  return type === undefined ? loss : `${loss}\n\n${describe(type)}`;
}

/** What the strategy says of itself that a file extends. */
function baseText({ file }: Analysis, { path, text }: Extract<SymbolAt, { kind: "value" }>): string | null {
  const description = /^description:\s*(.+)$/m.exec(file.bases[0]?.text ?? "")?.[1];
  return description === undefined ? valueText(path, text) : `**${text}**\n\n${description}`;
}

function valueText(path: readonly (string | number)[], text: string): string | null {
  const described = sentence(schemaAt(path));
  if (described === "") return null;
  // Of an expression, only what its value is for: the text itself is longer, and in view.
  return roleAt(path).kind === "expression" ? described : `\`${text.split("\n")[0] ?? ""}\`: ${described}`;
}
