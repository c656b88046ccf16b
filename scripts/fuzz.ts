/**
 * Mutates strategies, and grows expressions in a strategy that is right otherwise. Nothing may throw, every finding lies inside
 * its files, and what has no error is lowered, verified and emitted, as Python, too. Formatted, a text has the same findings; rewritten for
 * version 2 of the language, it is the same program. With a KIND, it is readers of files that get hostile inputs
 * (`fuzz-files.ts`): nothing but findings may come out, within 5 s and 512 MB.
 * usage: npm run fuzz [-- RUNS [SEED] [KIND]], KIND is pt, safetensors, state, recordings, metrics, config or yaml
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { printProgram } from "../compiler/3-lower/text.ts";
import { emitModule } from "../compiler/4-emit/typescript/module.ts";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic.ts";
import { renderSarif } from "../compiler/diagnostics/reporters/sarif.ts";
import { renderTerminal } from "../compiler/diagnostics/reporters/terminal.ts";
import { check, compilePython, type Library, type Program } from "../compiler/index.ts";
import { format } from "../compiler/format/format.ts";
import { upgrade } from "../compiler/format/upgrade.ts";
import { endOffset, type SourceFile } from "../compiler/source/source-file.ts";
import type { Span } from "../compiler/source/span.ts";
import { libraryAt } from "../bin/project/library.ts";
import { libraryOf, strategyWith } from "./fuzz-strategies.ts";
import { fileKinds, fuzzFiles, LONGEST, type FileKind } from "./fuzz-files.ts";
import { scratch } from "./fuzz-subject.ts";
import { watchForHang } from "./fuzz-watch.ts";

const samples = new URL("../compiler/diagnostics/samples/", import.meta.url);
const builtin = new URL("../compiler/builtin/", import.meta.url);
const examples = new URL("../examples/", import.meta.url);

function strategies(): string[] {
  const inputs = readdirSync(samples).map((name) => new URL(`${name}/input.strategy`, samples));
  const own = readdirSync(builtin).flatMap((name) => (name.endsWith(".strategy") ? [new URL(name, builtin)] : []));
  const shown = readdirSync(examples).map((name) => new URL(`${name}/${name}.strategy`, examples));
  return [...inputs, ...own, ...shown.filter((url) => existsSync(url))].map((url) => readFileSync(url, "utf8"));
}

const symbols = "( ) [ ] { } : , - ' \" # & * ! | > % @ ` ^ + / < = . $".split(" ");
const gaps = ["\n", "\n  ", "\t", "\r\n", " ", ": ", "- ", "|\n", ">-\n", "---\n", "\ufeff", "\u0000"];
const words = "video loss token:video over per if then else with not 1e999 -1 null << &a *a ${ 😀".split(" ");
const snippet = fc.constantFrom(...symbols, ...gaps, ...words);

/** What a mutation does at a place, given as a share of the text's length. */
interface Mutation {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
  /** Where to copy a piece of the text from, if at all. */
  readonly copy: number | null;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.oneof(fc.constant(0), fc.nat(3), fc.nat(60)),
  insert: fc.oneof(snippet, fc.constant(""), fc.string({ unit: "binary", maxLength: 4 })),
  copy: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 3 }),
});

function mutate(text: string, { at, remove, insert, copy }: Mutation): string {
  const start = Math.floor(at * text.length);
  const from = copy === null ? 0 : Math.floor(copy * text.length);
  const copied = copy === null ? "" : text.slice(from, from + 40);
  return text.slice(0, start) + insert + copied + text.slice(start + remove);
}

const options = { compiler: "0", contract: 1, sourceHash: "", paramsSchema: {} };

const path = "fuzz.strategy";

interface Seen {
  readonly file: SourceFile;
  readonly diagnostics: readonly Diagnostic[];
  readonly program: Program | null;
  /** Its findings without their places. */
  readonly codes: string;
}

function seen(text: string, library: Library): Seen {
  const { file, diagnostics, program } = check({ path, text }, { library });
  return { file, diagnostics, program, codes: diagnostics.map(({ code }) => code).join() };
}

function compareFindings(what: string, before: Seen, after: Seen): void {
  if (before.codes === after.codes) return;
  throw new Error(`${what}, findings are ${after.codes || "none"} instead of ${before.codes || "none"}`);
}

