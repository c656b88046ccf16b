// What editors are told about a strategy, at keys, values, expressions and comments, and in files that cannot be read.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { emptyLibrary, type Library } from "../1-parse/inherit.ts";
import { applyEdits } from "../source/edits.ts";
import {
  actions,
  analyse,
  definition,
  documentSymbols,
  fieldUses,
  findingsHere,
  fixEverything,
  folds,
  hover,
  inlayHints,
  lenses,
  occurrences,
  refusal,
  renames,
  semanticTokens,
} from "./index.ts";

const test = suite("service");

const text = `# What is filled in.
# It is given by masks.
strategy: fill
params:
  limit: {type: number, default: 0.5, minimum: 0, description: Above it a mask is true}
  folder: {type: string, default: masks}
sources:
  latents: {directory: latents, kind: video_latents}
  masks: {directory: "\${folder}", kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
let:
  hole: mean(tokens(masks), channel) > limit
  half(x): x / 2
video:
  latents: latents
  keep: not hole
  sigma: half(sampled())
loss:
  fill: mse(video.denoised, video.clean) over hole
`;
const own = analyse({ path: "fill.strategy", text });

const base: Library = {
  root: null,
  names: [],
  read: (reference) => (reference === "./fill.strategy" ? { path: "fill.strategy", text } : null),
};
const childText =
  "strategy: child\nextends: ./fill.strategy\nparams:\n  limit: {default: 0.7}\nlet:\n  wide: dilate(hole, 1)\nexpect:\n  - video.keep or wide or limit > 1\n";
const child = analyse({ path: "child.strategy", text: childText }, base);

/** Of the n-th place of a piece of text; a `|` in it says where, otherwise its beginning. */
function offsetOf(piece: string, whole = text): number {
  const found = whole.indexOf(piece.replace("|", ""));
  assert.ok(found >= 0, `there is no ${piece}`);
  return found + Math.max(0, piece.indexOf("|"));
}

const shown = (piece: string): string => hover(own, offsetOf(piece))?.text ?? "";

test("there is nothing to find in the example", () => {
  assert.equal(own.findings, []);
  assert.equal(child.findings, []);
});

