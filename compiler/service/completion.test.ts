// What is offered at each kind of place, in files that are being written: the cursor is the `|`.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Library } from "../1-parse/inherit.ts";
import { functionDocs, fieldDocs, keywordDocs, methodDocs, progressDocs } from "../2-check/builtin-docs.ts";
import { argumentNames, functionNames, keywords, membersOf, methodsOf, progressNames } from "../2-check/builtins.ts";
import { analyseAt, complete, placeAt, signature, type Around, type Completion } from "./index.ts";

const test = suite("completion");

const head = `strategy: fill
params:
  limit: {type: number, default: 0.5}
  strict: {type: boolean, default: false}
  folder: {type: string, default: masks}
sources:
  latents: {directory: latents, kind: video_latents}
  masks: {directory: masks, kind: video_latents}
  m: {directory: m, kind: video_mask}
  conditions: {directory: conditions, kind: text_embeddings}
`;
const tail = `let:
  hole: mean(tokens(masks), channel) > limit
  half(x): x / 2
  level: video.sigma * 2
loss:
  fill: mse(video.prediction, video.target) over hole
`;

/** All that is offered at the `|` of a text. */
function offered(marked: string, around?: Around, library?: Library): readonly Completion[] {
  const offset = marked.indexOf("|");
  const text = marked.slice(0, offset) + marked.slice(offset + 1);
  return complete(analyseAt({ path: "a.strategy", text }, offset, library), text, offset, around);
}

const labels = (marked: string, around?: Around, library?: Library) =>
  offered(marked, around, library).map(({ label }) => label);

/** What is offered in a section of its own. */
const inSection = (section: string) => labels(`${head}${section}\n${tail}`);

function includes(all: readonly string[], ...wanted: readonly string[]): void {
  for (const each of wanted) assert.ok(all.includes(each), `${each} is not among ${all.join(", ")}`);
}

function excludes(all: readonly string[], ...unwanted: readonly string[]): void {
  for (const each of unwanted) assert.not(all.includes(each), `${each} is among ${all.join(", ")}`);
}

test("behind `not` there are masks, those of the file first", () => {
  const all = inSection("video:\n  latents: latents\n  keep: not |");
  includes(all, "hole", "strict", "m > 0.5", "first_frame", "prefix", "all");
  excludes(all, "level", "limit", "sigma", "mse", "conditions", "folder");
  assert.ok(all.indexOf("hole") < all.indexOf("first_frame"));
});

test("a key without a value yet, a list's entry, and a list in brackets ask for the same", () => {
  for (const keep of [
    "keep: |",
    "keep:\n    |",
    "keep:\n    - |",
    "keep: [|]",
    "keep:\n    - hole\n    - fir|",
    "keep:\n  - |",
  ]) {
    const all = inSection(`video:\n  latents: latents\n  ${keep}`);
    includes(all, "hole", "first_frame", "prefix");
    excludes(all, "limit", "latents");
  }
});

test("behind a point there are the fields of what stands before it", () => {
  const video = inSection("video:\n  latents: latents\n  sigma: video.|");
  includes(video, "sigma", "keep", "prefix", "frame_index", "fps");
  excludes(video, "steps", "hole", "mse");
  assert.equal(inSection("video:\n  latents: latents\n  sigma: latents.|"), ["frames", "height", "width", "fps"]);
  const passes = "passes:\n  ref: {adapters: false}\nvideo:\n  latents: latents\n  denoised: ref.";
  assert.equal(inSection(`${passes}|`), ["video"]);
  includes(inSection(`${passes}video.|`), "prediction", "target");
});

test("behind `over` there are masks and weights, masks first", () => {
  const all = labels(
    `${head}video:\n  latents: latents\nlet:\n  hole: m > 0.5\n  level: video.sigma * 2\nloss:\n  fill: mse(video.prediction, video.target) over |`,
  );
  includes(all, "hole", "level", "video.generated", "all");
  excludes(all, "mse", "conditions");
  assert.ok(all.indexOf("hole") < all.indexOf("level"));
});