/** Formatting throws where it would change what a text says; it changes no finding, and doing it again changes nothing. */
function checkFormat(text: string, before: Seen, library: Library): void {
  const once = format({ path, text }).text;
  if (once === null) return;
  if (format({ path, text: once }).text !== once) throw new Error(`formatting again changes\n${once}`);
  const after = seen(once, library);
  compareFindings("formatted", before, after);
  // Of a text of version 2 it would be the same again.
  if (!/^language: 2$/m.test(once)) checkUpgrade(once, after, library);
}

/** What is right in version 1 of the language is the same program in version 2, but for edges of `crop`. */
function checkUpgrade(text: string, before: Seen, library: Library): void {
  const made = upgrade({ path, text }).text;
  if (made === null) return;
  if (upgrade({ path, text: made }).text !== made) throw new Error(`upgrading again changes\n${made}`);
  if (before.program === null) return;
  const after = seen(made, library);
  // Losses that repeat one side along an axis of the other are refused, and for each its author decides what was meant.
  if (after.codes.includes("LTX4026")) return;
  compareFindings("upgraded", before, after);
  const [old, own] = [before, after].map(({ program }) => (program === null ? null : printProgram(program)));
  if (old !== own && !made.includes("crop")) throw new Error(`upgrading changes the program to\n${made}`);
}

function checkSpan({ start, end }: Span, file: SourceFile): void {
  const last = endOffset(file) - 1;
  if (!(start >= 0 && start <= end && end <= last)) throw new Error(`a span ${start}-${end} in ${last}`);
}

/** A reporter must not throw either. */
function checkFindings(diagnostics: readonly Diagnostic[], file: SourceFile): void {
  for (const { span, labels } of diagnostics)
    for (const place of [span, ...labels.map((label) => label.span)]) checkSpan(place, file);
  renderTerminal([{ file, diagnostics }]);
  renderSarif([{ file, diagnostics }], "0");
}

function checkStrategy(text: string, library: Library): void {
  const found = seen(text, library);
  const { file, diagnostics, program } = found;
  checkFindings(diagnostics, file);
  if (program !== null) {
    emitModule(program, { ...options, source: file });
    const python = compilePython({ path, text }, { library });
    checkFindings(python.diagnostics, python.file);
  }
  checkFormat(text, found, library);
}

export function fuzz(runs: number, seed?: number): void {
  const mutations = fc.array(mutation, { minLength: 1, maxLength: 6 });
  const mutated = fc.tuple(fc.constantFrom(...strategies()), mutations).map(([text, all]) => all.reduce(mutate, text));
  const settings = { numRuns: runs, ...(seed === undefined ? {} : { seed }) };
  const builtIn = libraryAt(fileURLToPath(builtin), fileURLToPath(new URL(path, builtin)));
  fc.assert(
    fc.property(mutated, (text) => checkStrategy(text, builtIn)),
    settings,
  );
  fc.assert(
    fc.property(strategyWith, (grown) => checkStrategy(grown.text, libraryOf(grown))),
    settings,
  );
}

const MOST_MEGABYTES = 512;

/** Fuzzes a kind of file in a folder of its own, which stays, with the input, where the process is ended because it hangs. */
async function fuzzKind(kind: FileKind, runs: number, seed?: number): Promise<void> {
  const folder = mkdtempSync(join(scratch, `ltxc-fuzz-${kind}-`));
  const watch = watchForHang(LONGEST, `an input for ${kind} hangs; it is in ${folder}`);
  const began = performance.now();
  let slowest = 0;
  try {
    slowest = await fuzzFiles(kind, folder, runs, seed, watch.tick);
  } finally {
    await watch.end();
    rmSync(folder, { recursive: true });
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const megabytes = Math.round(process.resourceUsage().maxRSS / 1024);
  if (megabytes > MOST_MEGABYTES) throw new Error(`${kind}: ${megabytes} MB at most, ${MOST_MEGABYTES} are allowed`);
  const costs = `${seconds} s in all, ${Math.round(slowest)} ms for the slowest one, ${megabytes} MB at most`;
  console.log(`${runs} inputs for ${kind}: findings alone, ${costs}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const words = process.argv.slice(2);
  const kind = fileKinds.find((name) => words.includes(name));
  const [runs = 10_000, seed] = words.filter((word) => word !== kind).map(Number);
  if (!Number.isInteger(runs) || Number.isNaN(seed)) throw new Error(`usage: RUNS [SEED] [${fileKinds.join(" | ")}]`);
  if (kind === undefined) {
    fuzz(runs, seed);
    console.log(`${runs} mutated and ${runs} grown strategies: none throws, every finding lies inside its file`);
  } else await fuzzKind(kind, runs, seed);
}
