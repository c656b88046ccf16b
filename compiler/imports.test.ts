// Imported functions: how they are called, bundled and refused.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compile, emitIr, type Library } from "./index.ts";

const test = suite<{ root: string }>("imports");

test.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), "imports-"));
});
test.after.each(({ root }) => rmSync(root, { recursive: true }));

const strategy = (type: string, call: string, more = ""): string => `strategy: own
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
imports:
  apart: {from: ./lib/apart.ts, type: "${type}"}
${more}video:
  latents: latents
loss:
  velocity: mse(video.prediction, video.target)
  own: ${call}
`;
const library = (root: string): Library => ({ root, names: [], read: () => null });

function files(root: string, texts: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(root, name), text);
}

test("arguments get the declared axes in the declared order", () => {
  const type =
    "(a: f32[batch, channel, frame, height, width], b: f32[channel, token:video, batch], k: number) -> f32[batch]";
  const { text } = emitIr({ path: "own.strategy", text: strategy(type, "apart(latents, video.prediction, 2)") });
  assert.match(text ?? "", "term own (video) = apart(source.latents, broadcast(video.prediction), 2)");
});

test("a value that lacks an axis is repeated along it", () => {
  const type = "(a: f32[batch, token:video]) -> f32[batch]";
  const { text } = emitIr({ path: "own.strategy", text: strategy(type, "apart(video.sigma)") });
  assert.match(text ?? "", "apart(broadcast(video.sigma))");
});

test("what is imported is bundled with what it imports itself, and the source map leads there", async ({ root }) => {
  files(root, {
    "apart.ts":
      'import { twice } from "./twice.ts";\nimport type { Ops, Tensor } from "ltxc/contract";\nexport const apart = (ops: Ops, a: Tensor, b: Tensor): Tensor => ops.mean(twice(ops, ops.sub(a, b)), [1, 2]);\n',
    "twice.ts": "export const twice = (ops: any, x: any) => ops.mul(x, 2);\n",
  });
  const text = strategy(
    "(a: tokens:video, b: tokens:video) -> f32[batch]",
    "apart(video.prediction, video.target)",
  ).replace("./lib/", "./");
  const { artifacts, diagnostics } = await compile({ path: "own.strategy", text }, { library: library(root) });
  assert.equal(diagnostics, []);
  const of = (end: string) => artifacts.find(({ name }) => name.endsWith(end))?.text ?? "";
  assert.match(of(".ts"), 'import { apart } from "./apart.ts";');
  assert.match(of(".ts"), "apart(ops, videoPrediction, videoTarget)");
  assert.not.match(of(".mjs"), /^import /m);
  assert.match(of(".mjs"), "ops.mul(x, 2)");
  const { sources } = JSON.parse(of(".map")) as { sources: string[] };
  assert.equal(sources.toSorted(), ["apart.ts", "own.strategy", "twice.ts"]);
});

test("a strategy that was named by its absolute path imports what lies next to it", async ({ root }) => {
  files(root, { "apart.ts": "export const apart = (ops: any, a: any) => ops.mul(a, 2);\n" });
  const text = strategy("(a: f32[batch]) -> f32[batch]", "apart(mean(video.prediction, token, channel))").replace(
    "./lib/",
    "./",
  );
  const { diagnostics, artifacts } = await compile(
    { path: join(root, "own.strategy"), text },
    { library: library("/") },
  );
  assert.equal(diagnostics, []);
  assert.match(artifacts.find(({ name }) => name.endsWith(".mjs"))?.text ?? "", "ops.mul(a, 2)");
});

test("nothing of it runs while it is compiled", async ({ root }) => {
  files(root, { "apart.ts": 'throw new Error("ran");\nexport const apart = (ops: unknown, a: unknown) => a;\n' });
  const text = strategy("(a: f32[batch]) -> f32[batch]", "apart(mean(video.prediction, token, channel))").replace(
    "./lib/",
    "./",
  );
  const { diagnostics } = await compile({ path: "own.strategy", text }, { library: library(root) });
  assert.equal(diagnostics, []);
});

