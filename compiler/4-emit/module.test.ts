// Generated modules are TypeScript that a careful reader could have written: they pass the project's strict settings.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { check, compile, emitIr, type Artifact } from "../index.ts";

const test = suite("generated modules");
const root = fileURLToPath(new URL("../../", import.meta.url));
const folders = ["compiler/builtin", "compiler/4-emit/samples"];

const paths = folders.flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".strategy"))
    .map((name) => join(root, folder, name)),
);

async function artifactsOf(path: string, probe = false): Promise<readonly Artifact[]> {
  const { artifacts, diagnostics } = await compile({ path, text: readFileSync(path, "utf8") }, { probe });
  // The samples use every form of the language, sensible or not: warnings say nothing here.
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  assert.equal(
    errors.map((found) => found.message),
    [],
  );
  return artifacts;
}

test("they pass the project's type check", async () => {
  const folder = mkdtempSync(join(tmpdir(), "modules-"));
  try {
    for (const path of paths) {
      for (const probe of [false, true]) {
        const module = (await artifactsOf(path, probe)).find(({ name }) => name.endsWith(".ts"));
        if (module !== undefined) writeFileSync(join(folder, `${probe ? "probe-" : ""}${module.name}`), module.text);
      }
    }
    const contract = join(root, "runtime/contract.ts");
    const compilerOptions = { types: [], paths: { "ltxc/contract": [contract] } };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, include: ["*.ts"] }),
    );
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    assert.ok(readdirSync(folder).filter((name) => name.endsWith(".ts")).length >= 8);
    const checked = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], {
      encoding: "utf8",
    });
    assert.is(checked.stdout, "");
    assert.is(checked.status, 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("they import types of the contract and nothing else", async () => {
  for (const path of paths) {
    const artifacts = await artifactsOf(path);
    const text = (end: string) => artifacts.find(({ name }) => name.endsWith(end))?.text ?? "";
    assert.equal(
      [...text(".ts").matchAll(/from "(.*?)"/g)].map(([, name]) => name),
      ["ltxc/contract"],
    );
    assert.match(text(".ts"), /^import type \{/m);
    assert.not.match(text(".mjs"), /^import\b|\bimport\(|\brequire\(/m);
  }
});

test("the same source gives the same artifacts, byte for byte", async () => {
  for (const path of paths) assert.equal(await artifactsOf(path), await artifactsOf(path));
});

test("names of the strategy that mean something in TypeScript are renamed, none is lost", async () => {
  const text = `strategy: names
params:
  class: {type: number, default: 1}
sources:
  ops: {directory: latents, kind: video_latents}
  prepared: {directory: conditions, kind: text_embeddings}
let:
  params: class * 2
  videoTarget: mean(ops)
video:
  latents: ops
loss:
  new: params * videoTarget * mse(video.prediction, video.target)
`;
  const { artifacts, diagnostics } = await compile({ path: "names.strategy", text });
  assert.equal(diagnostics, []);
  const module = artifacts.find(({ name }) => name === "names.ts")?.text ?? "";
  assert.match(module, "const params_ = params.class * 2;");
  assert.match(module, "ops: ops_");
  assert.match(module, "return { new: lossNew };");
});

test("the typed program of inpainting reads as expected", () => {
  const path = join(root, "compiler/builtin/inpainting.strategy");
  const { text } = emitIr({ path, text: readFileSync(path, "utf8") });
  assert.is(
    text,
    `strategy inpainting
param mask_latents_dir: string
param mask_threshold: number
source latents: video_latents in "latents"
source conditions: text_embeddings in "conditions"
source masks: video_latents in "\${mask_latents_dir}"
prepare
  video.sigma: f32[batch] = sampled "video.sigma"
  inpaint: bool[batch, token:video] = greater(mean(tokens(source masks); channel), param mask_threshold)
  video.keep: bool[batch, token:video] = not(inpaint)
  video.timesteps: f32[batch, token:video] = where(video.keep, 0, video.sigma)
  video.clean: f32[batch, token:video, channel] = tokens(source latents)
  video.noise: f32[batch, token:video, channel] = randn "video.noise" as latents
  video.noisy: f32[batch, token:video, channel] = where(video.keep, video.clean, add(mul(sub(1, video.sigma), video.clean), mul(video.sigma, video.noise)))
  video.target: f32[batch, token:video, channel] = round(sub(video.noise, video.clean); latents)
  video.generated: bool[batch, token:video] = not(video.keep)
  video.fps: sample f32[batch] = broadcast(24)
  video.keyframes: f32[batch, sequence:video] = float(broadcast(less(video.sequence.frame_index, 1)))
loss
  video.prediction: f32[batch, token:video, channel] = prediction video
  term inpaint (video) = maskedMean(square(sub(video.prediction, video.target)), inpaint)
`,
  );
});

test("a file with a mistake gives findings and no program", () => {
  const { program, diagnostics } = check({ path: "a.strategy", text: "strategy: a\nloss:\n  a: mse(1)\n" });
  assert.is(program, null);
  assert.ok(diagnostics.length > 0);
});

test.run();
