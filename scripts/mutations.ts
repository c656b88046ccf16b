/**
 * Tries what finds the mistakes of mistakes-of-meaning.ts, and those of mutators.ts made in every example: the compiler, `ltxc test`, or
 * nothing. Writes compiler/MUTATIONS.md. A mistake that leaves the meaning as it is does not count.
 * usage: npm run mutations
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openSubject } from "../bin/probe/subject.ts";
import { libraryAt } from "../bin/project/library.ts";
import { tryOut } from "../bin/trial/try-out.ts";
import { parseStrategy } from "../compiler/1-parse/strategy.ts";
import { Bag } from "../compiler/diagnostics/bag.ts";
import { check, emitIr, type Library } from "../compiler/index.ts";
import { applyEdits } from "../compiler/source/edits.ts";
import { sourceFile } from "../compiler/source/source-file.ts";
import type { Engine } from "../runtime/engine/engine.ts";
import { openEngine } from "../runtime/engine/index.ts";
import { meaningMistakes, type MeaningMistake } from "./mistakes-of-meaning.ts";
import { targetOf } from "./mutation-target.ts";
import { mutators } from "./mutators.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const examples = join(root, "examples");

interface Mutant {
  readonly example: string;
  readonly kind: string;
  readonly text: string;
  /** Where the mistake is in the strategy that the example extends: the text of that one. */
  readonly base: string | null;
}

type Texts = Pick<Mutant, "example" | "text" | "base">;

const pathOf = (example: string): string => join(examples, example, `${example}.strategy`);

/** Where extended strategies are found; the nearest has the text of the mutant's base. */
function libraryOf({ example, base }: Texts): Library {
  const library = libraryAt(join(examples, example), pathOf(example));
  const read: Library["read"] = (reference, from) => {
    const found = library.read(reference, from);
    return found === null || base === null ? found : { ...found, text: base };
  };
  return { ...library, read };
}

/** All mistakes in one example, and in what it extends, that change what it means; each once. */
export function mutantsOf(example: string): Mutant[] {
  const own = { example, text: readFileSync(pathOf(example), "utf8"), base: null };
  const extended = /^extends: (.*)$/m.exec(own.text)?.[1];
  const base = extended === undefined ? null : libraryOf(own).read(extended, pathOf(example));
  const inBase =
    base === null || !("text" in base)
      ? []
      : mistakesIn(base.text).map((mistake) => ({ ...own, ...mistake, text: own.text, base: mistake.text }));
  const meaning = meaningOf(own);
  const all: Mutant[] = [...mistakesIn(own.text).map((mistake) => ({ ...own, ...mistake })), ...inBase];
  return all.filter((mutant) => meaningOf(mutant) !== meaning);
}

function mistakesIn(text: string): { readonly kind: string; readonly text: string }[] {
  const parsed = parseStrategy(sourceFile("example.strategy", text), new Bag());
  if (parsed === null) throw new Error("an example does not parse");
  const target = targetOf(text, parsed.syntax);
  const seen = new Set([text]);
  return mutators.flatMap(({ kind, mutants }) =>
    mutants(target).flatMap((edits) => {
      const mutated = applyEdits(text, edits);
      const isNew = !seen.has(mutated);
      seen.add(mutated);
      return isNew ? [{ kind, text: mutated }] : [];
    }),
  );
}

/** The typed program; null where the compiler refuses the text. */
function meaningOf(texts: Texts): string | null {
  return emitIr({ path: pathOf(texts.example), text: texts.text }, { library: libraryOf(texts) }).text;
}

type Catcher = "compiler" | "test" | "nothing";

/** Errors and warnings of the compiler count alike: both are read before anything runs. */
export function isCompileTime(mutant: Mutant): boolean {
  const { diagnostics } = check({ path: pathOf(mutant.example), text: mutant.text }, { library: libraryOf(mutant) });
  return diagnostics.length > 0;
}

async function catcherOf(mutant: Mutant, engine: Engine): Promise<Catcher> {
  if (isCompileTime(mutant)) return "compiler";
  const { subject } = await openSubject(libraryOf(mutant), sourceFile(pathOf(mutant.example), mutant.text), {
    imports: async () => null,
  });
  if (subject === null) return "compiler";
  return (await tryOut(engine, subject, 1, [])).diagnostics.length > 0 ? "test" : "nothing";
}

type Counts = Record<Catcher, number>;

function tally(entries: readonly (readonly [string, Catcher])[]): ReadonlyMap<string, Counts> {
  const counts = new Map<string, Counts>();
  for (const [key, catcher] of entries) {
    const own = counts.get(key) ?? { compiler: 0, test: 0, nothing: 0 };
    own[catcher]++;
    counts.set(key, own);
  }
  return counts;
}

