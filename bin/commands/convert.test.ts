import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openSafetensors, writeSafetensors } from "../../runtime/files/index.ts";
import { temporaryFolders } from "../../runtime/testing/temporary-folders.ts";
import { ltxc } from "../testing/testing.ts";

const test = suite("convert");
const folder = temporaryFolders(test, "convert");
const layer = "transformer_blocks.0.attn1.to_q";

/** A folder with `in.safetensors`: one layer in ComfyUI's names, alpha 1 of rank 2. */
async function made(
  more: Readonly<Record<string, Float32Array>> = {},
  metadata: Readonly<Record<string, string>> = {},
) {
  const cwd = await folder();
  const tensor = (name: string, shape: readonly number[], data: Float32Array) =>
    ({ name, shape, dtype: "F32", data }) as const;
  const tensors = [
    tensor(`diffusion_model.${layer}.lora_A.weight`, [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)),
    tensor(`diffusion_model.${layer}.lora_B.weight`, [1, 2], Float32Array.of(2, -4)),
    tensor(`diffusion_model.${layer}.alpha`, [], Float32Array.of(1)),
    ...Object.entries(more).map(([name, data]) => tensor(name, [data.length], data)),
  ];
  await writeSafetensors(join(cwd, "in.safetensors"), tensors, metadata);
  return cwd;
}

async function contents(path: string) {
  const file = await openSafetensors(path);
  const tensors: Record<string, number[]> = {};
  for (const name of file.tensors.keys()) tensors[name] = [...(await file.readFloat32(name))];
  await file.close();
  return { tensors, metadata: file.metadata };
}

test("writes names and alphas as each program reads them", async () => {
  const cwd = await made();
  const [a, b, scaled] = [
    [1, 2, 3, 4, 5, 6],
    [2, -4],
    [1, -2],
  ];
  const own = `diffusion_model.${layer}`;
  const flat = `lora_unet_${layer.replaceAll(".", "_")}`;
  for (const [to, expected] of [
    ["official", { [`${own}.lora_A.weight`]: a, [`${own}.lora_B.weight`]: scaled }],
    ["comfyui", { [`${own}.lora_A.weight`]: a, [`${own}.lora_B.weight`]: b, [`${own}.alpha`]: [1] }],
    ["diffusers", { [`transformer.${layer}.lora_A.weight`]: a, [`transformer.${layer}.lora_B.weight`]: scaled }],
    ["peft", { [`base_model.model.${layer}.lora_A.weight`]: a, [`base_model.model.${layer}.lora_B.weight`]: scaled }],
    ["kohya", { [`${flat}.lora_down.weight`]: a, [`${flat}.lora_up.weight`]: b, [`${flat}.alpha`]: [1] }],
  ] as const) {
    const { code, out, err } = await ltxc(["convert", "in.safetensors", `${to}.safetensors`, "--to", to], { cwd });
    assert.equal([code, err], [0, ""]);
    assert.match(out, `1 layer of rank 2, official → ${to}: ${to}.safetensors\n`);
    assert.equal((await contents(join(cwd, `${to}.safetensors`))).tensors, expected);
  }
});

test("metadata that stay true are kept, an alpha that loaders would apply again is not", async () => {
  const cwd = await made({}, { lora_alpha: "1", ss_network_alpha: "1", "modelspec.title": "mine" });
  const { code } = await ltxc(["convert", "in.safetensors", "out.safetensors", "--to", "official"], { cwd });
  assert.is(code, 0);
  const { metadata } = await contents(join(cwd, "out.safetensors"));
  assert.equal(metadata, { "modelspec.title": "mine", "ltxc.converted_from": "official in.safetensors" });
});

test("for PEFT a folder gets the config, too, and is read again", async () => {
  const cwd = await made();
  assert.is((await ltxc(["convert", "in.safetensors", "adapter", "--to", "peft"], { cwd })).code, 0);
  const config = JSON.parse(await readFile(join(cwd, "adapter/adapter_config.json"), "utf8"));
  assert.equal([config.peft_type, config.r, config.lora_alpha, config.target_modules], ["LORA", 2, 2, [layer]]);
  const { code, out } = await ltxc(["convert", "adapter", "back.safetensors", "--to", "official", "--json"], { cwd });
  assert.is(code, 0);
  assert.equal(JSON.parse(out), {
    files: ["back.safetensors"],
    from: "peft",
    to: "official",
    layers: 1,
    ranks: [2],
    warnings: [],
  });
});

