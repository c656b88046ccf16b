/**
 * Makes the mistakes of mutators.ts in every example and counts what finds them: the compiler, `ltxc test`, or nothing. Writes
 * compiler/MUTATIONS.md. A mistake that leaves the meaning as it is does not count.
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
import { mutators, targetOf } from "./mutators.ts";

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

const introduction = `# What finds which mistake

\`npm run mutations\` makes typical mistakes in every example, such as those that otherwise show only after days of training. It counts what finds
each of them: the compiler, with an error or a warning; if not, \`ltxc test\`, which runs the strategy on small batches and checks what the file
says under \`expect\`; or nothing. A mistake that does not change what the strategy means is not counted. That command writes this page.

The compiler cannot know what you meant. An inverted mask, a target of your own with the wrong sign, or pixel frames in place of latent frames still
make a valid strategy. \`ltxc test\` finds such mistakes if the file says under \`expect\` what must hold. \`ltxc inspect\` shows the rest to your eyes.
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
    `## By kind of mistake\n\n${table("kind", byKind)}\n`,
    `## By example\n\n${table("example", byExample)}\n`,
  ];
  writeFileSync(join(root, "compiler/MUTATIONS.md"), sections.join("\n"));
  const missed = results.filter(({ catcher }) => catcher === "nothing").length;
  console.log(`${results.length} mistakes in ${byExample.size} examples, ${missed} of them found by nothing`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