test("hover on a key says what the schema says of it, and the type of what it holds", () => {
  assert.match(shown("ke|ep: not"), /Tokens that stay clean/);
  assert.match(shown("ke|ep: not"), /bool\[batch, token:video\]/);
  assert.match(shown("ki|nd: video_latents"), /What a sample's file holds/);
  assert.match(shown("fi|ll: mse"), /f32\[batch\]/);
});

test("hover on a name tells its value, its type and where it comes from", () => {
  assert.match(shown("not ho|le"), /hole: mean\(tokens\(masks\), channel\) > limit/);
  assert.match(shown("not ho|le"), /binding, `bool\[batch, token:video\]`/);
  assert.match(shown("> lim|it"), /number, default `0.5`, at least 0\n\nAbove it a mask is true/);
  assert.match(shown("tokens(ma|sks"), /`f32\[batch, channel, frame, height, width\]`; `.frames`/);
  assert.match(shown("{fol|der}"), /string, default `"masks"`/);
  assert.match(shown("x /|"), "");
  assert.match(hover(child, offsetOf("ho|le,", childText))?.text ?? "", /from `fill.strategy`/);
});

test("hover on functions, fields and coordinates has signature, formula and type", () => {
  assert.match(shown("me|an("), /mean\(x, axis=…\)[\s\S]*over this axis/);
  assert.match(
    shown("video.deno|ised"),
    /denoised: noisy - timesteps \* prediction[\s\S]*f32\[batch, token:video, channel\][\s\S]*default/,
  );
  assert.match(shown("sam|pled()"), /sampler of noise levels/);
  assert.match(shown("vi|deo.clean"), /video modality/);
  assert.match(shown("half(|x): x"), /argument/);
});

test("hover on a value of a choice explains the key; comments and blanks have none", () => {
  assert.match(shown("video_la|tents"), /What a sample's file holds/);
  assert.is(hover(own, offsetOf("What is")), null);
  assert.is(hover(analyse({ path: "a", text: "a: [" }), 2), null);
});

test("hover on the words of an expression, on named arguments, on `insert` and on what is extended", () => {
  const of = (piece: string, rest: string) => {
    const at = `strategy: a\nsources:\n  latents: {directory: latents, kind: video_latents}\n${rest}`;
    const offset = at.indexOf(piece.replace("|", "")) + piece.indexOf("|");
    return hover(analyse({ path: "a.strategy", text: at }), offset)?.text ?? "";
  };
  assert.match(shown("keep: n|ot"), /true where the mask is not/);
  assert.match(shown("ov|er hole"), /the mean over the tokens/);
  assert.match(of("ax|is=frame", "let:\n  a: mean(latents, axis=frame)\n"), /mean\(x, axis=…\)/);
  assert.match(of("ins|ert(c", "video:\n  latents: latents\n  text: insert(c, w)\n"), /insert\(source, weight\)/);
  assert.match(of("ran|dn(", "weights:\n  w: {axes: [text: 8, hidden], like: c, init: randn(1)}\n"), /randn/);
  const noised = 'video:\n  latents: latents\n  references:\n    - {source: latents, sigma: "uniform(0, 1)"}\n';
  assert.match(of("uni|form(", noised), /uniform\(/);
  assert.match(hover(child, offsetOf("./fi|ll", childText))?.text ?? "", /fill.strategy/);
});

test("definitions lead to declarations, arguments, keys, bases and imported files", () => {
  const to = (piece: string) =>
    definition(own, offsetOf(piece)).map((target) =>
      target.kind === "strategy" ? text.slice(target.span.start, target.span.end) : target,
    );
  assert.equal(to("not ho|le"), ["hole"]);
  assert.equal(to("hal|f(sampled"), ["half"]);
  assert.equal(to(": |x / 2"), ["x"]);
  assert.equal(to("latents: lat|ents\n  keep"), ["latents"]);
  assert.equal(to("vi|deo.clean"), ["video"]);
  assert.equal(definition(child, offsetOf("ho|le,", childText)), [
    {
      kind: "strategy",
      path: "fill.strategy",
      span: { start: offsetOf("hole: mean"), end: offsetOf("hole| : mean".replace(" :", ":")) },
    },
  ]);
  assert.equal(definition(child, offsetOf("./fi|ll", childText))[0], {
    kind: "strategy",
    path: "fill.strategy",
    span: { start: 0, end: 0 },
  });
  const imports =
    'strategy: a\nimports:\n  edges: {from: ./e.ts, type: "(a: tokens:video) -> f32[batch]"}\nloss: {l: edges(video.prediction)}\n';
  const analysis = analyse({ path: "a", text: imports });
  const target = { kind: "import", reference: "./e.ts", from: "a", name: "edges" };
  assert.equal(definition(analysis, offsetOf("./e|.ts", imports)), [target]);
  assert.equal(definition(analysis, offsetOf("l: ed|ges", imports))[0], target);
});

test("references of a name are found in all files that share it, and arguments only in their `let`", () => {
  const found = occurrences(own, offsetOf("> lim|it"), [child]);
  assert.equal(
    found?.places.map(({ path }) => path),
    ["fill.strategy", "fill.strategy", "child.strategy", "child.strategy"],
  );
  assert.equal(occurrences(child, offsetOf("or lim|it", childText), [own])?.places.length, 4);
  const local = occurrences(own, offsetOf("half(|x)"), [child]);
  assert.equal([local?.kind, local?.places.length], ["local", 2]);
  assert.is(occurrences(own, offsetOf("me|an("), []), null);
  assert.is(occurrences(own, offsetOf("What"), []), null);
});

test("a new name is written everywhere, in texts too, and refused where it cannot be", () => {
  const folder = occurrences(own, offsetOf("fol|der: {"), []);
  assert.ok(folder !== null);
  const edits = renames(folder, "where_to").get("fill.strategy") ?? [];
  const renamed = applyEdits(text, edits);
  assert.match(renamed, 'directory: "${where_to}"');
  assert.equal(analyse({ path: "fill.strategy", text: renamed }).findings, []);
  assert.match(refusal(own, folder, "mean") ?? "", "built-in");
  assert.match(refusal(own, folder, "hole") ?? "", "declared already");
  assert.match(refusal(own, folder, "a b") ?? "", "letters");
  assert.is(refusal(own, folder, "folders"), null);
  for (const word of ["null", "on", "No"]) assert.match(refusal(own, folder, word) ?? "", "YAML");
  assert.match(refusal(own, folder, "name") ?? "", "own key");
  const hole = occurrences(own, offsetOf("ho|le: mean"), []);
  assert.ok(hole !== null);
  assert.is(refusal(own, hole, "y"), null);
  assert.match(refusal(own, hole, "null") ?? "", "YAML");
  const name = occurrences(own, offsetOf("strategy: fi|ll"), []);
  assert.equal([name?.kind, name?.strategies], ["strategy", ["fill"]]);
});

test("a name that only looks like one of a base, such as that of a loss, is the file's own", () => {
  const base = analyse({
    path: "base.strategy",
    text: text.replace("  hole:", "  area:").replaceAll(" hole", " area"),
  });
  const heirText = "strategy: heir\nextends: ./base.strategy\nlet:\n  fill: area\nexpect:\n  - fill or area\n";
  const library: Library = {
    ...emptyLibrary,
    read: () => ({ path: "base.strategy", text: base.file.text }),
  };
  const heir = analyse({ path: "heir.strategy", text: heirText }, library);
  const other = analyse({ path: "other.strategy", text: heirText }, library);
  const pathsOf = (piece: string) =>
    occurrences(heir, offsetOf(piece, heirText), [base, other])?.places.map(({ path }) => path) ?? [];
  assert.equal([...new Set(pathsOf("fi|ll: area"))], ["heir.strategy"]);
  assert.equal(new Set(pathsOf("or ar|ea")), new Set(["heir.strategy", "base.strategy", "other.strategy"]));
});

test("references of a field are where it is set and where it is read, in other files too", () => {
  const inPass = "passes:\n  near: {video: {keep: first_frame}}\n";
  const withPass = `${text}${inPass}expect:\n  - near.video.keep\n  - video.keep\n`;
  const analysis = analyse({ path: "fill.strategy", text: withPass });
  const heir = analyse({ path: "heir.strategy", text: "strategy: heir\nexpect: [video.keep]\n" });
  const pieces = (marked: string) =>
    fieldUses(analysis, offsetOf(marked, withPass), [heir])?.map(({ path, span, isDeclaration }) => [
      path,
      (path === "heir.strategy" ? heir.file.text : withPass).slice(span.start - 6, span.end),
      isDeclaration,
    ]);
  const all = [
    ["fill.strategy", "nts\n  keep", true],
    ["fill.strategy", "video.keep", false],
    ["heir.strategy", "video.keep", false],
  ];
  assert.equal(pieces("\n  ke|ep: not hole"), all);
  assert.equal(pieces("- video.ke|ep"), all);
  assert.equal(pieces("near.video.ke|ep")?.length, 2);
  assert.is(pieces("late|nts: latents"), undefined);
});

test("a new name is refused where another file or an argument has it already", () => {
  const base = "strategy: base\nparams:\n  limit: {type: number, default: 1}\nlet:\n  half(x, y): x * limit + y\n";
  const own = analyse({ path: "base.strategy", text: base });
  const heirText = "strategy: heir\nextends: ./base.strategy\nlet:\n  other: 1\n";
  const library: Library = { ...emptyLibrary, read: () => ({ path: "base.strategy", text: base }) };
  const heir = analyse({ path: "heir.strategy", text: heirText }, library);
  const limit = occurrences(own, offsetOf("lim|it: {", base), [heir]);
  const local = occurrences(own, offsetOf("half(|x", base), [heir]);
  assert.ok(limit !== null && local !== null);
  assert.match(refusal(own, limit, "other") ?? "", "declared already");
  assert.match(refusal(own, limit, "x") ?? "", "declared already");
  assert.match(refusal(own, local, "y") ?? "", "declared already");
  assert.is(refusal(own, local, "z"), null);
});

test("names that every JavaScript object has are no fields", () => {
  const odd = "let:\n  a: video.constructor\n  b: video.toString\n";
  const analysis = analyse({ path: "odd.strategy", text: odd });
  for (let at = 0; at <= odd.length; at++) hover(analysis, at);
  assert.is(hover(analysis, offsetOf("const|ructor", odd)), null);
});

test("symbols are the sections with what they declare", () => {
  const symbols = documentSymbols(own);
  assert.equal(
    symbols.map(({ name }) => name),
    ["strategy", "params", "sources", "let", "video", "loss"],
  );
  assert.equal(
    symbols[1]?.children.map(({ name, kind }) => `${kind} ${name}`),
    ["parameter limit", "parameter folder"],
  );
  assert.equal(documentSymbols(analyse({ path: "a", text: "a: [" })), []);
});

test("sections and comments fold", () => {
  assert.equal(
    folds(own).map(({ from, to }) => `${from}-${to}`),
    ["0-1", "3-5", "6-9", "10-12", "13-16", "17-18"],
  );
});

test("hints tell the axes of named values and fields", () => {
  const hints = inlayHints(own).map(({ offset, label }) => `${text.slice(0, offset).split("\n").at(-1)}${label}`);
  assert.ok(
    hints.includes("  hole: mean(tokens(masks), channel) > limit ⟵ bool[batch, token:video]"),
    hints.join("\n"),
  );
  assert.ok(hints.includes("  keep: not hole ⟵ bool[batch, token:video]"), hints.join("\n"));
  assert.ok(hints.includes("  sigma: half(sampled()) ⟵ f32[batch]"), hints.join("\n"));
  assert.not.ok(hints.some((hint) => hint.startsWith("  latents: latents")));
});

test("words have their meaning as a colour", () => {
  const tokens = semanticTokens(own).map(({ span, type }) => `${text.slice(span.start, span.end)} ${type}`);
  for (const wanted of [
    "limit parameter",
    "masks variable",
    "mean function",
    "half function",
    "channel enumMember",
    "not keyword",
    "video namespace",
    "denoised property",
    "2 number",
    "> operator",
    "sampled function",
  ])
    assert.ok(tokens.includes(wanted), `${wanted} is not among ${tokens.join(", ")}`);
});

test("what can be run is offered at the name and at masks", () => {
  assert.equal(
    lenses(own).map(({ title, span }) => `${text.slice(span.start, span.end)}: ${title}`),
    ["strategy: test", "strategy: inspect", "keep: what is kept"],
  );
});

test("findings come with fixes, and warnings with a comment that allows them", async () => {
  const wrong = text.replace("keep: not hole", "keeep: not hole && hole");
  const analysis = analyse({ path: "fill.strategy", text: wrong });
  const found = findingsHere(analysis);
  assert.ok(found.length > 0 && actions(analysis, found).some(({ isPreferred }) => isPreferred));
  assert.match(await fixEverything({ path: "fill.strategy", text: wrong }), "keep: not hole and hole");
  const unused = text.replace("let:\n", "let:\n  spare: 1 + limit\n");
  const other = analyse({ path: "fill.strategy", text: unused });
  const [allow] = actions(other, findingsHere(other)).filter(({ title }) => title.startsWith("allow"));
  assert.ok(allow !== undefined);
  assert.equal(analyse({ path: "fill.strategy", text: applyEdits(unused, allow.edits) }).findings, []);
});

test("a mistake in a base stands where the base is named", () => {
  const broken: Library = { ...base, read: () => ({ path: "b.strategy", text: text.replace("> limit", "> limits") }) };
  const [finding] = findingsHere(analyse({ path: "child.strategy", text: childText }, broken));
  assert.match(finding?.message ?? "", /^b.strategy:12: nothing is named `limits`/);
  assert.is(childText.slice(finding?.span.start, finding?.span.end), "./fill.strategy");
});

test("nothing throws at any place of a broken file", () => {
  for (const broken of [
    "",
    "a",
    "- a",
    "strategy: [",
    "strategy: a\nlet: 3\nvideo: [1]\n",
    text.replace("let:", "let"),
    text.replace("not hole", "not ("),
  ]) {
    const analysis = analyse({ path: "a.strategy", text: broken });
    for (let at = 0; at <= broken.length; at += 5) {
      hover(analysis, at);
      definition(analysis, at);
      occurrences(analysis, at, [own]);
    }
    for (const all of [documentSymbols, folds, inlayHints, semanticTokens, lenses, findingsHere])
      assert.ok(Array.isArray(all(analysis)));
  }
});

test("a number with a unit says what it counts", () => {
  const text = "strategy: a\nvideo:\n  latents: latents\n  keep: prefix(12f) or suffix(33%)\n";
  const at = (piece: string) => hover(analyse({ path: "a.strategy", text }), text.indexOf(piece) + 1)?.text ?? "";
  assert.match(at("12f"), /^Pixel frames/);
  assert.match(at("33%"), /^Percent/);
});

test("`about` and `within` are words in `expect`, and names elsewhere", () => {
  const text =
    "strategy: a\nlet:\n  about: 1\nvideo:\n  latents: latents\nexpect:\n  - mean(video.sigma) about about within 0.2\n";
  const analysis = analyse({ path: "a.strategy", text });
  const line = text.indexOf("- mean");
  const at = (piece: string) => hover(analysis, text.indexOf(piece, line) + 1)?.text ?? "";
  assert.match(at("about about"), /on average/);
  assert.match(at("within"), /may be off/);
  const words = semanticTokens(analysis).map(({ span, type }) => `${text.slice(span.start, span.end)} ${type}`);
  assert.equal(
    words.filter((word) => /^(about|within)/.test(word)),
    ["about variable", "about keyword", "about variable", "within keyword"],
  );
});

test.run();
