import { suite } from "uvu";
import * as assert from "uvu/assert";
import { sourceFile } from "../../source/source-file.ts";
import { Bag, type Details } from "../bag.ts";
import { toJson } from "./json.ts";
import type { FileReport } from "./report.ts";
import { toSarif } from "./sarif.ts";
import { noColors, renderTerminal } from "./terminal.ts";

const test = suite("reporters");

/** A report of one finding at the text between `«` and `»`, and labels at the texts between `‹` and `›`. */
function report(marked: string, message: string, details: Details = {}, labels: readonly string[] = []): FileReport {
  const text = marked.replace(/[«»‹›]/g, "");
  const plain = (offset: number) => offset - (marked.slice(0, offset).match(/[«»‹›]/g)?.length ?? 0);
  const span = { start: plain(marked.indexOf("«")), end: plain(marked.indexOf("»")) };
  const secondary = [...marked.matchAll(/‹([^›]*)›/g)].map((match, index) => {
    const start = plain(match.index);
    return { span: { start, end: start + (match[1]?.length ?? 0) }, message: labels[index] ?? "" };
  });
  const bag = new Bag();
  bag.error("LTX1003", span, message, { ...details, labels: secondary });
  return { file: sourceFile("inpainting.strategy", text), diagnostics: bag.sorted() };
}

const lines = (...all: string[]) => `${all.join("\n")}\n`;
const filler = "a: 1\n".repeat(11);

test("a finding shows its lines, its labels, its help and where to read more", () => {
  const one = report(
    `${filler}let:\n  hole: ‹mean(x)› > 1\nvideo:\n  keep: not «hole»\n`,
    "`hole` is wrong",
    { help: "mend it" },
    ["comes from here"],
  );
  assert.is(
    renderTerminal([one]),
    lines(
      "error[LTX1003]: `hole` is wrong",
      "  --> inpainting.strategy:15:13",
      "   |",
      "13 |   hole: mean(x) > 1",
      "   |         ------- comes from here",
      "15 |   keep: not hole",
      "   |             ^^^^",
      "   = help: mend it",
      "   = explain: ltxc explain LTX1003",
      "",
      "1 error",
    ),
  );
});

test("tabs and wide characters keep the carets in place", () => {
  const shown = renderTerminal([report("k:\t日本 é😀 «日x»\n", "m")]).split("\n");
  assert.equal(shown.slice(3, 5), ["1 | k:    日本 é😀 日x", `  | ${" ".repeat(15)}^^^`]);
});

test("an empty place gets one caret, also at the end of the file", () => {
  assert.equal(
    renderTerminal([report("abc«»", "m")])
      .split("\n")
      .slice(3, 5),
    ["1 | abc", "  |    ^"],
  );
  assert.equal(
    renderTerminal([report("abc\n«»", "m")])
      .split("\n")
      .slice(3, 5),
    ["2 |", "  | ^"],
  );
});

/** The excerpt alone. */
const excerpt = (text: string) =>
  renderTerminal([report(text, "m")])
    .split("\n")
    .slice(3, -4);

test("a file without text is named, and no line of it is shown", () => {
  assert.is(
    renderTerminal([report("«»", "m", { help: "h" })]),
    lines(
      "error[LTX1003]: m",
      " --> inpainting.strategy",
      "  = help: h",
      "  = explain: ltxc explain LTX1003",
      "",
      "1 error",
    ),
  );
});

test("a range over lines marks each line, of many only the ends", () => {
  assert.equal(excerpt("a: «b\n  c\n\n  d» e\n"), [
    "1 | a: b",
    "  |    ^",
    "2 |   c",
    "  |   ^",
    "4 |   d e",
    "  |   ^",
  ]);
  assert.equal(excerpt(`a: «b\n${"  c\n".repeat(8)}  d»\n`), [" 1 | a: b", "   |    ^", "10 |   d", "   |   ^"]);
});

test("a label on the finding's own range is written at its carets", () => {
  const one = report("a: «b»", "m");
  const [diagnostic] = one.diagnostics;
  assert.ok(diagnostic);
  const labelled = { ...diagnostic, labels: [{ span: diagnostic.span, message: "used here" }] };
  assert.is(renderTerminal([{ ...one, diagnostics: [labelled] }]).split("\n")[4], "  |    ^ used here");
});

test("long lines are cut and control characters are harmless", () => {
  const shown = renderTerminal([report(`${"x".repeat(5000)}«y»${"z".repeat(5000)}`, "a\u001b[31mb")]);
  assert.ok(shown.length < 700);
  assert.not.match(shown, "\u001b");
  const [, , , source, carets] = shown.split("\n");
  assert.is(source?.indexOf("y"), carets?.indexOf("^"));
});

test("colours are those passed in", () => {
  const colors = { ...noColors, red: (text: string) => `<${text}>` };
  assert.match(renderTerminal([report("a: «b»", "m")], colors), "<error[LTX1003]>: m");
  assert.match(renderTerminal([report("a: «b»", "m")], colors), "<^>");
});

test("nothing to say is an empty text", () => {
  assert.is(renderTerminal([{ file: sourceFile("a", ""), diagnostics: [] }]), "");
});

const at = (line: number) => ({ start: { line, column: 4 }, end: { line, column: 5 } });

test("json has lines and columns", () => {
  const { diagnostics, summary, version } = toJson([report("a: ‹b›\nc: «d»", "m", { help: "h" }, ["l"])]);
  assert.equal([version, summary], [1, { errors: 1, warnings: 0 }]);
  assert.equal(diagnostics, [
    {
      path: "inpainting.strategy",
      code: "LTX1003",
      slug: "duplicate-key",
      severity: "error",
      message: "m",
      span: { start: 8, end: 9 },
      labels: [{ span: { start: 3, end: 4 }, message: "l", range: at(1) }],
      help: "h",
      range: at(2),
    },
  ]);
});

const region = (line: number, charOffset: number) => ({
  startLine: line,
  startColumn: 4,
  endLine: line,
  endColumn: 5,
  charOffset,
  charLength: 1,
});

test("sarif names rule, place, related places and the fix", () => {
  const fix = { title: "write `e`", edits: [{ span: { start: 8, end: 9 }, text: "e" }] };
  const log = toSarif([report("a: ‹b›\nc: «d»", "m", { fix }, ["l"])], "1.2.3");
  const artifactLocation = { uri: "inpainting.strategy" };
  const [run] = log["runs"] as { results: unknown[]; tool: { driver: { rules: { id: string }[]; version: string } } }[];
  assert.is(log["version"], "2.1.0");
  assert.equal([run?.tool.driver.version, run?.tool.driver.rules.map((rule) => rule.id)], ["1.2.3", ["LTX1003"]]);
  assert.equal(run?.results, [
    {
      ruleId: "LTX1003",
      level: "error",
      message: { text: "m" },
      locations: [{ physicalLocation: { artifactLocation, region: region(2, 8) } }],
      relatedLocations: [
        { id: 0, physicalLocation: { artifactLocation, region: region(1, 3) }, message: { text: "l" } },
      ],
      fixes: [
        {
          description: { text: "write `e`" },
          artifactChanges: [
            { artifactLocation, replacements: [{ deletedRegion: region(2, 8), insertedContent: { text: "e" } }] },
          ],
        },
      ],
      ruleIndex: 0,
    },
  ]);
});

test.run();