test("an operand is followed by operators, a loss by `over`, a draw by `per`, an entry by its probability", () => {
  includes(labels(`${head}${tail.replace("over hole", "|")}`), "over", "and");
  includes(inSection("video:\n  latents: latents\n  keep: hole |"), "with probability");
  includes(inSection("video:\n  latents: latents\n  keep: hole with |"), "probability");
  includes(inSection("video:\n  latents: latents\n  sigma: sampled() |"), "per");
  includes(inSection("video:\n  latents: latents\n  sigma: sampled() per |"), "frame", "token");
  includes(inSection("video:\n  latents: latents\n  sigma: if strict |"), "then");
});

test("what would lead back to itself is not offered, and a loss compares a prediction with its target", () => {
  excludes(inSection("video:\n  latents: latents\n  keep: |"), "keep", "generated");
  excludes(inSection("video:\n  latents: latents\n  noisy: |"), "noisy", "prediction");
  const loss = `${head}video:\n  latents: latents\nloss:\n  fill: mse(`;
  assert.is(labels(`${loss}|`)[0], "video.prediction");
  assert.is(labels(`${loss}video.prediction, |`)[0], "video.target");
  includes(labels(`${head}let:\n  hole: m |\n`), ">", "and");
});

test("the default of a parameter is one of its values", () => {
  assert.equal(labels("strategy: a\nparams:\n  on: {type: boolean, default: |}"), ["true", "false"]);
  assert.equal(labels("strategy: a\nparams:\n  kind: {type: string, enum: [x, y], default: |}"), ["x", "y"]);
});

test("an argument is asked for what the function takes", () => {
  const mask = inSection("video:\n  latents: latents\n  sigma: 0.5 * float(|)");
  includes(mask, "hole", "strict");
  excludes(mask, "limit");
  const axis = labels(`${head}video: {latents: latents}\nlet:\n  v: mean(tokens(masks), axis=|`);
  includes(axis, "channel", "frame");
  const attention = "video:\n  latents: latents\n  references: [masks]\n  attention: not from(|)";
  assert.equal(inSection(attention), ["masks"]);
});

test("`has` takes optional sources, `in` data sets", () => {
  const sources =
    "strategy: a\nsources:\n  latents: {directory: latents, kind: video_latents}\n  depth: {directory: depth, kind: video_latents, optional: true}\n";
  const sets = "datasets:\n  subject: {}\n  prior: {root: class_clips, share: 0.5}\n";
  const loss = (text: string) => labels(`${sources}${sets}video: {latents: latents}\nloss:\n  x: ${text}`);
  assert.equal(loss("mse(video.prediction, video.target) over has(|)"), ["depth"]);
  assert.equal(loss("if in(|) then 1 else 2"), ["subject", "prior"]);
  includes(loss("if |"), "in(prior)", "has");
});

test("sources are offered where a modality takes them", () => {
  assert.equal(inSection("video:\n  latents: |"), ["latents", "masks"]);
  assert.equal(inSection("video:\n  latents: latents\n  text: |"), ["conditions"]);
  assert.equal(inSection("video:\n  latents: latents\n  references:\n    - |"), ["latents", "masks"]);
  includes(labels(`${head.replace("kind: video_mask", "kind: video_latents, like: |")}${tail}`), "latents", "masks");
});

test("keys that may still be written, in blocks and in braces, also while the line has no colon", () => {
  const sections = labels(`${head}|\n${tail}`);
  includes(sections, "video", "audio", "passes", "expect");
  excludes(sections, "params", "sources", "let");
  const video = inSection("video:\n  latents: latents\n  ke|");
  includes(video, "keep", "sigma", "references");
  excludes(video, "latents");
  const source = labels(`strategy: a\nsources:\n  x: {directory: a, |}\n`);
  includes(source, "kind", "key");
  excludes(source, "directory");
  assert.match(offered(`${head}vi|`).find(({ label }) => label === "video")?.insert ?? "", "video:\n  $0");
});

