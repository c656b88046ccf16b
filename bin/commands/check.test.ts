import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ltxc, project } from "../testing/testing.ts";

const test = suite<{ cwd: string }>("check --fix");
const strategy = "inpainting.strategy";

test.before.each(async (context) => {
  context.cwd = await project();
});
test.after.each(({ cwd }) => rm(cwd, { recursive: true }));

const read = (cwd: string, name: string) => readFile(join(cwd, name), "utf8");

async function replace(cwd: string, name: string, from: string, to: string): Promise<void> {
  const text = await read(cwd, name);
  assert.ok(text.includes(from), from);
  await writeFile(
    join(cwd, name),
    text.replace(from, () => to),
  );
}

test("corrects strategies and the run config, and says what", async ({ cwd }) => {
  const before = [await read(cwd, strategy), await read(cwd, "train.yaml")];
  await replace(cwd, strategy, "not inpaint", "not inpiant");
  await replace(cwd, "train.yaml", "mask_threshold", "mask_treshold");
  await replace(cwd, "train.yaml", "learning_rate", "leraning_rate");
  const found = await ltxc(["check"], { cwd });
  assert.is(found.code, 1);
  assert.match(found.out, "`ltxc check --fix` corrects 3 of them");
  const { code, out } = await ltxc(["check", "--fix"], { cwd });
  assert.match(out, /^fixed inpainting\.strategy:\d+:\d+: write `inpaint` \(LTX3001\)$/m);
  assert.match(out, /^fixed train\.yaml:\d+:\d+: write `mask_threshold` \(LTX6001\)$/m);
  assert.match(out, /^fixed train\.yaml:\d+:\d+: write `learning_rate` \(LTX6001\)$/m);
  assert.match(out, "no findings in");
  assert.is(code, 0);
  assert.equal([await read(cwd, strategy), await read(cwd, "train.yaml")], before);
});

test("rewrites a run config in another trainer's words", async ({ cwd }) => {
  const text = await read(cwd, "train.yaml");
  const { model, optimization } = {
    model: "model:\n  model_path: models/tiny-ltx2.safetensors",
    optimization: "train:\n  lr: 1e-2\n  max_steps: 5",
  };
  const lines = [
    model,
    "network_dim: 8",
    "lora: {lora_alpha: 8}",
    "training_strategy: inpainting",
    "data_root: data",
    optimization,
  ];
  const words = [
    "optimization: {optimizer_type: adamw_8bit}",
    "acceleration:\n  mixed_precision_mode: no",
    "gradient_checkpointing: yes",
  ];
  await writeFile(join(cwd, "train.yaml"), [...lines, ...words, "output_dir: 010", ""].join("\n"));
  const { code, out } = await ltxc(["check", "--fix", "train.yaml"], { cwd });
  assert.is(code, 0, out);
  const mended = await read(cwd, "train.yaml");
  for (const line of [
    "  model_path:",
    "rank: 8",
    "alpha: 8",
    '  name: "inpainting"',
    '  preprocessed_data_root: "data"',
    "steps: 5",
    'optimizer_type: "adamw8bit"',
    'mixed_precision_mode: "no"',
    "enable_gradient_checkpointing: true",
    'output_dir: "010"',
  ])
    assert.ok(mended.includes(line), `${line}\n${mended}`);
  await writeFile(join(cwd, "train.yaml"), text);
});

test("reports what remains, and leaves files alone in which nothing is certain", async ({ cwd }) => {
  await replace(cwd, strategy, "over inpaint", "over masks > 1 > 2");
  const text = await read(cwd, strategy);
  const { code, out } = await ltxc(["check", "--fix", strategy], { cwd });
  assert.is(code, 1);
  assert.match(out, /error\[LTX1109\]/);
  assert.not.match(out, "fixed ");
  assert.is(await read(cwd, strategy), text);
});

test("machine-readable formats carry fixes, and what was fixed", async ({ cwd }) => {
  await replace(cwd, strategy, "not inpaint", "not inpiant");
  const sarif: { runs: { results: { fixes?: unknown[] }[] }[] } = JSON.parse(
    (await ltxc(["check", "--format", "sarif", strategy], { cwd })).out,
  );
  const text = await read(cwd, strategy);
  const at = text.indexOf("inpiant");
  const line = text.slice(0, at).split("\n").length;
  assert.equal(
    sarif.runs[0]?.results.flatMap(({ fixes }) => fixes ?? []),
    [
      {
        description: { text: "write `inpaint`" },
        artifactChanges: [
          {
            artifactLocation: { uri: strategy },
            replacements: [
              {
                deletedRegion: {
                  startLine: line,
                  startColumn: 13,
                  endLine: line,
                  endColumn: 20,
                  charOffset: at,
                  charLength: 7,
                },
                insertedContent: { text: "inpaint" },
              },
            ],
          },
        ],
      },
    ],
  );
  type Json = { diagnostics: { fix?: { edits: { range: { start: unknown } }[] } }[]; fixed?: string[] };
  const before: Json = JSON.parse((await ltxc(["check", "--json", strategy], { cwd })).out);
  const fix = before.diagnostics.find((found) => found.fix !== undefined)?.fix;
  assert.equal(fix?.edits[0]?.range.start, { line, column: 13 });
  assert.is(before.fixed, undefined);
  const after: Json = JSON.parse((await ltxc(["check", "--json", "--fix", strategy], { cwd })).out);
  assert.equal(after.diagnostics, []);
  assert.equal(after.fixed, [`${strategy}:${line}:13: write \`inpaint\` (LTX3001)`]);
});

test.run();
