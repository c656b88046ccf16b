// `extends`: what a file inherits, overrides and removes, and where its places are.
import { readdirSync, readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { check, compile, emitIr, type Library } from "./index.ts";
import { locate } from "./source/source-file.ts";

const test = suite("extends");

const base = `strategy: base
description: What others build on.
params:
  p: {type: number, default: 0.5, minimum: 0}
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
  keep: first_frame with probability p
loss:
  video: mse(video.prediction, video.target) over video.generated
`;

const library = (files: Readonly<Record<string, string>>): Library => ({
  root: null,
  names: [],
  read: (reference) => {
    const text = files[reference];
    return text === undefined ? null : { path: reference, text };
  },
});

function programOf(text: string, files: Readonly<Record<string, string>> = { base }): string {
  const { text: program, diagnostics } = emitIr({ path: "own.strategy", text }, { library: library(files) });
  assert.equal(
    diagnostics.map(({ message }) => message),
    [],
  );
  return program ?? "";
}

test("mappings merge at every depth, anything else replaces", () => {
  const { program } = check(
    {
      path: "own.strategy",
      text: "strategy: own\nextends: base\nparams: {p: {default: 0.9}}\nsources: {latents: {directory: clips}}\n",
    },
    { library: library({ base }) },
  );
  assert.is(program?.name, "own");
  assert.is(program?.description, "What others build on.");
  const [param] = program?.params ?? [];
  assert.equal([param?.name, param?.type], ["p", "number"]);
  assert.equal(param?.schema, { type: "number", default: 0.9, minimum: 0 });
  assert.is(program?.sources[0]?.directory, "clips");
  assert.is(program?.sources[0]?.kind, "video_latents");
});

test("null removes", () => {
  const text = "strategy: own\nextends: base\nparams: {p: null}\nvideo: {keep: null}\n";
  assert.not.match(programOf(text), "video.keep");
});

test("three levels: the nearest counts", () => {
  const middle =
    "strategy: middle\nextends: base\nvideo:\n  keep: prefix(2)\n  noise: 2 * randn()\nparams: {p: null}\n";
  const program = programOf("strategy: own\nextends: middle\nvideo: {keep: prefix(3)}\n", { base, middle });
  assert.match(program, "less(video.frame_index, 3)");
  assert.match(program, 'mul(2, randn "video.noise"');
});

test("a file that only extends another means the same", () => {
  const folder = new URL("builtin/", import.meta.url);
  for (const name of readdirSync(folder)) {
    const text = readFileSync(new URL(name, folder), "utf8");
    const own = text.replace(/^strategy: (.*)$/m, "strategy: own");
    assert.is(programOf("strategy: own\nextends: base\n", { base: text }), programOf(own, {}));
  }
});

test("a finding lies in the file that is wrong, its labels where they belong", () => {
  const wrong = base.replace(
    "mse(video.prediction, video.target) over video.generated",
    "mse(video.prediction, video.target)",
  );
  const { file, diagnostics } = check(
    { path: "own.strategy", text: "strategy: own\nextends: base\nvideo: {keep: first_frame}\nparams: {p: null}\n" },
    { library: library({ base: wrong }) },
  );
  const [found] = diagnostics;
  assert.is(found?.code, "LTX5002");
  const place = (offset: number) => {
    const { file: own, begin } = locate(file, offset);
    return `${own.path}: ${own.text.slice(offset - begin, offset - begin + 11)}`;
  };
  assert.is(place(found?.span.start ?? 0), "base: mse(video.p");
  assert.is(place(found?.labels[0]?.span.start ?? 0), "own.strategy: first_frame");
});

test("the source map leads into both files, and the hash counts both", async () => {
  const text = "strategy: own\nextends: base\nvideo: {keep: prefix(2)}\nparams: {p: null}\n";
  const built = await compile({ path: "own.strategy", text }, { library: library({ base }) });
  const map = JSON.parse(built.artifacts.find(({ name }) => name.endsWith(".map"))?.text ?? "{}") as {
    sources: string[];
    sourcesContent: string[];
  };
  assert.equal(map.sources.toSorted(), ["base", "own.strategy"]);
  assert.equal(map.sourcesContent.toSorted(), [text, base].toSorted());
  const hashIn = (artifacts: typeof built.artifacts) => /sourceHash: "(\w+)"/.exec(artifacts[0]?.text ?? "")?.[1];
  const other = await compile({ path: "own.strategy", text }, { library: library({ base: `${base}# more\n` }) });
  assert.is.not(hashIn(built.artifacts), hashIn(other.artifacts));
});

test("comments quote the file in which a value is written", async () => {
  const built = await compile(
    { path: "own.strategy", text: "strategy: own\nextends: base\n" },
    { library: library({ base }) },
  );
  assert.match(built.artifacts[0]?.text ?? "", "// video.keep: first_frame with probability p");
});

test.run();
