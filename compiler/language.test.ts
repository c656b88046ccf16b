// What the language reference shows compiles.
import { readdirSync, readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { check, type Library } from "./index.ts";

const test = suite("language reference");
const page = readFileSync(new URL("LANGUAGE.md", import.meta.url), "utf8");
const builtin = new URL("builtin/", import.meta.url);

const library: Library = {
  root: null,
  names: readdirSync(builtin).map((name) => name.replace(".strategy", "")),
  read(name) {
    const path = new URL(`${name}.strategy`, builtin);
    return { path: path.pathname, text: readFileSync(path, "utf8") };
  },
};

const blocks = (kind: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${kind}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(([, text]) => text ?? "");

function findings(text: string): string[] {
  return check({ path: "page.strategy", text }, { library }).diagnostics.map(({ message }) => message);
}

test("whole strategies have no findings", () => {
  const strategies = blocks("strategy");
  assert.ok(strategies.length >= 5);
  for (const text of strategies) assert.equal(findings(text), [], text);
});

/** Expressions stand where they can be anything. */
const around = (lets: string, attention = ""): string => `strategy: around
params:
  p: {type: number, default: 0.5}
sources:
  latents: {directory: latents, kind: video_latents}
  depth: {directory: depth, kind: video_latents}
  hole: {directory: hole, kind: video_mask}
  conditions: {directory: conditions, kind: text_embeddings}
let:
  weight: 1 + p * hole
${lets}video:
  latents: latents
  references: [depth]
${attention}loss:
  video: mse(video.prediction, video.target) over weight
`;

test("expressions are right", () => {
  const expressions = blocks("expressions").flatMap((text) => text.trim().split("\n"));
  assert.ok(expressions.length >= 15);
  for (const expression of expressions) {
    const found = findings(around(`  shown: ${JSON.stringify(expression)}\n`));
    assert.equal(found, ["the binding `shown` is never used"], expression);
  }
});

test("attention masks are right", () => {
  for (const expression of blocks("expressions-attention").flatMap((text) => text.trim().split("\n"))) {
    assert.equal(findings(around("", `  attention: ${JSON.stringify(expression)}\n`)), [], expression);
  }
});

test.run();