function table(title: string, counts: ReadonlyMap<string, Counts>): string {
  const row = ([key, { compiler, test, nothing }]: readonly [string, Counts]) =>
    `| ${key} | ${compiler + test + nothing} | ${compiler} | ${test} | ${nothing} |`;
  const head = [`| ${title} | mistakes | compiler | \`ltxc test\` | nothing |`, "|---|---:|---:|---:|---:|"];
  const rows = [...counts];
  const all = rows.reduce<Counts>(
    (sum, [, { compiler, test, nothing }]) => ({
      compiler: sum.compiler + compiler,
      test: sum.test + test,
      nothing: sum.nothing + nothing,
    }),
    { compiler: 0, test: 0, nothing: 0 },
  );
  return [...head, ...rows.map(row), row(["**all**", all])].join("\n");
}

/** The code that tells of a mistake of meaning, and where; null where nothing does. */
interface Told {
  readonly by: "compile" | "test";
  readonly code: string;
}

const meantPath = "mistaken.strategy";

/** What the compiler alone says. */
export function toldByCompiler({ text }: MeaningMistake): Told | null {
  const [first] = check({ path: meantPath, text }).diagnostics;
  return first === undefined ? null : { by: "compile", code: first.code };
}

/** What the compiler says, or else `ltxc test`. */
export async function toldOf(mistake: MeaningMistake, engine: Engine): Promise<Told | null> {
  const told = toldByCompiler(mistake);
  if (told !== null) return told;
  const { subject } = await openSubject(libraryAt(root, meantPath), sourceFile(meantPath, mistake.text), {
    imports: async () => null,
  });
  if (subject === null) throw new Error(`${mistake.kind} does not compile, and has no finding`);
  const [first] = (await tryOut(engine, subject, 0, [])).diagnostics;
  return first === undefined ? null : { by: "test", code: first.code };
}

/** A row of the page. */
export function meaningRow({ kind, look }: MeaningMistake, told: Told | null): string {
  if (told !== null) return `| ${kind} | \`${told.by}\` | ${told.code} |`;
  return look === undefined ? `| ${kind} | never | |` : `| ${kind} | not told | ${look} |`;
}

async function meaningSection(engine: Engine): Promise<string> {
  const rows: { readonly mistake: MeaningMistake; readonly told: Told | null }[] = [];
  for (const mistake of meaningMistakes) rows.push({ mistake, told: await toldOf(mistake, engine) });
  const count = (by: Told["by"]) => rows.filter(({ told }) => told?.by === by).length;
  return [
    "## Mistakes of meaning\n",
    "Each of these strategies is well typed and trains, and only what comes out of it is wrong. Where a code stands, `ltxc explain CODE` says more;",
    "elsewhere the table says what a person can look at.\n",
    `Of ${rows.length} mistakes, \`ltxc compile\` (and \`check\`) tells of ${count("compile")}, \`ltxc test\` of ${count("test")} more. ` +
      `Nothing tells of ${rows.filter(({ told }) => told === null).length}.\n`,
    "| mistake | told by | code, or what to look at |",
    "|---|---|---|",
    ...rows.map(({ mistake, told }) => meaningRow(mistake, told)),
    "",
  ].join("\n");
}

const introduction = `# What finds which mistake

\`npm run mutations\` writes this page. It tries two sets of mistakes: strategies with a mistake of meaning, and edits of every example as they
happen by a slip. It says what finds each of them: the compiler, with an error or a warning; if not, \`ltxc test\`, which runs the strategy on small
batches, checks what the file says under \`expect\`, and looks at gradients and statistics; or nothing.

No tool can know what you meant. \`ltxc inspect\` shows your eyes what the masks, levels and references of a sample are, and \`expect\` holds what must
be true on every batch.
`;

const slips = `## Slips in the examples

A mistake that does not change what the strategy means is not counted.
`;

async function main(): Promise<void> {
  const { engine } = await openEngine("cpu");
  const results: { readonly mutant: Mutant; readonly catcher: Catcher }[] = [];
  for (const example of readdirSync(examples, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    for (const mutant of mutantsOf(example.name)) results.push({ mutant, catcher: await catcherOf(mutant, engine) });
  }
  const byExample = tally(results.map(({ mutant, catcher }) => [mutant.example, catcher]));
  const byKind = tally(results.map(({ mutant, catcher }) => [mutant.kind, catcher]));
  const sections = [
    introduction,
    await meaningSection(engine),
    slips,
    `### By kind of mistake\n\n${table("kind", byKind)}\n`,
    `### By example\n\n${table("example", byExample)}\n`,
  ];
  writeFileSync(join(root, "compiler/MUTATIONS.md"), sections.join("\n"));
  const missed = results.filter(({ catcher }) => catcher === "nothing").length;
  console.log(`${results.length} mistakes in ${byExample.size} examples, ${missed} of them found by nothing`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
