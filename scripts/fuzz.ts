/**
 * Mutates strategies, and grows expressions in a strategy that is right otherwise. Nothing may throw, every finding lies inside
 * its file, and what has no error is lowered, verified and emitted.
 * usage: npm run fuzz [-- RUNS [SEED]]
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { emitModule } from "../compiler/4-emit/typescript/module.ts";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic.ts";
import { renderSarif } from "../compiler/diagnostics/reporters/sarif.ts";
import { renderTerminal } from "../compiler/diagnostics/reporters/terminal.ts";
import { check } from "../compiler/index.ts";
import { format } from "../compiler/format/format.ts";
import type { Span } from "../compiler/source/span.ts";
import { strategyWith } from "./fuzz-expressions.ts";

const samples = new URL("../compiler/diagnostics/samples/", import.meta.url);
const builtin = new URL("../compiler/builtin/", import.meta.url);

function strategies(): string[] {
  const inputs = readdirSync(samples).map((name) => new URL(`${name}/input.strategy`, samples));
  const own = readdirSync(builtin).flatMap((name) => (name.endsWith(".strategy") ? [new URL(name, builtin)] : []));
  return [...inputs, ...own].map((url) => readFileSync(url, "utf8"));
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

/** Formatting throws where it would change what a text says; doing it again must change nothing. */
function checkFormat(text: string): void {
  const once = format({ path: "fuzz.strategy", text }).text;
  if (once !== null && format({ path: "fuzz.strategy", text: once }).text !== once)
    throw new Error(`formatting again changes\n${once}`);
}

/** The findings of a text, rendered as well, since a reporter must not throw either; without errors the module is emitted, too. */
function findings(text: string): readonly Diagnostic[] {
  const { file, diagnostics, program } = check({ path: "fuzz.strategy", text });
  if (program !== null) emitModule(program, { ...options, source: file });
  renderTerminal([{ file, diagnostics }]);
  renderSarif([{ file, diagnostics }], "0");
  return diagnostics;
}

function checkSpan({ start, end }: Span, text: string): void {
  if (!(start >= 0 && start <= end && end <= text.length)) throw new Error(`a span ${start}-${end} in ${text.length}`);
}

function checkSpans(text: string): void {
  for (const { span, labels } of findings(text))
    for (const place of [span, ...labels.map((label) => label.span)]) checkSpan(place, text);
  checkFormat(text);
}

export function fuzz(runs: number, seed?: number): void {
  const mutations = fc.array(mutation, { minLength: 1, maxLength: 6 });
  const mutated = fc.tuple(fc.constantFrom(...strategies()), mutations).map(([text, all]) => all.reduce(mutate, text));
  const settings = { numRuns: runs, ...(seed === undefined ? {} : { seed }) };
  fc.assert(fc.property(mutated, checkSpans), settings);
  fc.assert(fc.property(strategyWith, checkSpans), settings);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [runs = "10000", seed] = process.argv.slice(2);
  fuzz(Number(runs), seed === undefined ? undefined : Number(seed));
  console.log(`${runs} mutated and ${runs} grown strategies: none throws, every finding lies inside its file`);
}
