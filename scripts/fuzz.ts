/**
 * Mutates strategies and checks that nothing throws and that every finding lies inside its file.
 * usage: npm run fuzz [-- RUNS [SEED]]
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { parseStrategy } from "../compiler/1-parse/strategy.ts";
import { strategyValidator, validateDocument } from "../compiler/2-check/schema.ts";
import { Bag } from "../compiler/diagnostics/bag.ts";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic.ts";
import { renderSarif } from "../compiler/diagnostics/reporters/sarif.ts";
import { renderTerminal } from "../compiler/diagnostics/reporters/terminal.ts";
import { sourceFile } from "../compiler/source/source-file.ts";
import type { Span } from "../compiler/source/span.ts";

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

/** The findings of a text, rendered as well, since a reporter must not throw either. */
function findings(text: string): readonly Diagnostic[] {
  const bag = new Bag();
  const file = sourceFile("fuzz.strategy", text);
  const parsed = parseStrategy(file, bag);
  if (parsed !== null) validateDocument(parsed.tree, strategyValidator, bag);
  const diagnostics = bag.sorted();
  renderTerminal([{ file, diagnostics }]);
  renderSarif([{ file, diagnostics }], "0");
  return diagnostics;
}

function checkSpan({ start, end }: Span, text: string): void {
  if (!(start >= 0 && start <= end && end <= text.length)) throw new Error(`a span ${start}-${end} in ${text.length}`);
}

export function fuzz(runs: number, seed?: number): void {
  const property = fc.property(
    fc.constantFrom(...strategies()),
    fc.array(mutation, { minLength: 1, maxLength: 6 }),
    (text, all) => {
      const mutated = all.reduce(mutate, text);
      for (const { span, labels } of findings(mutated))
        for (const place of [span, ...labels.map((label) => label.span)]) checkSpan(place, mutated);
    },
  );
  fc.assert(property, { numRuns: runs, ...(seed === undefined ? {} : { seed }) });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [runs = "20000", seed] = process.argv.slice(2);
  fuzz(Number(runs), seed === undefined ? undefined : Number(seed));
  console.log(`${runs} mutated strategies: none throws, every finding lies inside its file`);
}
