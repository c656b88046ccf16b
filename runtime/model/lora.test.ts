import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bfloat16ToFloat32, float32ToBfloat16 } from "../files/number-formats.ts";
import { openEngine } from "../engine/index.ts";
import { FindingsError, type Finding } from "../findings.ts";
import { transformerLayout } from "./parameters.ts";
import type { BlockRanges } from "../block-ranges.ts";
import { checkStreams, createLora, matchTargets } from "./lora.ts";
import { tinyConfig } from "../testing/tiny-model.ts";

const test = suite("lora");
const { engine } = await openEngine("cpu");
const layout = transformerLayout(tinyConfig());

function chosen(...targets: string[]): string[] {
  return matchTargets(layout, { target_modules: targets }).targets.map(({ module }) => module);
}

function refusal(...targets: string[]): readonly Finding[] {
  try {
    matchTargets(layout, { target_modules: targets });
  } catch (error) {
    if (error instanceof FindingsError) return error.findings;
    throw error;
  }
  throw new Error("accepted");
}

test("a target is a whole name or its end from a dot on", () => {
  const block = "transformer_blocks.0";
  assert.equal(chosen("to_k"), [
    `${block}.attn1.to_k`,
    `${block}.attn2.to_k`,
    `${block}.audio_attn1.to_k`,
    `${block}.audio_attn2.to_k`,
    `${block}.audio_to_video_attn.to_k`,
    `${block}.video_to_audio_attn.to_k`,
  ]);
  assert.equal(chosen("attn1.to_k"), [`${block}.attn1.to_k`]);
  assert.equal(chosen("ff.net.0.proj", "proj_out"), ["proj_out", `${block}.ff.net.0.proj`]);
  assert.equal(chosen("adaln_single.linear").length, 1);
  assert.equal(chosen("linear").length, 8);
  assert.equal(chosen("patchify_proj"), ["patchify_proj"]);
});

test("a target without effect is a warning beside others, an error alone", () => {
  const { warnings } = matchTargets(layout, { target_modules: ["to_k", "k", "to_x"] });
  assert.equal(
    warnings.map(({ code, severity, path }) => [code, severity, path.join(".")]),
    [
      ["LTX6210", "warning", "lora.target_modules.1"],
      ["LTX6210", "warning", "lora.target_modules.2"],
    ],
  );
  assert.equal(
    refusal("k", "to_x").map(({ code, severity }) => [code, severity]),
    [
      ["LTX6210", "error"],
      ["LTX6210", "error"],
    ],
  );
});

test("a part that is no linear layer is an error, even beside others", () => {
  for (const target of ["attn1", "to_out", "q_norm", "transformer_blocks", "adaln_single", "0"]) {
    const [finding] = refusal("to_k", target);
    assert.equal(
      [finding?.code, finding?.severity, finding?.path],
      ["LTX6211", "error", ["lora", "target_modules", 1]],
      target,
    );
  }
});

test("targets of streams that the run does not feed train nothing", () => {
  const [video, audio] = [
    { video: true, audio: false },
    { video: false, audio: true },
  ];
  const found = (targets: string[], streams: typeof video) =>
    checkStreams(matchTargets(layout, { target_modules: targets }).targets, streams, { trainsOwn: false }).map(
      ({ code }) => code,
    );
  assert.equal(found(["to_k"], video), []);
  assert.equal(found(["attn1.to_k"], audio), ["LTX6212"]);
  assert.equal(found(["audio_attn1.to_k", "audio_to_video_attn.to_k"], video), ["LTX6212"]);
  assert.equal(found(["audio_to_video_attn.to_k"], { video: true, audio: true }), []);
});

test("no targets at all train nothing, unless the strategy trains tensors of its own", () => {
  const { targets } = matchTargets(layout, { target_modules: [] });
  const streams = { video: true, audio: false };
  const found = (trainsOwn: boolean) => checkStreams(targets, streams, { trainsOwn }).map(({ code }) => code);
  assert.equal(found(false), ["LTX6210"]);
  assert.equal(found(true), []);
});