test("values that a key chooses from", () => {
  assert.equal(labels("strategy: a\nsources:\n  x: {kind: |}"), [
    "video_latents",
    "audio_latents",
    "text_embeddings",
    "video_mask",
    "audio_mask",
    "tensor",
  ]);
  assert.equal(labels("strategy: a\nvideo:\n  generate: |"), ["true", "false"]);
  assert.equal(labels("strategy: a\nextends: |", { strategies: ["inpainting", "./b.strategy"] }), [
    "inpainting",
    "./b.strategy",
  ]);
  assert.equal(labels("strategy: a\noutputs:\n  middle: {tap: |}", { blocks: 2 }), [
    "block 0",
    "block 1",
    "block -1",
    "block -2",
  ]);
  assert.equal(labels("strategy: a\noutputs:\n  middle: {tap: |}"), ["block 0", "block -1"]);
});

test("text with `${` takes parameters, and nothing elsewhere", () => {
  const all = labels(`${head.replace("directory: masks", 'directory: "${|"')}${tail}`);
  includes(all, "folder", "limit");
  excludes(all, "hole", "mse");
  assert.equal(labels(`${head.replace("directory: masks", 'directory: "ma|"')}${tail}`), []);
});

test("arguments of a `let` are offered in its value", () => {
  includes(labels(`${head}let:\n  scaled(x, y): |\n`), "x", "y", "limit");
});

test("nothing in comments, and nothing behind a closed collection", () => {
  assert.equal(labels(`${head}# a |\n${tail}`), []);
  assert.equal(inSection("video:\n  latents: latents # a |"), []);
  assert.equal(labels("strategy: a\nsources:\n  x: {kind: tensor} |"), []);
});

test("a value on several lines, and in quotes", () => {
  includes(inSection("video:\n  latents: latents\n  target: clean +\n    video.|"), "noise", "clean");
  includes(inSection('video:\n  latents: latents\n  keep: "not |"'), "hole");
  includes(inSection("video:\n  latents: latents\n  keep: >\n    not |"), "hole");
});

test("a file that extends another offers what it may override", () => {
  const base = `strategy: base\n${head.slice(head.indexOf("params"))}video: {latents: latents}\n${tail}`;
  const library: Library = { root: null, names: ["base"], read: () => ({ path: "base.strategy", text: base }) };
  includes(labels("strategy: a\nextends: base\nparams:\n  |", {}, library), "limit", "folder");
  includes(labels("strategy: a\nextends: base\nvideo:\n  keep: not |", {}, library), "hole");
});

test("broken lines elsewhere do not keep the rest from being known", () => {
  includes(labels(`${head}video:\n  latents: latents\n  keep: not |\n  @\n   x\n${tail}`), "hole");
});

test("every place of every prefix of a strategy has an answer", () => {
  const text = `${head}video:\n  latents: latents\n  keep:\n    - not hole with probability 0.5\n  sigma: "sampled() per frame" # x\n${tail}`;
  for (let i = 0; i <= text.length; i += 17) assert.ok(Array.isArray(labels(`${text.slice(0, i)}|`)), `at ${i}`);
});

test("the call at hand and its argument", () => {
  const help = (marked: string) => {
    const offset = marked.indexOf("|");
    const text = marked.replace("|", "");
    return signature(analyseAt({ path: "a.strategy", text }, offset), text, offset);
  };
  const loss = help(
    `${head}${tail.replace("mse(video.prediction, video.target) over hole", "huber(video.prediction, max(1, 2), |")}`,
  );
  assert.is(loss?.forms[0]?.label, "huber(a, b, delta)");
  assert.is(loss?.active, 2);
  const own = help(`${head}${tail}expect:\n  - half(|`);
  assert.equal(own?.forms[0], { label: "half(x)", parameters: ["x"] });
  assert.is(help(`${head}${tail}expect:\n  - max(|`)?.forms.length, 2);
  assert.is(help(`${head}${tail}expect:\n  - |`), null);
  assert.is(help("# mse(|"), null);
});

test("the path of a cursor", () => {
  const place = (marked: string) => placeAt(marked.replace("|", ""), marked.indexOf("|"));
  assert.equal(place("a:\n  b: x\n  c|").path, ["a"]);
  assert.equal(place("a:\n  - x\n  - y: |").path, ["a", 1, "y"]);
  assert.equal(place("a:\n- x\n- |").path, ["a", 1]);
  assert.equal(place("a: {b: [1, {c: |").path, ["a", "b", 1, "c"]);
  assert.equal(place("a: {b: 1,\n  c: |").path, ["a", "c"]);
  assert.equal(place('"a b":\n  c: |').path, ["a b", "c"]);
  assert.equal(place("a:\n  b:\n    c: 1\n|").path, []);
  assert.is(place("a: 'it # |").kind, "value");
});

