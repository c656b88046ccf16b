// What a user's editor shows in a new project, with the language server that it runs.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { startEditor, type Editor, type EditorDiagnostic } from "./editor.ts";
import { ltxc } from "./testing.ts";

interface Context {
  cwd: string;
  editor: Editor;
  train: { path: string; text: string };
  strategy: { path: string; text: string };
}

const test = suite<Context>("editor");

/** A strategy of the project's own, next to that of `ltxc init`. */
const own = `strategy: framewise
description: Every frame has its own noise level.
params:
  highest: {type: number, default: 1, exclusiveMinimum: 0, maximum: 1, description: The highest noise level}
  kind: {type: string, enum: [linear, cosine]}
sources:
  latents: {directory: "\${kind}", kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
  sigma: highest * sampled() per frame
loss:
  flow: mse(video.prediction, video.target)
`;

test.before(async (context) => {
  context.cwd = await mkdtemp(join(tmpdir(), "ltxc-editor-"));
  const { cwd } = context;
  assert.is((await ltxc(["init"], { cwd })).code, 0);
  await writeFile(join(cwd, "framewise.strategy"), own);
  assert.is((await ltxc(["schema"], { cwd })).code, 0);
  const read = async (name: string) => ({ path: join(cwd, name), text: await readFile(join(cwd, name), "utf8") });
  // A comment behind a value keeps the server from completing it.
  const train = await read("train.yaml");
  context.train = { ...train, text: train.text.replace(/ +#.*$/gm, "") };
  context.strategy = await read("inpainting.strategy");
  context.editor = await startEditor(cwd);
});
test.after(async ({ cwd, editor }) => {
  await editor.close();
  await rm(cwd, { recursive: true });
});

/** A text with one piece replaced, which must be there. */
function change(text: string, from: string, to: string): string {
  assert.ok(text.includes(from), `there is no ${from}`);
  return text.replace(from, () => to);
}

/** `line:column-column message` of each, from 1 as editors count. */
function shown(diagnostics: readonly EditorDiagnostic[]): string[] {
  return diagnostics.map(({ range: { start, end }, message }) => {
    return `${start.line + 1}:${start.character + 1}-${end.character + 1} ${message}`;
  });
}

/** Where a piece of a text stands, as in `shown`. */
function at(text: string, piece: string): string {
  const before = text.slice(0, text.indexOf(piece)).split("\n");
  const column = (before.at(-1)?.length ?? 0) + 1;
  return `${before.length}:${column}-${column + piece.length}`;
}

test("a new project has nothing to complain about", async ({ editor, train, strategy }) => {
  assert.equal(await editor.open(train.path, train.text), []);
  assert.equal(await editor.open(strategy.path, strategy.text), []);
});

test("completes the strategies of the project and their params", async ({ editor, train: { path, text } }) => {
  const names = await editor.complete(path, change(text, "name: inpainting", "name: |"));
  for (const name of ["inpainting", "framewise", "text_to_video"]) assert.ok(names.includes(name), names.join());
  const section = change(text, "name: inpainting\n", "name: framewise\n").replace(/\n {2}mask_\w+:.*/g, "");
  const params = await editor.complete(path, change(section, "name: framewise\n", "name: framewise\n  |\n"));
  assert.ok(params.includes("highest") && params.includes("kind"), params.join());
  assert.not.ok(params.includes("mask_threshold"), params.join());
  const kinds = await editor.complete(path, change(section, "name: framewise\n", "name: framewise\n  kind: |\n"));
  assert.equal(kinds, ["linear", "cosine"]);
});

test("completes keys and values of the run config, without those of older releases", async ({ editor, train }) => {
  const { path, text } = train;
  const modes = await editor.complete(path, change(text, "training_mode: lora", "training_mode: |"));
  assert.equal(modes, ["lora", "full"]);
  const keys = await editor.complete(path, change(text, "  interval: null\n", "  interval: null\n  |\n"));
  assert.ok(keys.includes("video_cfg_scale"), keys.join());
  assert.not.ok(keys.includes("guidance_scale"), keys.join());
  const sections = await editor.complete(path, change(text, "seed: 42\n", "|\nseed: 42\n"));
  for (const key of ["acceleration", "wandb", "hub"]) assert.ok(sections.includes(key), sections.join());
});

test("completes keys and values of strategies", async ({ editor, strategy: { path, text } }) => {
  const kinds = await editor.complete(path, change(text, "kind: text_embeddings", "kind: |"));
  assert.ok(kinds.includes("text_embeddings") && kinds.includes("tensor"), kinds.join());
  const keys = await editor.complete(path, change(text, "  fps: 24\n", "  fps: 24\n  |\n"));
  for (const key of ["references", "attention", "sigma"]) assert.ok(keys.includes(key), keys.join());
  const sections = await editor.complete(path, `${text}\n|`);
  for (const key of ["audio", "outputs", "metadata"]) assert.ok(sections.includes(key), sections.join());
});

test("explains keys on hover", async ({ editor, train, strategy }) => {
  await editor.open(train.path, train.text);
  await editor.open(strategy.path, strategy.text);
  assert.match(await editor.hover(train.path, "learning_rate"), "Step width of the optimizer");
  assert.match(await editor.hover(train.path, "mask_threshold"), "Mask latents above it are filled in");
  assert.match(await editor.hover(train.path, "name: inpainting"), "Every frame has its own noise level.");
  assert.match(await editor.hover(strategy.path, "keep:"), "Tokens that stay clean");
  assert.match(await editor.hover(strategy.path, "text_embeddings"), "What a sample's file holds.");
});

test("marks mistakes in the run config at their places", async ({ editor, train }) => {
  const { path } = train;
  const text = [
    ["rank: 8", "rank: many"],
    ["mask_threshold: 0.5", "mask_threshold: 7"],
    ["learning_rate:", "leraning_rate:"],
    ["training_mode: lora", "training_mode: loar"],
    ["interval: null", "guidance_scale: 3"],
  ].reduce((changed, [from = "", to = ""]) => change(changed, from, to), train.text);
  assert.equal(
    shown(await editor.open(path, text)).toSorted(),
    [
      `${at(text, "many")} Expected a whole number`,
      `${at(text, "7")} Value is above the maximum of 1.`,
      `${at(text, "leraning_rate")} Property leraning_rate is not allowed.`,
      `${at(text, "loar")} Value is not accepted. Valid values: "lora", "full".`,
      `${at(text, "guidance_scale: 3")} \`guidance_scale\` is an older name. Write \`video_cfg_scale\` and \`audio_cfg_scale\` instead.`,
    ].toSorted(),
  );
  const unknown = change(train.text, "name: inpainting", "name: inpaintin");
  assert.match(shown(await editor.open(path, unknown)).join(), /Value is not accepted.*framewise/);
});

test("marks mistakes in a strategy at their places", async ({ editor, strategy }) => {
  const { path } = strategy;
  const text = [
    ["kind: text_embeddings", "kind: texts"],
    ["keep:", "kepp:"],
    ["minimum: 0", "minimum: zero"],
  ].reduce((changed, [from = "", to = ""]) => change(changed, from, to), strategy.text);
  const kinds = '"video_latents", "audio_latents", "text_embeddings", "video_mask", "audio_mask", "tensor"';
  assert.equal(
    shown(await editor.open(path, text)).toSorted(),
    [
      `${at(text, "texts")} Value is not accepted. Valid values: ${kinds}.`,
      `${at(text, "kepp")} Property kepp is not allowed.`,
      `${at(text, "zero")} Incorrect type. Expected "number".`,
    ].toSorted(),
  );
});

test.run();
