/** Type-checks generated modules together with the TypeScript that they import, by the `tsc` next to this package or one that is named. */
import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, parse, relative, resolve, sep } from "node:path";
import type { EmittedModule } from "../../compiler/index.ts";
import { entryOf, type Code, type Diagnostic, type FileReport } from "../../compiler/diagnostics/index.ts";
import { locate, sourceFile, textAt, type SourceFile, type Span } from "../../compiler/source/index.ts";
import { UsageError } from "../shell/exit.ts";
import type { Io } from "../shell/io.ts";
import { packageRoot } from "../shell/package-root.ts";

export interface TypedModule {
  /** The strategy, in which errors of the module are shown. */
  readonly file: SourceFile;
  readonly module: EmittedModule;
  /** Absolute path where the module's imports start. */
  readonly path: string;
}

/**
 * Findings by file: those in the strategy, and those in the TypeScript that it imports. Runs none of the code and writes nothing to the
 * project. `typescript` is the path of another TypeScript than the one installed with this package. Throws `UsageError` if it is none.
 */
export async function typeCheck(
  io: Pick<Io, "cwd">,
  typed: TypedModule,
  typescript?: string,
): Promise<readonly FileReport[]> {
  const tsc = typescript === undefined ? ownTsc() : namedTsc(io.cwd, typescript);
  if (tsc === null) return [{ file: typed.file, diagnostics: [missingTsc()] }];
  const folder = await realpath(await mkdtemp(join(tmpdir(), "ltxc-types-")));
  try {
    const output = await runTsc(tsc, await layOut(folder, typed));
    return await reportsOf(io, typed, folder, output);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One report for each file: errors in an import that several strategies share appear once. */
export function mergedReports(reports: readonly FileReport[]): readonly FileReport[] {
  const byPath = new Map<string, FileReport>();
  for (const { file, diagnostics } of reports) {
    const known = byPath.get(file.path);
    const seen = new Set(known?.diagnostics.map((found) => JSON.stringify(found)));
    const added = diagnostics.filter((found) => !seen.has(JSON.stringify(found)));
    byPath.set(file.path, { file: known?.file ?? file, diagnostics: [...(known?.diagnostics ?? []), ...added] });
  }
  return [...byPath.values()];
}

// ----------------------------------------------------------------------------------------------------------------- running

/**
 * The TypeScript that is installed with this package: below it, or next to it in the same `node_modules`. It is not looked for anywhere
 * else, above all not in the project, because it is a program.
 */
function ownTsc(): string | null {
  const siblings = basename(dirname(packageRoot)) === "node_modules" ? [dirname(packageRoot)] : [];
  const found = [join(packageRoot, "node_modules"), ...siblings].map((folder) => tscIn(join(folder, "typescript")));
  return found.find((path) => path !== null) ?? null;
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

function tscIn(folder: string): string | null {
  const path = join(folder, "bin/tsc");
  return isFile(path) ? path : null;
}

/** The `tsc` that the user named: itself, or the folder of its package. */
function namedTsc(cwd: string, named: string): string {
  const path = resolve(cwd, named);
  const found = isFile(path) ? path : tscIn(path);
  if (found !== null) return found;
  throw new UsageError(
    `there is no TypeScript at ${named}`,
    "name the folder of its package, e.g. node_modules/typescript",
  );
}

/**
 * The module in a folder of its own, where its imports still reach the user's files: TypeScript takes both roots for one tree.
 * Returns the path of the configuration.
 */
async function layOut(folder: string, { module, path }: TypedModule): Promise<string> {
  const { root } = parse(path);
  const copy = copyOf(folder, path);
  await mkdir(dirname(copy), { recursive: true });
  await writeFile(copy, module.text);
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: "ES2023",
    lib: ["ES2023"],
    module: "ESNext",
    moduleResolution: "bundler",
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: [],
    rootDirs: [folder, root],
    paths: { "ltxc/contract": [join(packageRoot, "runtime/contract.ts")] },
  };
  const config = join(folder, "tsconfig.json");
  await writeFile(config, JSON.stringify({ compilerOptions, files: [copy] }));
  return config;
}

const copyOf = (folder: string, path: string): string => join(folder, relative(parse(path).root, path));

function runTsc(tsc: string, config: string): Promise<string> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [tsc, "-p", config, "--pretty", "false"], { cwd: dirname(config) });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.on("error", failed).on("close", (code) => done(code === 0 ? "" : output));
  });
}