test("a reference that is noised has the fields of its noise", () => {
  const of = (references: string) =>
    labels(`strategy: a
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
  style: {directory: style, kind: video_latents}
video:
  latents: latents
  references: ${references}
loss:
  a: mse(video.prediction, video.target) + mean(style.|)
`);
  assert.ok(
    ["noisy", "timesteps", "sigma", "noise", "frames"].every((label) =>
      of("{source: style, sigma: 0.1}").includes(label),
    ),
  );
  assert.not(of("style").includes("noisy"));
});

const noised = (rest: string) => `strategy: a
language: 2
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
  style: {directory: style, kind: video_latents}
weights:
  concept: {axes: [text: 8, hidden], like: conditions}
${rest}
`;

test("a reference that is a mapping has its keys and their values", () => {
  const inReferences = (piece: string) => labels(noised(`video:\n  latents: latents\n  references:\n${piece}`));
  assert.equal(inReferences("    - {source: style, |}"), ["probability", "sigma", "noise"]);
  assert.equal(inReferences("    - source: style\n      |"), ["probability", "sigma", "noise"]);
  includes(inReferences("    - {source: |}"), "style");
  includes(inReferences('    - {source: style, sigma: "|"}'), "uniform", "randn");
});

test("`insert` takes a source of text and weights", () => {
  const inText = (piece: string) => labels(noised(`video:\n  latents: latents\n  text: ${piece}`));
  includes(inText("|"), "insert", "conditions");
  assert.equal(inText("insert(|"), ["conditions"]);
  assert.equal(inText("insert(conditions, |"), ["concept"]);
});

test("what weights begin with, and their axes", () => {
  const inWeight = (piece: string) => labels(noised("").replace("like: conditions}", `like: conditions, ${piece}}`));
  assert.equal(inWeight("init: |"), ["randn(0.02)", "0"]);
  assert.equal(labels(noised("").replace("[text: 8, hidden]", "[|]")), ["text: 8", "hidden"]);
});

test("networks: their keys, architectures and layers, and their calls in a loss", () => {
  const inNetworks = (piece: string) => labels(noised(`networks:\n  decode: ${piece}`));
  includes(inNetworks("{|}"), "architecture", "from", "window", "prefix", "type");
  assert.equal(inNetworks("{architecture: |}"), ["ltx_video_decoder", "ltx_video_encoder"]);
  includes(inNetworks("{architecture: [|]}"), "linear 64", "gelu");
  const network = "networks:\n  decode: {architecture: ltx_video_decoder}\n";
  includes(labels(noised(`${network}video:\n  latents: latents\nloss:\n  pixels: mae(|`)), "decode");
});

test("arguments that are given by name, and axes by name in version 2 of the language", () => {
  const inVideo = (piece: string) => labels(noised(`video:\n  latents: latents\n  sigma: ${piece}`));
  includes(inVideo("shifted_logit_normal(|"), "std=", "eps=");
  excludes(inVideo("shifted_logit_normal(std=|"), "std=");
  includes(inVideo("mean(clean, |"), "axis=channel");
  includes(inVideo("mean(clean, axis=|"), "channel");
  includes(labels("strategy: a\nlet:\n  a: mean(x, |"), "channel");
});