test("PEFT's two files always fit each other, and those of another adapter are not replaced without a word", async () => {
  const cwd = await made();
  const theirs = JSON.stringify({ peft_type: "LORA", r: 64, lora_alpha: 1 });
  await mkdir(join(cwd, "old"));
  await writeFile(join(cwd, "old/adapter_config.json"), theirs);
  const call = (out: string, ...more: string[]) => ltxc(["convert", "in.safetensors", out, "--to", ...more], { cwd });
  const config = () => readFile(join(cwd, "old/adapter_config.json"), "utf8");
  for (const [out, named] of [
    ["old", "old/adapter_config.json"],
    ["old/adapter_model.safetensors", "old/adapter_config.json"],
  ] as const) {
    const refused = await call(out, "peft");
    assert.is(refused.code, 2);
    assert.match(refused.err, `${named} is there already`);
  }
  const other = await call("old/adapter_model.safetensors", "comfyui", "--force");
  assert.is(other.code, 2);
  assert.match(other.err, "PEFT would load old/adapter_model.safetensors by the adapter_config.json next to it");
  assert.is(await config(), theirs);
  const forced = await call("old/adapter_model.safetensors", "peft", "--force");
  assert.is(forced.code, 0, forced.err);
  assert.match(forced.out, "old/adapter_model.safetensors, old/adapter_config.json");
  assert.is(JSON.parse(await config()).r, 2);
  const back = await ltxc(["convert", "old", "back.safetensors", "--to", "comfyui"], { cwd });
  assert.is(back.code, 0);
  const [own] = Object.values((await contents(join(cwd, "back.safetensors"))).tensors);
  assert.ok(own);
});

test("a quantized LoRA is refused by name", async () => {
  const cwd = await folder();
  const names = [`diffusion_model.${layer}.lora_A.weight`, `diffusion_model.${layer}.lora_B.weight`];
  for (const dtype of ["F8_E4M3", "I8"]) {
    const header = JSON.stringify({
      [names[0] ?? ""]: { dtype, shape: [1, 2], data_offsets: [0, 2] },
      [names[1] ?? ""]: { dtype, shape: [2, 1], data_offsets: [2, 4] },
    });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    await writeFile(join(cwd, "in.safetensors"), Buffer.concat([length, Buffer.from(header), Buffer.alloc(4)]));
    const { code, err } = await ltxc(["convert", "in.safetensors", "out.safetensors", "--to", "comfyui"], { cwd });
    assert.is(code, 1);
    assert.match(
      err,
      new RegExp(`error\\[LTX6227\\]: \\S*in\\.safetensors holds numbers of the type ${dtype}; a LoRA`),
    );
  }
});

test("replaces nothing without --force, and nothing where the file cannot be converted", async () => {
  const cwd = await made();
  await writeFile(join(cwd, "out.safetensors"), "mine");
  const call = (...args: string[]) => ltxc(["convert", ...args], { cwd });
  const refused = await call("in.safetensors", "out.safetensors", "--to", "kohya");
  assert.is(refused.code, 2);
  assert.match(
    refused.err,
    "out.safetensors is there already\nhelp: choose another name, or replace it with `--force`",
  );
  const broken = await made({ [`diffusion_model.${layer}.dora_scale`]: Float32Array.of(1) });
  await writeFile(join(broken, "out.safetensors"), "mine");
  const dora = await ltxc(["convert", "in.safetensors", "out.safetensors", "--to", "kohya", "--force"], {
    cwd: broken,
  });
  assert.is(dora.code, 1);
  assert.match(dora.err, /^error\[LTX6360\]: .*in\.safetensors is not a plain LoRA: it has DoRA/);
  assert.is(await readFile(join(broken, "out.safetensors"), "utf8"), "mine");
  assert.is((await call("in.safetensors", "out.safetensors", "--to", "kohya", "--force")).code, 0);
  assert.is(
    (await call("in.safetensors", "in.safetensors", "--to", "kohya", "--force", "--quiet")).out,
    "in.safetensors\n",
  );
});

test("a wrong command line says what is wrong", async () => {
  const cwd = await made();
  await mkdir(join(cwd, "empty"));
  for (const [args, problem] of [
    [["none.safetensors", "out.safetensors", "--to", "kohya"], "none.safetensors does not exist"],
    [["empty", "out.safetensors", "--to", "kohya"], "empty is a folder without a LoRA"],
    [["in.safetensors", "empty", "--to", "kohya"], "empty is a folder\nhelp: name the file: empty/lora.safetensors"],
    [["in.safetensors", "out.ckpt", "--to", "kohya"], "out.ckpt is no name for a LoRA"],
    [["in.safetensors", "out.safetensors"], "required option '--to <format>' not specified"],
    [
      ["in.safetensors", "out.safetensors", "--to", "a1111"],
      "Allowed choices are official, comfyui, diffusers, peft, kohya.",
    ],
  ] as const) {
    const { code, err } = await ltxc(["convert", ...args], { cwd });
    assert.is(code, 2, err);
    assert.match(err, problem);
  }
});

test.run();
