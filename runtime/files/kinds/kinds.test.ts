import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../../testing/temporary-folders.ts";
import { zipStored } from "../pt/zip-writer.ts";
import { describeFile, judgeFile, recognise } from "./index.ts";

const test = suite("what a file is");
const folder = temporaryFolders(test, "kinds");
const place = ["model", "model_path"];

/** A safetensors file of one byte to a tensor; `dtypes` by name. */
function weights(dtypes: Readonly<Record<string, string>>, metadata: Readonly<Record<string, string>> = {}): Buffer {
  const tensors = Object.entries(dtypes).map(
    ([name, dtype], i) => [name, { dtype, shape: [1], data_offsets: [i, i + 1] }] as const,
  );
  const header = Buffer.from(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(tensors) }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(tensors.length)]);
}

const config = (transformer: unknown) => ({ config: JSON.stringify({ transformer }) });
const all = (prefix: string, names: readonly string[], dtype = "BF16") =>
  Object.fromEntries(names.map((name) => [prefix + name, dtype]));
const own = ["patchify_proj.weight", "audio_patchify_proj.weight", "transformer_blocks.0.attn1.to_q.weight"];
const connector = "video_embeddings_connector.learnable_registers";
const published = "model.diffusion_model.";
const ltx2 = all(published, [...own, connector]);

async function judged(name: string, content: Buffer | string, role: Parameters<typeof judgeFile>[1] = "transformer") {
  const path = join(await folder(), name);
  await writeFile(path, content);
  const found = await judgeFile(path, role, place);
  return found === null ? "fits" : `${found.code} ${found.message.slice(path.length + 1)} | ${found.help}`;
}

const cases: readonly (readonly [name: string, content: Buffer | string, said: RegExp])[] = [
  ["ltx.gguf", "GGUF\x03\0\0\0", /^LTX6222 is a GGUF file.*as it was published/],
  ["old.ckpt", Buffer.from("\x80\x02}q\0.", "latin1"), /^LTX6222 is a file of PyTorch/],
  [
    "new.pt",
    Buffer.concat(zipStored([{ name: "archive/data.pkl", data: Buffer.from("x") }])),
    /^LTX6222 is a file of PyTorch/,
  ],
  [
    "packed.zip",
    Buffer.concat(zipStored([{ name: "ltx.safetensors", data: Buffer.from("x") }])),
    /^LTX6222 is an archive \(zip\) \| unpack it/,
  ],
  ["packed.gz", Buffer.from("\x1f\x8b\b\0\0\0\0\0\0", "latin1"), /^LTX6222 is an archive \(gzip\)/],
  [
    "a.safetensors",
    "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 43300000000\n",
    /^LTX6223 is a Git LFS pointer.* 43\.3 GB.*git lfs pull/,
  ],
  [
    "b.safetensors",
    "\n <!DOCTYPE html><html><title>401 Unauthorized</title>",
    /^LTX6223 is a web page \("401 Unauthorized"\)/,
  ],
  ["c.safetensors", '{"error": "Access to model X is restricted"}', /^LTX6223 is a JSON text.*restricted/],
  ["d.safetensors", "Entry not found", /^LTX6223 is a text \("Entry not found"\)/],
  ["e.safetensors", "", /^LTX6224 is empty/],
  ["f.safetensors", Buffer.alloc(9000), /^LTX6224 holds only zeros/],
  ["g.safetensors", weights(ltx2).subarray(0, 100), /^LTX6224 is cut off/],
  ["h.safetensors", weights(ltx2).subarray(0, -1), /^LTX6224 is cut off.*\(\d+ of \d+ bytes\)/],
  ["._a.safetensors", "\x00\x05\x16\x07\0\0\0\0", /^LTX6222 is a file that macOS made/],
  [
    "config.json",
    '{"_class_name": "LTX2VideoTransformer3DModel"}',
    /^LTX6229 is a config of diffusers.*name a checkpoint/,
  ],
  ["model.safetensors.index.json", '{"metadata": {}, "weight_map": {}}', /^LTX6226 is the index/],
  ["i.safetensors", "\ufeff".concat("x").repeat(4), /^LTX6223/],
  ["j.safetensors", Buffer.from("\ufeffname: value", "utf16le"), /^LTX6222 is a text in UTF-16/],
  [
    "k.safetensors",
    Buffer.from("\x01\x02\x03\xff\xfe\xfd\x01\x02\x03", "latin1"),
    /^LTX6222 is in no format that ltxc knows/,
  ],
  ["model-00002-of-00003.safetensors", weights(ltx2), /^LTX6226 is part 2 of 3/],
  [
    "fp8.safetensors",
    weights({ ...ltx2, [`${published}transformer_blocks.0.attn1.to_k.weight`]: "F8_E5M2" }),
    /^LTX6227.*8 bits \(fp8, but not E4M3\)/,
  ],
  [
    "blocks.safetensors",
    weights({ ...ltx2, [`${published}a.weight`]: "F8_E4M3", [`${published}a.weight_scale_inv`]: "F32" }),
    /^LTX6227.*parts of rows/,
  ],
  [
    "fp4.safetensors",
    weights({ ...ltx2, [`${published}a.weight_scale_2`]: "F32", [`${published}a.weight`]: "U8" }),
    /^LTX6227.*nvfp4/,
  ],
  ["int8.safetensors", weights({ ...ltx2, [`${published}a.weight`]: "I8" }), /^LTX6227.*int8/],
  [
    "bnb.safetensors",
    weights({ ...ltx2, [`${published}a.weight.absmax`]: "F32", [`${published}a.weight`]: "U8" }),
    /^LTX6227.*bitsandbytes/,
  ],
  ["quanto.safetensors", weights({ ...ltx2, [`${published}a.weight._data`]: "I8" }), /^LTX6227.*quanto/],
  ["torchao.safetensors", weights({ ...ltx2, [`${published}a._weight_qdata`]: "I8" }), /^LTX6227.*torchao/],
  [
    "diffusers.safetensors",
    weights({ "proj_in.weight": "BF16", "audio_proj_in.weight": "BF16", "time_embed.linear.weight": "BF16" }),
    /^LTX6229/,
  ],
  [
    "old.safetensors",
    weights(all(published, ["patchify_proj.weight"]), config({ _class_name: "Transformer3DModel" })),
    /^LTX6230 is a transformer of LTX-Video/,
  ],
  ["lora.safetensors", weights({ "diffusion_model.a.lora_A.weight": "BF16" }), /^LTX6230 is a LoRA.*load_checkpoint/],
  ["kohya.safetensors", weights({ "lora_unet_a.lora_down.weight": "BF16" }), /^LTX6230 is a LoRA/],
  ["vae.safetensors", weights({ "encoder.conv_in.conv.weight": "BF16" }), /^LTX6230 is a video VAE.*video_vae_path/],
  [
    "gemma.safetensors",
    weights({ "language_model.model.layers.0.self_attn.q_proj.weight": "BF16" }),
    /^LTX6230 is a text encoder/,
  ],
  ["flux.safetensors", weights({ "double_blocks.0.img_attn.qkv.weight": "BF16" }), /^LTX6230.*FLUX/],
];

