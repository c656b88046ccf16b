/** Texts that are no more than a few pieces of YAML over and over, up to and beyond the size that is read: none may take long. */
import fc from "fast-check";
import { processIo } from "../bin/shell/io.ts";
import { examineRunConfig } from "../bin/project/run-config.ts";
import { renderTerminal } from "../compiler/diagnostics/index.ts";
import { format } from "../compiler/format/format.ts";
import { check } from "../compiler/index.ts";
import { sourceFile } from "../compiler/source/index.ts";
import type { Bytes } from "./fuzz-bytes.ts";
import type { Subject } from "./fuzz-subject.ts";

const collections = ["[", "]", "{", "}", ",", "[],", "{}, ", "- ", "? ", ": ", "a: ", "{a: ", "- a: ", "[a]: b, "];
const gaps = ["\n", "\n ", "\n  ", "\n\n", " ", "\t", "\n\t", "\r\n", "\r", "\u2028", "\ufeff", "\0"];
const comments = ["#", " #", "#\n", "  # x\n"];
const marks = ["&a ", "*a ", "*a,", "!!str ", "!a ", "!<", "%a\n", "---\n", "--- a\n", "...\n", "<<: *a\n"];
const scalars = ["x", "x y", "😀", "'", '"', "''", "\\q", "\\n", "\\\n", "|\n", ">+\n", "|9\n", "f(a, ", ")", "@", "`"];
const numbers = ["1", "1_", ":1", "0x", "1.5e+", ".", "-"];
/** `#` is the number of the repetition, `~` that of the one before. */
const counted = ["k$#: 1\n", "k$#:\n", "k$#\n", " k$#: 1\n", "- &k$# 1\n", "- *k$~\n", "k$#: &k$# [*k$~, *k$~]\n"];
const merged = ["k$#: &k$# {<<: *k$~, k$#: 1}\n", "k$#: {<<: *a}\n"];
/** With one more space each time. */
const stairs = [">$a:\n", ">$-\n", ">$#\n", ">$- a\n"];

const piece = fc.oneof(
  ...[collections, gaps, comments, marks, scalars, numbers, counted, merged, stairs].map((all) =>
    fc.constantFrom(...all),
  ),
);
const beginning = fc.constantFrom(
  "",
  "",
  "a: ",
  "a:\n",
  "a:\n  ",
  "[",
  "{",
  "a: [",
  'a: "',
  "a: '",
  "a: |\n",
  "a: >\n ",
);
const anchored = fc.constantFrom("", "a: &a {x: 1}\nb: ", "a: &a [1, 2, 3, 4]\nb: [");
const ending = fc.constantFrom("", "]", "}", '"', "'", "\nb: 1\n", ": 1\n");
const length = fc.constantFrom(3000, 30_000, 60_000, 120_000, 240_000, 499_000, 600_000);

function repeated(pieces: readonly string[], length: number): string {
  const one = pieces.join("");
  const parts: string[] = [];
  for (let i = 1, size = 0; size < length; i++) {
    const next = one
      .replaceAll("$#", `${i}`)
      .replaceAll("$~", `${i - 1}`)
      .replaceAll(">$", " ".repeat(i));
    parts.push(next);
    size += next.length;
  }
  return parts.join("");
}

const inputs: Bytes = fc
  .tuple(fc.oneof(beginning, anchored), fc.array(piece, { minLength: 1, maxLength: 3 }), length, ending)
  .map(([before, pieces, size, after]) => Buffer.from(before + repeated(pieces, size) + after));

export async function yamlTexts(): Promise<Subject> {
  const io = processIo();
  return {
    inputs,
    async read(input) {
      const text = input.toString("utf8");
      const { file, diagnostics } = check({ path: "a.strategy", text });
      renderTerminal([{ file, diagnostics }]);
      format({ path: "a.strategy", text });
      const config = sourceFile("train.yaml", text);
      renderTerminal([
        await examineRunConfig(io, config, async () => ({ step: null, findings: [] }), { withFiles: false }),
      ]);
    },
  };
}
