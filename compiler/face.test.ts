// What a program that depends on the package can do with `import … from "ltxc"`, through the public face alone.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { catalog, check, compile, format, renderTerminal } from "./index.ts";

const test = suite("public face");
const text = `strategy: small
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video: {latents: latents}
loss:
  plain: mse(video.prediction, video.target)
`;

test("compiles a strategy to the files of its build", async () => {
  const compiled = await compile({ path: "small.strategy", text });
  assert.equal(compiled.diagnostics, []);
  assert.is(compiled.program?.name, "small");
  assert.equal(
    compiled.artifacts.map(({ name }) => name),
    ["small.ts", "small.mjs", "small.mjs.map", "small.schema.json"],
  );
});

test("says what is wrong, where, and what the code means", async () => {
  const source = { path: "small.strategy", text: text.replace("latents: latents}", "latents: latent}") };
  const compiled = await compile(source);
  assert.is(compiled.program, null);
  assert.equal(compiled.artifacts, []);
  assert.equal(check(source).diagnostics, compiled.diagnostics);
  const [finding] = compiled.diagnostics;
  assert.is(source.text.slice(finding?.span.start, finding?.span.end), "latent");
  assert.ok(catalog.some(({ code, slug }) => code === finding?.code && slug === "unknown-name"));
  assert.match(renderTerminal([compiled]), "small.strategy:5:18");
});

test("lays a strategy out", () => {
  assert.is(
    format({ path: "small.strategy", text: text.replace("plain: mse(", "plain:   mse( ") }).text,
    format({ path: "small.strategy", text }).text,
  );
});

test.run();