for (const [what, texts, message, help] of [
  ["a missing file", {}, "there is no file `./apart.ts` beside this one", "correct the path"],
  [
    "a missing export",
    { "apart.ts": "export const other = 1;" },
    "`./apart.ts` exports no `apart`",
    "export a function",
  ],
  ["a syntax error", { "apart.ts": "export const apart = ;" }, 'apart.ts:1:22: Unexpected ";"', "mend"],
] as const) {
  test(`${what} is a finding at the import`, async ({ root }) => {
    files(root, texts);
    const text = strategy("(a: f32[batch]) -> f32[batch]", "apart(mean(video.prediction, token, channel))").replace(
      "./lib/",
      "./",
    );
    const { artifacts, diagnostics } = await compile({ path: "own.strategy", text }, { library: library(root) });
    assert.equal(artifacts, []);
    assert.is(diagnostics[0]?.code, "LTX6507");
    assert.ok(diagnostics[0]?.message.endsWith(message), diagnostics[0]?.message);
    assert.match(diagnostics[0]?.help ?? "", help);
    assert.is(text.slice(diagnostics[0]?.span.start, diagnostics[0]?.span.end), "./apart.ts");
  });
}

const pure =
  "import type { Ops, Tensor } from 'ltxc/contract';\nconst places = { batch: 0 };\nexport function apart(ops: Ops, a: Tensor): Tensor {\n";

async function warningsOf(root: string, text: string) {
  files(root, { "apart.ts": text });
  const own = strategy("(a: tokens:video) -> f32[batch]", "apart(video.prediction)").replace("./lib/", "./");
  const { diagnostics } = await compile({ path: "own.strategy", text: own }, { library: library(root) });
  return diagnostics.map(({ code, severity, message }) => `${severity} ${code} ${message}`);
}

const impure: Readonly<Record<string, readonly [text: string, says: RegExp]>> = {
  "a random number": [`${pure}  return ops.mul(a, Math.random());\n}`, /`Math\.random` \(line 4:21\)/],
  "a random number by another name": [
    `const { random } = Math;\n${pure}  return ops.mul(a, random());\n}`,
    /`random` of `Math`/,
  ],
  "the time": [`${pure}  return ops.mul(a, Date.now());\n}`, /the time/],
  "the date": [`${pure}  return ops.mul(a, new Date().getTime());\n}`, /the time/],
  "random values": [`${pure}  return ops.mul(a, crypto.getRandomValues(new Uint8Array(1))[0]!);\n}`, /`crypto`/],
  "the environment": [`${pure}  return ops.mul(a, Number(process.env["BY"]));\n}`, /`process`/],
  "a count of calls": [`let calls = 0;\n${pure}  calls += 1;\n  return ops.mul(a, calls);\n}`, /writes `calls`/],
  "a count in a template": [`let calls = 0;\n${pure}  void \`\${calls++}\`;\n  return a;\n}`, /writes `calls`/],
  "an arrow without braces": [
    `let calls = 0;\nexport const apart = (ops: any, a: any) => ops.mul(a, ++calls);\n`,
    /writes `calls`/,
  ],
};
for (const [name, [text, says]] of Object.entries(impure))
  test(`an imported function must be pure: ${name}`, async ({ root }) => {
    const [found = "", ...more] = await warningsOf(root, text);
    assert.match(found, /^warning LTX5050 `apart\.ts` is not pure/);
    assert.match(found, says);
    assert.equal(more, []);
  });

test("words in comments and texts, dates that are given, and variables of a function are pure", async ({ root }) => {
  const body =
    "  // Math.random() would differ\n  const what = 'Date.now()';\n  let count = 0;\n  count += what.length;\n  const since = new Date(0);\n  if (count === 0 || since === null) return a;\n  return ops.mul(a, Math.cos(count));\n}";
  assert.equal(await warningsOf(root, `${pure}${body}`), []);
  assert.equal(
    await warningsOf(
      root,
      `let limit = 3;\nlimit = 4;\n${pure}  const y = limit === 4 ? 1 : 2;\n  return ops.mul(a, y);\n}`,
    ),
    [],
  );
});

test("a comment at the import allows what is not pure", async ({ root }) => {
  files(root, { "apart.ts": `let calls = 0;\n${pure}  calls += 1;\n  return a;\n}` });
  const own = strategy("(a: tokens:video) -> f32[batch]", "apart(video.prediction)")
    .replace("./lib/", "./")
    .replace('f32[batch]"}', 'f32[batch]"} # allow: LTX5050 counts for a message');
  const { diagnostics } = await compile({ path: "own.strategy", text: own }, { library: library(root) });
  assert.equal(diagnostics, []);
});

test.run();