test("A is uniform up to 1 / sqrt(inputs) and fits bfloat16, B is zero", async () => {
  const { targets } = matchTargets(layout, { target_modules: ["patchify_proj", "attn2.to_k"] });
  const asked: string[] = [];
  const uniform = (name: string, count: number) => {
    asked.push(`${name} ${count}`);
    return Float32Array.from({ length: count }, (_, i) => i / count);
  };
  const before = engine.memory().tensors;
  const lora = createLora(engine, targets, { rank: 5, alpha: 2 }, uniform);
  assert.equal(asked, ["lora.patchify_proj 15", "lora.transformer_blocks.0.attn2.to_k 60"]);
  assert.equal(lora.names, [
    "patchify_proj.lora_A.weight",
    "patchify_proj.lora_B.weight",
    "transformer_blocks.0.attn2.to_k.lora_A.weight",
    "transformer_blocks.0.attn2.to_k.lora_B.weight",
  ]);
  const adapter = lora.get("patchify_proj");
  assert.is(adapter?.scale, 0.4);
  assert.is(lora.get("proj_out"), undefined);
  const [a, b] = lora.tensors();
  assert.equal(
    [a?.shape, b?.shape],
    [
      [5, 3],
      [12, 5],
    ],
  );
  if (!a || !b) throw new Error("no tensors");
  const { data } = await engine.read(a);
  const expected = Float32Array.from({ length: 15 }, (_, i) => ((2 * i) / 15 - 1) / Math.sqrt(3));
  assert.equal(data, bfloat16ToFloat32(float32ToBfloat16(data as Float32Array)));
  data.forEach((x, i) => assert.ok(Math.abs(x - (expected[i] ?? NaN)) < 2 ** -9));
  assert.ok((await engine.read(b)).data.every((x) => x === 0));
  engine.dispose(...lora.tensors());
  assert.is(engine.memory().tensors, before);
});

test("the model reads what training put in place", () => {
  const { targets } = matchTargets(layout, { target_modules: ["patchify_proj"] });
  const lora = createLora(engine, targets, { rank: 1, alpha: 1 }, (_, count) => new Float32Array(count));
  const old = lora.tensors();
  const next = lora.names.map((_, i) => engine.keep({ shape: [1], dtype: "float32", data: Float32Array.of(i) }));
  lora.replace(next);
  assert.is(lora.get("patchify_proj")?.b, next[1]);
  engine.dispose(...old, ...next);
});

test("a layer of a block that the model does not have is told with the blocks that there are", () => {
  const { warnings } = matchTargets(layout, {
    target_modules: ["to_k", "transformer_blocks.7.attn1.to_k", "attn9.to_k"],
  });
  const messages = warnings.map(({ message }) => message);
  const beyond = "`transformer_blocks.7.attn1.to_k` names no layer of this model, whose last block is 0";
  assert.equal(messages, [beyond, "`attn9.to_k` names no layer of this model"]);
});

test("only layers of the chosen blocks get adapters; a target that has none there is told as without effect", () => {
  const deep = transformerLayout({ ...tinyConfig(), layers: 4 });
  const match = (target_modules: readonly string[], blocks: BlockRanges) =>
    matchTargets(deep, { target_modules, blocks });
  const found = match(
    ["attn1.to_k", "proj_out"],
    [
      [0, 0],
      [2, 3],
    ],
  );
  assert.equal(
    found.targets.map(({ module }) => module),
    [0, 2, 3].map((block) => `transformer_blocks.${block}.attn1.to_k`),
  );
  assert.equal(
    found.warnings.map(({ code, message }) => [code, message]),
    [["LTX6210", "`proj_out` names no layer in the blocks 0, 2-3 of this model, and only those get adapters"]],
  );
  assert.throws(
    () => match(["transformer_blocks.1.attn1.to_k"], [[2, 3]]),
    (error: unknown) => error instanceof FindingsError && error.findings[0]?.severity === "error",
  );
});

test("blocks that the model does not have are an error, with those that it has", () => {
  const deep = transformerLayout({ ...tinyConfig(), layers: 4 });
  const help = (blocks: BlockRanges) => {
    try {
      matchTargets(deep, { target_modules: ["to_k"], blocks });
    } catch (error) {
      if (error instanceof FindingsError)
        return error.findings.map(({ code, message, help: what }) => `${code} ${message}: ${what}`);
      throw error;
    }
    throw new Error("accepted");
  };
  assert.equal(help([[2, 5]]), ["LTX6396 the model has 4 blocks, 0 to 3, and `2-5` goes beyond them: write `2-3`"]);
  assert.equal(help([[7, 7]]), [
    "LTX6396 the model has 4 blocks, 0 to 3, and `7` goes beyond them: write blocks from 0 to 3",
  ]);
});

test.run();
