/**
 * The library `ltxc`, and the whole pipeline: from the text of a strategy to its findings and the files of its build. It keeps no
 * state between calls; only what a strategy imports is read from files.
 *
 * @example
 * import { compile, renderTerminal } from "ltxc";
 *
 * const compiled = await compile({ path: "mine.strategy", text });
 * if (compiled.program === null) console.error(renderTerminal([compiled]));
 * else for (const { name, text } of compiled.artifacts) await writeFile(`build/${name}`, text);
 */
import { jsonText } from "./source/index.ts";
import { readFileSync } from "node:fs";
import { dirname, relative, resolve, sep } from "node:path";
import { emptyLibrary, type Library } from "./1-parse/inherit.ts";
import { parseInherited } from "./1-parse/strategy.ts";
import { entryOf, type YamlNode } from "./1-parse/tree.ts";
import { checkStrategy, paramsOf, type Learnt } from "./2-check/check.ts";
import { validateStrategy } from "./2-check/schema.ts";
import { lower } from "./3-lower/lower.ts";
import { fold } from "./3-lower/passes/fold.ts";
import { share } from "./3-lower/passes/share.ts";
import { printProgram } from "./3-lower/text.ts";
import type { Program } from "./3-lower/program.ts";
import { verify } from "./3-lower/verify.ts";
import { bundle, bundleImports, type Module } from "./4-emit/bundle.ts";
import { importFindings, impureImports } from "./4-emit/import-findings.ts";
import { projectRootOf } from "./source/project-root.ts";
import { paramsSchema } from "./4-emit/params-schema.ts";
import { emitPython, moduleName } from "./4-emit/python/module.ts";
import { reportTarget } from "./4-emit/python/target-findings.ts";
import { readTwins } from "./4-emit/python/twins.ts";
import { sourceMap } from "./4-emit/source-map.ts";
import { emitModule, type EmittedModule } from "./4-emit/typescript/module.ts";
import { withoutAllowed } from "./diagnostics/allow.ts";
import { Bag } from "./diagnostics/bag.ts";
import type { Diagnostic } from "./diagnostics/diagnostic.ts";
import { hashOf } from "./source/hash.ts";
import type { Span } from "./source/span.ts";
import { sourceFile, type SourceFile } from "./source/source-file.ts";
import { CONTRACT_VERSION, VERSION } from "./version.ts";

export type { Library } from "./1-parse/inherit.ts";
export type { Type } from "./2-check/core.ts";
export type { ProbedValue, Program } from "./3-lower/program.ts";
export { paramsSchema } from "./4-emit/params-schema.ts";
export type { EmittedModule } from "./4-emit/typescript/module.ts";
export { catalog, type CatalogEntry, type Code } from "./diagnostics/catalog/index.ts";
export type { Diagnostic, Fix, Label, Severity } from "./diagnostics/diagnostic.ts";
export { renderJson } from "./diagnostics/reporters/json.ts";
export type { FileReport } from "./diagnostics/reporters/report.ts";
export { renderSarif } from "./diagnostics/reporters/sarif.ts";
export { renderTerminal } from "./diagnostics/reporters/terminal.ts";
export { format, type Formatted } from "./format/format.ts";
export type { SourceFile } from "./source/source-file.ts";
export type { Span } from "./source/span.ts";
export { VERSION } from "./version.ts";

export interface SourceText {
  /** Absolute, or as it should read in messages and stack traces. */
  readonly path: string;
  readonly text: string;
}

export interface Checked {
  readonly file: SourceFile;
  readonly diagnostics: readonly Diagnostic[];
  /** Null where anything is an error. */
  readonly program: Program | null;
  /** The schema of its params, also where there are errors elsewhere; null where it is not known. */
  readonly params?: Readonly<Record<string, unknown>> | null;
}

export interface Artifact {
  /** File name in the build folder. */
  readonly name: string;
  readonly text: string;
}

interface Build extends Checked {
  readonly program: Program;
  /** The files of the build, named after the strategy. */
  readonly artifacts: readonly Artifact[];
  /** The TypeScript among the artifacts, with the places that it was made from. */
  readonly module: EmittedModule;
  /** Absolute paths of the files that are bundled in, other than the strategy's own. */
  readonly imported: readonly string[];
}

interface NoBuild extends Checked {
  readonly program: null;
  readonly artifacts: readonly [];
}

/** `program` tells which it is: null where anything is an error. */
export type Compiled = Build | NoBuild;

/** Without artifacts where anything is an error. */
export interface CompiledPython extends Checked {
  readonly artifacts: readonly Artifact[];
}

export interface BuildOptions {
  /** Whether the module also exports `probe`, for looking inside; false if not given. */
  readonly probe?: boolean;
  /**
   * Whether imported functions are left out, so that all code of the build is the compiler's own. What stands for one has a result of the
   * declared shape, which depends on all arguments. The files that it comes from are not even looked for. False if not given.
   */
  readonly standIns?: boolean;
  /** Where strategies that others extend are found; nowhere if not given. */
  readonly library?: Library;
}

/** All findings of a strategy, and the program where none is an error. */
export function check(source: SourceText, options: BuildOptions = {}): Checked {
  const bag = new Bag();
  const { file, program, params } = checkInto(bag, source, options);
  return { file, diagnostics: withoutAllowed(file, bag.sorted()), program, params };
}