for (const [name, content, said] of cases)
  test(`${name} is recognised: ${said.source}`, async () => assert.match(await judged(name, content), said));

for (const [written, stored, help] of [
  ["near", "near.safetensors", "did you mean `near.safetensors`, which is in the same folder?"],
  ["other.safetensor", "other.safetensors", "did you mean `other.safetensors`, which is in the same folder?"],
  ["Third.safetensors", "third.safetensors", "did you mean `third.safetensors`, which is in the same folder?"],
  [
    "begun.safetensors",
    "begun.safetensors.incomplete",
    "let the download finish: of this file only `begun.safetensors.incomplete` is there",
  ],
  ["nothing-like-it", "", "correct the path; relative ones start at the folder of the run config"],
] as const)
  test(`a missing ${written} is answered with what is there`, async () => {
    const at = await folder();
    if (stored !== "") await writeFile(join(at, stored), "");
    const found = await judgeFile(join(at, written), "transformer", place);
    assert.is(found?.code, "LTX6303");
    assert.is(found?.help, help);
  });

test("a path with backslashes is answered with the file that is there", async () => {
  const at = await folder();
  await mkdir(join(at, "models"));
  await writeFile(join(at, "models/a.safetensors"), "");
  const found = await judgeFile(join(at, "models\\a.safetensors"), "transformer", place);
  assert.is(found?.help, `write it with \`/\` in place of \`\\\`: ${join(at, "models/a.safetensors")} is there`);
});

test("a checkpoint fits under every known prefix, and one shard of one is whole", async () => {
  const wrapped = [
    "net.",
    "velocity_model.",
    "module.",
    "_orig_mod.",
    "module._orig_mod.model.diffusion_model.",
    "ema.net.",
  ];
  for (const prefix of [published, "diffusion_model.", "transformer.", "model.", "", ...wrapped]) {
    assert.is(await judged("ltx.safetensors", weights(all(prefix, [...own, connector]))), "fits", prefix);
  }
  assert.is(await judged("model-00001-of-00001.safetensors", weights(ltx2)), "fits");
});

test("several transformers in a file are said to be that", async () => {
  const both = { ...all("net.", [...own, connector]), ...all("net_ema.", own) };
  assert.match(
    await judged("ema.safetensors", weights(both)),
    /^LTX6230 is a file of several transformers \(`net\.`, `net_ema\.`\)/,
  );
});

test("a part without a prefix of a transformer is still a part", async () => {
  assert.match(await judged("part.safetensors", weights({ [`net.${connector}`]: "BF16" })), /the connectors alone/);
});

test("a folder of Git LFS pointers is said to be that", async () => {
  const path = join(await folder(), "clone");
  await mkdir(path, { recursive: true });
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 43300000000\n";
  await writeFile(join(path, "ltx-2-19b-dev.safetensors"), pointer);
  await writeFile(join(path, "README.md"), "# LTX-2\n");
  const found = await judgeFile(path, "transformer", place);
  assert.match(found?.message ?? "", /is a folder, not a file; its files are Git LFS pointers/);
  assert.match(found?.help ?? "", /git lfs pull.*ltx-2-19b-dev\.safetensors/);
});