// ---------------------------------------------------------------------------------------------------------------- findings

interface TypeError {
  /** Absolute. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** `a.ts(3,14): error TS2322: …`, continued on indented lines. */
const errorLine = /^(.+)\((\d+),(\d+)\): error (TS\d+: .*(?:\n[ \t]+.*)*)/gm;

function parseErrors(output: string, folder: string): TypeError[] {
  return [...output.replaceAll("\r\n", "\n").matchAll(errorLine)].map(([, path = "", line, column, message = ""]) => ({
    path: resolve(folder, path),
    line: Number(line),
    column: Number(column),
    message: message.replace(/\n\s+/g, "; "),
  }));
}

async function reportsOf(
  io: Pick<Io, "cwd">,
  typed: TypedModule,
  folder: string,
  output: string,
): Promise<readonly FileReport[]> {
  const errors = parseErrors(output, folder);
  if (output !== "" && errors.length === 0) return [{ file: typed.file, diagnostics: [refused(output)] }];
  const copy = copyOf(folder, typed.path);
  const own = errors.filter(({ path }) => path === copy).map((error) => inStrategy(error, typed));
  const others = new Set(errors.map(({ path }) => path).filter((path) => path !== copy));
  const imported = [...others].map(async (path): Promise<FileReport> => {
    const file = sourceFile(relative(io.cwd, path).split(sep).join("/"), await readFile(path, "utf8"));
    return { file, diagnostics: errors.filter((error) => error.path === path).map((error) => inFile(error, file)) };
  });
  return [...(own.length === 0 ? [] : [{ file: typed.file, diagnostics: own }]), ...(await Promise.all(imported))];
}

function inFile({ line, column, message }: TypeError, file: SourceFile): Diagnostic {
  const start = (file.lineStarts[line - 1] ?? 0) + column - 1;
  return finding("LTX6506", wordAt(file, start), message);
}

/** An error in the generated module, shown where the strategy says what that code was made from. */
function inStrategy({ line, column, message }: TypeError, { file, module }: TypedModule): Diagnostic {
  const before = module.segments.filter((segment) => segment.line === line - 1 && segment.column < column);
  const offset = before.findLast((segment) => segment.offset !== null)?.offset ?? 0;
  return finding(
    "LTX6506",
    wordAt(file, offset),
    message,
    "the function gets the tensor operations, `ops: Ops`, and then a `Tensor` for each tensor and a `number` for each number",
  );
}

/** A name, a quoted text, or one character. */
function wordAt(file: SourceFile, start: number): Span {
  const { file: own, begin } = locate(file, start);
  const rest = textAt(file, { start, end: begin + own.text.length });
  const word = /^(?:[\w$]+|"[^"\n]*"|'[^'\n]*'|\S)/.exec(rest)?.[0] ?? "";
  return { start, end: start + word.length };
}

function finding(code: Code, span: Span, message: string, help?: string): Diagnostic {
  const base = { code, slug: entryOf(code).slug, severity: "error", message, span, labels: [] } as const;
  return help === undefined ? base : { ...base, help };
}

function missingTsc(): Diagnostic {
  return finding(
    "LTX6505",
    { start: 0, end: 0 },
    "types are checked by TypeScript, which is not installed next to ltxc",
    "name one that you trust: `--typescript node_modules/typescript`; or install it where ltxc is: `npm install --global typescript`",
  );
}

function refused(output: string): Diagnostic {
  const message = `TypeScript gave up: ${output.trim().split("\n")[0] ?? ""}`;
  return finding("LTX6505", { start: 0, end: 0 }, message, "install TypeScript 5.0 or later: `npm install typescript`");
}
