// Every strategy of the project, written anew for version 2 of the language, is the same program.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { check, emitIr, type Library } from "../index.ts";
import { upgrade } from "./upgrade.ts";

const test = suite("upgrade");
const root = fileURLToPath(new URL("../../", import.meta.url));
const builtin = (name: string) => join(root, "compiler/builtin", `${name}.strategy`);
const paths = ["examples", "compiler/builtin"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".strategy"))
    .map((name) => join(root, folder, name)),
);
const library: Library = {
  root,
  names: [],
  read: (name) => ({ path: builtin(name), text: readFileSync(builtin(name), "utf8") }),
};

const upgraded = (text: string): string => upgrade({ path: "example.strategy", text }).text ?? "";

test("each strategy of the project means the same, and has no finding that it had not", () => {
  assert.ok(paths.length > 35);
  for (const path of paths) {
    const text = readFileSync(path, "utf8");
    const after = upgraded(text);
    assert.match(after, /^language: 2$/m, path);
    const [old, made] = [emitIr({ path, text }, { library }), emitIr({ path, text: after }, { library })];
    assert.ok(old.text !== null, path);
    assert.is(made.text, old.text, path);
    assert.equal(
      made.diagnostics.map(({ code }) => code),
      old.diagnostics.map(({ code }) => code),
      path,
    );
    assert.is(upgraded(after), after, path);
  }
});

const head = `strategy: example
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
loss:
  v: `;

test("axes of reductions get their name; comparisons, comments and other functions stay", () => {
  const text = `${head}mean(max((video.prediction - video.target)^2, channel, token)) + max(0, video.sigma) # mean(x, frame)
  w: mean(norm(video.prediction - shift(video.target, frame, 1), token))
`;
  const after = upgraded(text);
  assert.match(
    after,
    "mean(max((video.prediction - video.target)^2, axis=channel, axis=token)) + max(0, video.sigma) # mean(x, frame)",
  );
  assert.match(after, "mean(norm(video.prediction - shift(video.target, frame, 1), axis=token))");
  assert.match(after, /^strategy: example\nlanguage: 2\nsources:/);
  assert.equal(check({ path: "example.strategy", text: after }).diagnostics, []);
  assert.is(emitIr({ path: "e", text: after }).text, emitIr({ path: "e", text }).text);
});

test("axes in passes get their name, too", () => {
  const pass = "passes:\n  near:\n    video:\n      noisy: video.noisy - 0.1 * mean(video.noisy, token)\nvideo:\n";
  const text = `${head.replace("video:\n", pass)}mse(near.video.prediction, video.prediction)\n`;
  const after = upgraded(text);
  assert.match(after, "mean(video.noisy, axis=token)");
  assert.equal(check({ path: "example.strategy", text: after }).diagnostics, []);
  assert.is(emitIr({ path: "e", text: after }).text, emitIr({ path: "e", text }).text);
});

test("version 1 is raised where it is written, a text that is no strategy is left alone", () => {
  assert.match(
    upgraded(`language: 1\n${head}mse(video.prediction, video.target)\n`),
    /^language: 2\nstrategy: example/,
  );
  assert.is(upgrade({ path: "e", text: "strategy: [\n" }).text, null);
});

test("in version 2 an axis without its name is an error with the mend, in a file that is extended it is not", () => {
  const text = `language: 2\n${head}mean(mean((video.prediction - video.target)^2, channel))\n`;
  const { diagnostics } = check({ path: "example.strategy", text });
  assert.equal(
    diagnostics.map(({ code, fix }) => [code, fix?.edits.map((edit) => edit.text)]),
    [["LTX4050", ["axis="]]],
  );
  const base = text.replace("language: 2\n", "").replace("example", "base");
  const child = "strategy: child\nlanguage: 2\nextends: base\n";
  const found = check({ path: "c", text: child }, { library: { ...library, read: () => ({ path: "b", text: base }) } });
  assert.equal(found.diagnostics, []);
});

test.run();