/** The same with the findings in a bag that takes more of them; `tree`: what they point into, null where the YAML is broken. */
function checkInto(bag: Bag, { path, text }: SourceText, { probe = false, library = emptyLibrary }: BuildOptions) {
  const { file, parsed } = parseInherited(sourceFile(path, text), library, bag);
  if (parsed === null) return { file, tree: null, program: null, params: null };
  validateStrategy(parsed.tree, bag);
  const learnt: Learnt = { bindings: new Map(), types: null, declarations: null };
  const checked = checkStrategy(parsed.syntax, bag, file, learnt);
  const program = checked === null ? null : share(fold(lower(checked, { probe })));
  if (program !== null) verify(program);
  const name = program?.name ?? parsed.syntax.name?.text ?? "";
  return { file, tree: parsed.tree, program, params: readableParams(name, parsed.tree, learnt, bag) };
}

/** Null where the section of params has errors itself: what is missing then may stand there. */
function readableParams(name: string, tree: YamlNode, { declarations }: Learnt, bag: Bag) {
  const { span } = entryOf(tree, "params")?.value ?? { span: null };
  const errors = bag.sorted().filter(({ severity }) => severity === "error");
  const isIn = (at: Span) => span !== null && at.start >= span.start && at.end <= span.end;
  const isUnclear = declarations === null || declarations.isIncomplete || errors.some((found) => isIn(found.span));
  return isUnclear ? null : paramsSchema(name, paramsOf(declarations));
}

/** The typed program as text; null where anything is an error. */
export function emitIr(
  source: SourceText,
  options: BuildOptions = {},
): {
  diagnostics: readonly Diagnostic[];
  file: SourceFile;
  text: string | null;
} {
  const { program, ...rest } = check(source, options);
  return { ...rest, text: program === null ? null : printProgram(program) };
}

/** Compiles a strategy to `<name>.ts`, `<name>.mjs` with its source map, and `<name>.schema.json`. */
export async function compile(source: SourceText, options: BuildOptions = {}): Promise<Compiled> {
  const { program, file, diagnostics, params = null } = check(source, options);
  if (program === null) return { file, diagnostics, program, params, artifacts: [] };
  const { name } = program;
  const schema = paramsSchema(name, program.params);
  const module = emitModule(program, {
    compiler: VERSION,
    contract: CONTRACT_VERSION,
    sourceHash: hashOf([file, ...file.bases].map(({ text }) => text)),
    source: file,
    paramsSchema: schema,
    standIns: options.standIns === true,
  });
  const map = sourceMap(module.segments, `${name}.ts`, file);
  const built = await bundleAll(program, { typescript: module.text, map, name: `${name}.mjs` }, file.path, options);
  if ("problems" in built) {
    const found = [...diagnostics, ...importFindings(program.imports, built.problems)];
    return { file, diagnostics: found, program: null, artifacts: [] };
  }
  const impure = impureImports(program.imports, ownFiles(file.path, built.imported, options.library));
  const artifacts = [
    { name: `${name}.ts`, text: module.text },
    { name: `${name}.mjs`, text: built.code },
    { name: `${name}.mjs.map`, text: built.map },
    { name: `${name}.schema.json`, text: `${jsonText(schema, 2)}\n` },
  ];
  const found = [...diagnostics, ...withoutAllowed(file, impure)];
  return { file, diagnostics: found, program, artifacts, module, imported: built.imported };
}

/** Compiles a strategy to `ltxc_<name>.py`, which trains it with the official trainer. */
export function compilePython(source: SourceText, options: Pick<BuildOptions, "library"> = {}): CompiledPython {
  const { library = emptyLibrary } = options;
  const bag = new Bag();
  const { file, tree, program } = checkInto(bag, source, options);
  if (program !== null) reportTarget(program, tree, bag);
  const twins = program === null ? [] : readTwins(program.imports, { source: file, library, bag });
  const diagnostics = withoutAllowed(file, bag.sorted());
  if (program === null || bag.hasErrors) return { file, diagnostics, program: null, artifacts: [] };
  const sourceHash = hashOf([file, ...file.bases, ...twins].map(({ text }) => text));
  const text = emitPython(program, { compiler: VERSION, sourceHash, source: file, twins });
  return { file, diagnostics, program, artifacts: [{ name: moduleName(program.name), text }] };
}

/** Imported files that are no part of a package, with paths from the strategy's folder. */
function ownFiles(strategy: string, imported: readonly string[], library: Library = emptyLibrary) {
  const folder = dirname(resolve(library.root ?? "", strategy));
  const own = imported.filter((path) => !path.split(sep).includes("node_modules") && /\.[cm]?[jt]s$/.test(path));
  return own.map((path) => ({ name: relative(folder, path).split(sep).join("/"), text: readFileSync(path, "utf8") }));
}

async function bundleAll(
  { imports }: Program,
  module: Module,
  path: string,
  { library = emptyLibrary, standIns = false }: BuildOptions,
) {
  if (imports.length === 0 || standIns) return { ...(await bundle(module)), imported: [] };
  const { root } = library;
  if (root === null) throw new Error("imports are read from files, but the library has no folder");
  return bundleImports(module, { root, project: projectRootOf(dirname(resolve(root, path))) });
}
