// What an import may reach, and what it may not, by whatever way it is written.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compile, type Library } from "../index.ts";

/** `root` holds `project/` with a package.json, and files outside of it. */
const test = suite<{ root: string }>("import rules");

const edges =
  'import type { Ops, Tensor } from "ltxc/contract";\nexport const edges = (ops: Ops, a: Tensor): Tensor => ops.mean(a, [1, 2]);\n';
const secret = 'export const secret = "of this machine";\n';

test.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), "import-rules-"));
  files(context.root, {
    "project/package.json": JSON.stringify({
      name: "own",
      dependencies: { listed: "1" },
      devDependencies: { linked: "1" },
    }),
    "project/edges.ts": edges,
    "outside.ts": `${secret}${edges}`,
    "outside.json": '{"secret": 1}',
  });
});
test.after.each(({ root }) => rmSync(root, { recursive: true }));

function files(root: string, texts: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}

const strategy = (from: string): string => `strategy: own
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
imports:
  edges: {from: ${JSON.stringify(from)}, type: "(a: tokens:video) -> f32[batch]"}
video:
  latents: latents
loss:
  velocity: mse(video.prediction, video.target)
  own: edges(video.prediction)
`;

/** Compiles `project/strategies/own.strategy` for the build folder `project/build`, which does not exist. */
async function compiled(root: string, from: string) {
  const library: Library = { root: join(root, "project/build"), names: [], read: () => null };
  const text = strategy(from);
  files(root, { "project/strategies/own.strategy": text });
  const { diagnostics, artifacts } = await compile({ path: "../strategies/own.strategy", text }, { library });
  const [first] = diagnostics;
  const place = first === undefined ? "" : text.slice(first.span.start, first.span.end);
  return { findings: diagnostics.map(({ code, message }) => `${code} ${message}`), place, artifacts };
}

/** Imports `edges.ts` with further lines in front. */
async function withLines(root: string, lines: string): Promise<readonly string[]> {
  files(root, { "project/edges.ts": `${lines}\n${edges}` });
  return (await compiled(root, "../edges.ts")).findings;
}

test("files of the project, above the strategy's folder, too", async ({ root }) => {
  files(root, {
    "project/words.txt": "a",
    "project/numbers.json": "[1]",
    "project/shared/scale.ts": "export const scale = 2;\n",
  });
  const lines =
    'import w from "./words.txt";\nimport n from "./numbers.json";\nimport { scale } from "./shared/scale";\nexport const all = [w, n, scale];\nif (all.length < 3) throw all;';
  assert.equal(await withLines(root, lines), []);
});

test("nothing outside of it, at the strategy's own import", async ({ root }) => {
  const { findings, place } = await compiled(root, "../../outside.ts");
  assert.equal(findings, ["LTX2010 `../../outside.ts` leads out of the project, perhaps through a link"]);
  assert.is(place, '"../../outside.ts"');
});

test("nothing outside of it, in what is imported: code and what it inlines", async ({ root }) => {
  assert.equal(await withLines(root, 'import { secret } from "../outside.ts";\nconsole.log(secret);'), [
    "LTX2010 edges.ts:1:24: `../outside.ts` leads out of the project, perhaps through a link",
  ]);
  const [inlined, ...more] = await withLines(root, 'import all from "../outside.json";\nconsole.log(all);');
  assert.match(inlined ?? "", /^LTX2010 edges\.ts:1:\d+: /);
  assert.equal(more, []);
  const [required] = await withLines(root, 'console.log(require("../outside.json"));');
  assert.match(required ?? "", "LTX2010");
  const [later] = await withLines(root, 'export const later = () => import("../outside.ts");');
  assert.match(later ?? "", "LTX2010");
});

test("links are followed before it is judged", async ({ root }) => {
  symlinkSync(join(root, "outside.ts"), join(root, "project/link.ts"));
  symlinkSync(root, join(root, "project/folder"), "junction");
  for (const path of ["../link.ts", "../folder/outside.ts"])
    assert.match((await compiled(root, path)).findings[0] ?? "", `LTX2010 \`${path}\` leads out`);
  // A link within the project is no way out.
  symlinkSync(join(root, "project/edges.ts"), join(root, "project/strategies/same.ts"));
  assert.equal((await compiled(root, "./same.ts")).findings, []);
});

