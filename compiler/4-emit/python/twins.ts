/**
 * Imported functions in Python: the files that a strategy names next to those in TypeScript, and that become part of the module. What
 * they may hold is judged by their text; nothing of them runs here.
 */
import type { Found, Library } from "../../1-parse/inherit.ts";
import type { CheckedImport } from "../../2-check/checked.ts";
import { refusedForm } from "../../2-check/rules/import-paths.ts";
import type { Bag } from "../../diagnostics/bag.ts";
import { locate, type SourceFile } from "../../source/source-file.ts";
import { blanked, importsIn } from "./library.ts";
import type { Names } from "./names.ts";

/** A file of Python, with the imported functions that it defines. */
export interface Twin {
  /** As the strategy names it. */
  readonly path: string;
  readonly text: string;
  readonly functions: readonly string[];
}

interface Reading {
  readonly source: SourceFile;
  readonly library: Library;
  readonly bag: Bag;
}

type Python = NonNullable<CheckedImport["python"]>;

/** Reads the file of each function. Reports LTX6601 where none is named, LTX6607 where it is not as it must be. */
export function readTwins(imports: readonly CheckedImport[], reading: Reading): readonly Twin[] {
  const twins = new Map<string, Twin>();
  for (const each of imports) {
    const { name, python, span } = each;
    if (python === null) {
      const message = `\`${name}\` is written in TypeScript, which the official trainer does not run`;
      const help = `write the same function in Python, over torch tensors, and name its file next to \`from\`: \`python: ./${name}.py\``;
      reading.bag.error("LTX6601", span, message, { help });
      continue;
    }
    const found = read(each, python, reading);
    if (found === null) continue;
    const others = twins.get(found.path)?.functions ?? [];
    twins.set(found.path, { path: python.value, text: found.text, functions: [...others, name] });
    for (const { message, help } of problems(each, python.value, found.text)) {
      reading.bag.error("LTX6607", python.span, message, { help });
    }
  }
  return [...twins.values()];
}

interface Problem {
  readonly message: string;
  readonly help: string;
}

