// An error inside a step names its place in the .strategy file.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compile } from "../index.ts";

const test = suite("bundles");
const path = fileURLToPath(new URL("../builtin/inpainting.strategy", import.meta.url));
const text = readFileSync(path, "utf8");

/** Runs `prepare` with tensors that are their shapes and an operation that fails. */
const driver = (failing: string): string => `
import { prepare } from "./build/inpainting.mjs";
const tensor = { shape: [1, 2, 1, 1, 1] };
const ops = new Proxy({}, { get: (_, name) => () => { if (name === ${JSON.stringify(failing)}) throw new Error("failed"); return tensor; } });
const draws = { sampled: () => tensor, randn: () => tensor, rand: () => tensor };
const latents = { latents: tensor, frames: 1, height: 1, width: 1, storage: "float32", fps: [24] };
const ctx = { ops, draws, params: { mask_threshold: 0.5 }, positions: { video: () => null } };
prepare(ctx, { size: 1, sources: { latents, conditions: {}, masks: latents } });
`;

/** "inpainting.strategy:14:12" */
function placeOf(part: string): string {
  const offset = text.indexOf(part);
  const line = text.slice(0, offset).split("\n");
  return `inpainting.strategy:${line.length}:${(line.at(-1) ?? "").length + 1}`;
}

/** The stack trace of a step that fails in one operation, as Node prints it with source maps on. */
async function traceOf(failing: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "bundle-"));
  try {
    mkdirSync(join(folder, "build"));
    writeFileSync(join(folder, "inpainting.strategy"), text);
    const { artifacts } = await compile({ path: "../inpainting.strategy", text });
    for (const artifact of artifacts) writeFileSync(join(folder, "build", artifact.name), artifact.text);
    writeFileSync(join(folder, "run.mjs"), driver(failing));
    const run = spawnSync(process.execPath, ["--enable-source-maps", join(folder, "run.mjs")], { encoding: "utf8" });
    assert.is(run.status, 1);
    assert.match(run.stderr, "Error: failed");
    assert.match(run.stderr, join(folder, "inpainting.strategy"));
    return run.stderr;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("an error in a comparison points to it", async () => {
  assert.match(await traceOf("greater"), placeOf("mean(tokens(masks), channel) > mask_threshold"));
});

test("an error deep in an expression points to its part", async () => {
  assert.match(await traceOf("mean"), placeOf("mean(tokens(masks)"));
});

test("an error in a value of a modality points to its key's value", async () => {
  assert.match(await traceOf("not"), placeOf("not inpaint"));
});

test("the map brings the strategy's text along", async () => {
  const { artifacts } = await compile({ path: "../inpainting.strategy", text });
  const map = artifacts.find(({ name }) => name.endsWith(".map"))?.text ?? "{}";
  const { sources, sourcesContent } = JSON.parse(map) as { sources: string[]; sourcesContent: string[] };
  assert.is(sourcesContent[sources.indexOf("../inpainting.strategy")], text);
});

test.run();