test("neither tsconfig.json nor package.json open a way out", async ({ root }) => {
  const paths = { compilerOptions: { baseUrl: ".", paths: { "*": ["../*"], out: ["../outside.ts"] } } };
  files(root, { "project/tsconfig.json": JSON.stringify(paths) });
  assert.match((await compiled(root, "out")).findings[0] ?? "", "LTX2011 `out` is no package that");
  files(root, {
    "project/package.json": JSON.stringify({ imports: { "#out": "../outside.ts" }, dependencies: { listed: "1" } }),
  });
  assert.is((await compiled(root, "#out")).artifacts.length, 0);
  files(root, {
    "project/folder/package.json": JSON.stringify({ main: "../../outside.ts" }),
    "project/node_modules/listed/package.json": JSON.stringify({
      exports: "./../../../outside.ts",
      main: "../../../outside.ts",
    }),
  });
  assert.match((await compiled(root, "../folder")).findings[0] ?? "", "LTX2010");
  assert.is((await compiled(root, "listed")).artifacts.length, 0);
});

test("packages of package.json, with those that they name themselves, and no other", async ({ root }) => {
  const manifest = (name: string, dependencies: object = {}) =>
    JSON.stringify({ name, main: "index.js", dependencies });
  files(root, {
    "project/node_modules/listed/package.json": manifest("listed", { deep: "1" }),
    "project/node_modules/listed/index.js": `export { edges } from "deep";\nexport * from "./more.js";\n`,
    "project/node_modules/listed/more.js": "export const more = 1;\n",
    "project/node_modules/deep/package.json": manifest("deep"),
    "project/node_modules/deep/index.js": "export const edges = (ops, a) => ops.mean(a, [1, 2]);\n",
  });
  assert.equal((await compiled(root, "listed")).findings, []);
  assert.equal((await compiled(root, "deep")).findings, [
    "LTX2011 `deep` is no package that the package.json of the project names",
  ]);
  assert.match((await compiled(root, "linked")).findings[0] ?? "", "`linked` is not installed");
  files(root, {
    "project/node_modules/deep/index.js":
      'export * from "fs";\nexport * from "listed";\nexport * from "../listed/more.js";\n',
  });
  assert.equal(
    (await compiled(root, "listed")).findings.map((text) => text.slice(0, 7)),
    ["LTX2010", "LTX2011", "LTX2011"],
  );
});

test("an installed package may be a link, as npm makes it", async ({ root }) => {
  files(root, {
    "elsewhere/package.json": JSON.stringify({ name: "linked", main: "index.ts" }),
    "elsewhere/index.ts": edges,
  });
  mkdirSync(join(root, "project/node_modules"));
  symlinkSync(join(root, "elsewhere"), join(root, "project/node_modules/linked"), "junction");
  assert.equal((await compiled(root, "linked")).findings, []);
});

test("no URL, no module of Node.js, nothing absolute, also in what is imported", async ({ root }) => {
  const lines = [
    "https://example.org/x.js",
    "//example.org/x.js",
    "data:text/javascript,1",
    "node:fs",
    "fs/promises",
    "/etc/hostname",
  ];
  for (const path of lines) {
    const [found = "", ...more] = await withLines(root, `import * as x from ${JSON.stringify(path)};\nconsole.log(x);`);
    assert.match(found, /^LTX201[01] edges\.ts:1:20: /, path);
    assert.equal(more, []);
  }
});

test("a name of the contract that is no type is a mistake in the imported file", async ({ root }) => {
  const [found] = await withLines(root, 'import { mean } from "ltxc/contract";\nconsole.log(mean);');
  assert.match(found ?? "", /^LTX6507 edges\.ts:1:\d+: No matching export/);
});

test("what is no regular file is not opened", async ({ root }) => {
  if (process.platform === "win32") return;
  execFileSync("mkfifo", [join(root, "project/pipe.ts")]);
  assert.equal((await compiled(root, "../pipe.ts")).findings, ["LTX6507 `../pipe.ts` is no regular file"]);
});

test("the same bytes whether or not the build folder is there, wherever the command is called", async ({ root }) => {
  const before = await compiled(root, "../edges.ts");
  mkdirSync(join(root, "project/build"));
  assert.equal((await compiled(root, "../edges.ts")).artifacts, before.artifacts);
  assert.match(before.artifacts.map(({ text }) => text).join(), "edges");
});

test.run();