test("lengths are offered in the units of their place, and the number that is written in each of them", () => {
  const inVideo = (keep: string) => labels(`${head}video:\n  latents: latents\n  keep: ${keep}\n${tail}`);
  assert.equal(inVideo("prefix(|").slice(0, 4), ["1lf", "9f", "0.5s", "25%"]);
  includes(inVideo("prefix(|"), "limit");
  assert.equal(inVideo("prefix(12|)"), ["12lf", "12f", "12s", "12%"]);
  assert.equal(inVideo("suffix(0.5l|)"), ["0.5lf", "0.5f", "0.5s", "0.5%"]);
  assert.equal(inVideo('"crop(0, 64|)"'), ["64px", "64%"]);
  assert.equal(inVideo("first_frame or prefix(frames - 1|)"), ["1lf", "1f", "1s", "1%"]);
  assert.equal(inVideo("audio.prefix(2|)"), ["2lf", "2s", "2%"]);
  excludes(inVideo("frame_index > 2|"), "2lf");
  const marked = `${head}video:\n  latents: latents\n  keep: prefix(12l|`;
  const [first] = offered(marked);
  assert.is(marked.slice(first?.replace.start, first?.replace.end), "12l");
  assert.equal(labels(`${head.replace("default: 0.5", "unit: |")}`), ["lf", "f", "s", "px", '"%"']);
});

test("an average has `about` behind it, and that a number and `within`", () => {
  const inExpect = (entry: string) => labels(`${head}${tail}expect:\n  - ${entry}`);
  includes(inExpect("mean(video.sigma) |"), "about");
  includes(inExpect("mean(video.sigma) about |"), "limit");
  excludes(inExpect("mean(video.sigma) about |"), "hole", "about", "within");
  includes(inExpect("mean(video.sigma) about 0.5 |"), "within");
  excludes(inExpect("mean(video.sigma) about 0.5 |"), "about");
  includes(inExpect("mean(video.sigma) about 0.5 within |"), "limit");
  excludes(inExpect("mean(video.sigma) about 0.5 within 0.1 |"), "within", "about");
});

test("every built-in has its documentation, with the names of its arguments", () => {
  assert.equal(Object.keys(functionDocs).toSorted(), [...new Set(functionNames)].toSorted());
  assert.equal(Object.keys(methodDocs).toSorted(), Object.keys({ ...methodsOf.video, ...methodsOf.audio }).toSorted());
  assert.equal(Object.keys(fieldDocs).toSorted(), [...new Set([...membersOf.video, ...membersOf.audio])].toSorted());
  assert.equal(Object.keys(progressDocs), Object.keys(progressNames));
  assert.equal(Object.keys(keywordDocs), keywords);
  for (const [name, names] of Object.entries(argumentNames))
    assert.equal(
      (functionDocs[name] ?? methodDocs[name])?.forms[0]?.map((parameter) => parameter.name),
      names,
      name,
    );
});

test("a text parameter is compared with what its `enum` lists, in the quotes that are there", () => {
  const start = `${head.replace("params:", "params:\n  mode: {type: string, enum: [soft, hard]}")}let:\n`;
  const after = (value: string) => labels(`${start}  x: ${value}\n`);
  includes(after("if |"), 'mode == "soft"', 'mode == "hard"');
  assert.equal(after("if mode == |"), ['"soft"', '"hard"']);
  assert.equal(after("if not mode != 's|"), ["'soft'", "'hard'"]);
  includes(after("if limit == |"), "limit");
  excludes(labels(start.replace("directory: masks,", 'directory: "${|}",')), 'mode == "soft"');
});

test("the braces of a tap and of the width of a head hold numbers of parameters alone", () => {
  const start = `${head.replace("params:", "params:\n  layer: {type: integer, default: 3}")}outputs:\n`;
  for (const output of ['{tap: "block ${|}", modality: video}', '{linear: a, features: "${|}"}']) {
    const all = labels(`${start}  a: ${output}\n`);
    includes(all, "layer", "limit");
    excludes(all, "folder", "latents", "block 0");
  }
});

test("a data set lacks sources, and a directory is a folder of the data where the caller knows them", () => {
  const all = labels(`${head}datasets:\n  a: {without: [|]}\n`);
  includes(all, "latents", "m", "conditions");
  excludes(all, "limit");
  assert.equal(labels(`sources:\n  a: {directory: de|}\n`, { folders: ["depth", "masks"] }), ["depth", "masks"]);
});

test("a text that begins with an empty line is completed at its first character", () => {
  const [first] = offered("|\nstrategy: a\n");
  assert.equal(first?.replace, { start: 0, end: 0 });
});

test.run();