function read({ name }: CheckedImport, { value, span }: Python, { source, library, bag }: Reading) {
  // Such a path is reported for every target.
  if (refusedForm(value) !== null) return null;
  const from = locate(source, span.start).file.path;
  const found = value.endsWith(".py") ? (library.readPython?.(value, from) ?? null) : null;
  if (found !== null && "text" in found)
    return { path: found.path, text: found.text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n") };
  bag.error("LTX6607", span, ...unread(value, name, found));
  return null;
}

function unread(path: string, name: string, found: Found): [message: string, details: { readonly help: string }] {
  if (!path.endsWith(".py"))
    return [`\`${path}\` is no file of Python`, { help: `name one, such as \`./${name}.py\`` }];
  if (found !== null && "isOutside" in found)
    return [`\`${path}\` leads out of the project`, { help: "copy the file into the project's folder" }];
  if (found !== null && "problem" in found) return [`\`${path}\` ${found.problem}`, { help: "name another file" }];
  return [`there is no file \`${path}\``, { help: "correct the path; it starts at the folder of this file" }];
}

const mayBeImported =
  /^(?:import (?:math|torch(?:\.\w+)*)(?: as \w+)?|from (?:math|torch(?:\.\w+)*) import \w[\w, ]*)$/;
const definition = /^(?:def \w+|[A-Za-z_]\w*\s*(?::[^=]*)?=(?!=)|"|')/;

function* problems({ name, arity }: CheckedImport, path: string, text: string): Generator<Problem> {
  const code = blanked(text);
  for (const { line, at } of statements(code)) {
    const isImport = /^\s*(?:import|from)\b/.test(line);
    const where = `${path}:${at}: \`${line.trim()}\``;
    if (isImport && !mayBeImported.test(line.trimEnd()))
      yield {
        message: `${where}: only torch and math can be imported, at the top`,
        help: /^(?:import|from) (?:math|torch)\b/.test(line)
          ? "write it as `import torch`, `import torch.nn as nn` or `from torch import nn, Tensor`, on a line of its own"
          : "leave it out",
      };
    if (!isImport && /^\S/.test(line) && !definition.test(line))
      yield {
        message: `${where} defines neither a function nor a constant`,
        help: "put it into a function, or leave it out",
      };
  }
  const list = new RegExp(`^def ${name}\\(([^]*?)\\)\\s*(?:->[^:]*)?:`, "m").exec(code)?.[1];
  if (list === undefined)
    return yield { message: `\`${path}\` defines no function \`${name}\``, help: `write \`def ${name}(...):\` in it` };
  const { required, all } = parametersIn(list);
  const help = "it takes the tensors and numbers that `type` lists, in their order, and no `ops`";
  if (required > arity || all < arity)
    yield { message: `\`${name}\` in \`${path}\` does not take ${arity} argument${arity === 1 ? "" : "s"}`, help };
}

const opening = (character: string): number => ("([{".includes(character) ? 1 : ")]}".includes(character) ? -1 : 0);

/** Lines of code on which a statement begins. */
function statements(code: string): { readonly line: string; readonly at: number }[] {
  const found: { readonly line: string; readonly at: number }[] = [];
  let depth = 0;
  for (const [i, line] of code.split("\n").entries()) {
    if (depth === 0 && line.trim() !== "") found.push({ line, at: i + 1 });
    for (const character of line) depth += opening(character);
  }
  return found;
}

/** How many arguments a function must be given, and how many it takes. */
function parametersIn(list: string): { readonly required: number; readonly all: number } {
  let depth = 0;
  const outer = [...list].filter((character) => (depth += opening(character)) === 0).join("");
  const parts = outer.split(",").map((part) => part.trim());
  const own = parts.filter((part) => part !== "" && part !== "/");
  const required = own.filter((part) => !part.includes("=") && !part.startsWith("*")).length;
  return { required, all: own.some((part) => part.startsWith("*")) ? Infinity : own.length };
}

/** The file as a part of the module: without its imports, which are given apart, and with other names for what the module has, too. */
export function embedded({ text, functions }: Twin, names: Names) {
  const code = blanked(text);
  const imports = importsIn(code);
  const given = imports.filter(([name, statement]) => !names.hasImport(name, statement)).map(([name]) => name);
  const defined = [...code.matchAll(/^(?:def )?([A-Za-z_]\w*)(?=\(| *[:=])/gm)].map(([, name = ""]) => name);
  const renamed = new Map(
    [...new Set([...defined, ...given])].map((name) => [
      name,
      functions.includes(name) ? names.of(name) : names.free(name),
    ]),
  );
  return {
    text: renamedBlocks(withoutImports(text), renamed).trim(),
    imports: imports.map(([name, statement]) => {
      const own = renamed.get(name) ?? name;
      return [own, own === name ? statement : `${statement.replace(/ as \w+$/, "")} as ${own}`] as const;
    }),
  };
}

/** Lines of a docstring may begin with such a word, too. */
function withoutImports(text: string): string {
  const code = blanked(text).split("\n");
  const lines = text.split("\n").filter((_, i) => !/^(?:import|from) /.test(code[i] ?? ""));
  return lines.join("\n");
}

/** Function by function: in one that has a name for something of its own, it keeps that. */
function renamedBlocks(text: string, renamed: ReadonlyMap<string, string>): string {
  const code = blanked(text);
  const starts = [0, ...[...code.matchAll(/^(?=\w)/gm)].map(({ index }) => index), text.length];
  const blocks = starts.slice(0, -1).map((start, i) => [start, starts[i + 1] ?? start] as const);
  const pieces = blocks.map(([start, end]) => {
    const block = code.slice(start, end);
    const [head = ""] = /^def \w+/.exec(block) ?? [];
    const bound = boundIn(block.slice(head.length));
    return (
      rename(text.slice(start, start + head.length), renamed, head) +
      rename(
        text.slice(start + head.length, end),
        new Map([...renamed].filter(([name]) => head === "" || !bound.has(name))),
        block.slice(head.length),
      )
    );
  });
  return pieces.join("");
}

/** Names that a function gives to what is its own: its arguments, and what it assigns, loops over, imports or defines. */
function boundIn(code: string): ReadonlySet<string> {
  const list = /^\(([^]*?)\)\s*(?:->[^:]*)?:/.exec(code)?.[1] ?? "";
  const targets = /^\s+([(*]*\w+\)*(?:\s*,\s*[(*]*\w+\)*)*)\s*(?::[^=]*)?(?:[-+*/%@&|^]|\/\/|\*\*)?=(?!=)/;
  const parts = [
    ...list.split(",").map((part) => /^[\s*]*(\w+)/.exec(part)?.[1] ?? ""),
    ...statements(code).map(({ line }) => targets.exec(line)?.[1] ?? ""),
    ...[...code.matchAll(/\bfor\s+([\w\s,()*]+?)\s+in\b/g)].map(([, names = ""]) => names),
    ...[...code.matchAll(/\b(?:as|def)\s+(\w+)|\b(\w+)\s*:=|\blambda\s+([^:]*):/g)].map((found) =>
      found.slice(1).join(" "),
    ),
  ];
  return new Set(parts.flatMap((part) => part.match(/[A-Za-z_]\w*/g) ?? []));
}

/** Puts other names where the code has these; not where they are attributes or names of arguments. `code`: the text, blanked. */
function rename(text: string, renamed: ReadonlyMap<string, string>, code: string): string {
  let out = "";
  let end = 0;
  for (const { index, 0: name } of code.matchAll(/(?<![\w.])[A-Za-z_]\w*\b(?! *=(?!=))|^[A-Za-z_]\w*/gm)) {
    const own = renamed.get(name);
    if (own === undefined || own === name) continue;
    out += text.slice(end, index) + own;
    end = index + name.length;
  }
  return out + text.slice(end);
}