test("bytes that are no text are not called one", async () => {
  for (const bytes of [
    Buffer.alloc(600, 0xff),
    Buffer.from([0xff, 0xff, ...Array.from({ length: 128 }, (_, i) => 128 + i)]),
  ])
    assert.match(await judged("x.safetensors", bytes), /^LTX6222 is in no format that ltxc knows/);
  // Latin letters in an older encoding are a text.
  assert.match(
    await judged("y.safetensors", Buffer.from("Zugriff verweigert: bitte einloggen, \xfcber /login", "latin1")),
    /^LTX6223/,
  );
});

test("numbers of 8 bits outside of the transformer do not matter", async () => {
  assert.is(await judged("mixed.safetensors", weights({ ...ltx2, "text_encoder.a.weight": "F8_E4M3" })), "fits");
});

test("each setting takes its own kind", async () => {
  const lora = weights({ "diffusion_model.a.lora_A.weight": "BF16" });
  assert.is(await judged("a.safetensors", lora, "lora"), "fits");
  assert.match(await judged("a.safetensors", weights(ltx2), "lora"), /^LTX6230 is a transformer of LTX-2, not a LoRA/);
  assert.is(await judged("a.safetensors", weights(ltx2), "trained-model"), "fits");
  assert.match(
    await judged("a.safetensors", lora, "trained-model"),
    /^LTX6230 is a LoRA, not weights of a full training/,
  );
  assert.is(await judged("a.safetensors", weights(ltx2), "video-vae"), "fits");
  assert.match(await judged("a.safetensors", lora, "video-vae"), /^LTX6230 is a LoRA, not a video VAE/);
});

test("of a folder, the files that would do are named", async () => {
  const root = await folder();
  const said = async () => (await judgeFile(root, "transformer", place))?.help ?? "";
  assert.match(await said(), /^no safetensors file is in it/);
  await writeFile(join(root, "lora.safetensors"), weights({ "a.lora_A.weight": "BF16" }));
  await writeFile(join(root, "._ltx.safetensors"), "\x00\x05\x16\x07");
  assert.match(await said(), /^none of its files would do \(lora\.safetensors\)/);
  await mkdir(join(root, "deep", "er"), { recursive: true });
  await writeFile(join(root, "deep", "er", "ltx.safetensors"), weights(ltx2));
  assert.is(await said(), `write the path of ${join("deep", "er", "ltx.safetensors")} in it`);
  await writeFile(join(root, "other.safetensors"), weights(ltx2));
  assert.match(await said(), /one of these files in it: other\.safetensors, deep/);
});

test("a folder of diffusers is known as one", async () => {
  const root = await folder();
  await mkdir(join(root, "transformer"));
  await writeFile(join(root, "model_index.json"), "{}");
  await writeFile(
    join(root, "transformer", "diffusion_pytorch_model.safetensors"),
    weights({ "audio_proj_in.weight": "BF16" }),
  );
  const found = await judgeFile(root, "transformer", place);
  assert.match(`${found?.code} ${found?.message}`, /LTX6225.*laid out for diffusers/);
});

test("an unfinished download of aria2, a missing file, and what no one could read", async () => {
  const root = await folder();
  const path = join(root, "ltx.safetensors");
  assert.is((await recognise(path)).kind, "missing");
  await writeFile(path, weights(ltx2));
  assert.is((await recognise(path)).kind, "weights");
  await writeFile(`${path}.aria2`, "");
  assert.is((await recognise(path)).kind, "unfinished");
  assert.is((await recognise(join(path, "below"))).kind, "missing");
});

test("a name on Hugging Face is said to be no path", async () => {
  const root = await folder();
  const helpFor = async (name: string) => (await judgeFile(join(root, name), "transformer", place))?.help ?? "";
  assert.match(await helpFor("Lightricks/LTX-2"), /a name on Hugging Face is no path.*ltx-2-19b-dev\.safetensors/);
  assert.match(await helpFor("Lightricks/ltx.safetensors"), /^correct the path/);
});

test("a header that claims too much or is no JSON costs nothing and crashes nothing", async () => {
  const path = join(await folder(), "odd.safetensors");
  await writeFile(path, Buffer.concat([weights({}).subarray(0, 8), Buffer.from("{".repeat(100))]));
  await recognise(path);
  await writeFile(path, Buffer.concat([Buffer.from([0, 0, 0, 5, 0, 0, 0, 0]), Buffer.from("{")]));
  await truncate(path, 2 ** 33);
  await recognise(path);
});

test("any file is described", async () => {
  const path = join(await folder(), "x");
  await writeFile(path, weights(ltx2, { model_version: "2.3.0" }));
  assert.is(await describeFile(path), "is a safetensors file: a transformer of LTX-2.3");
});

test.run();
