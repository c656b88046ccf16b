import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor } from "../contract.ts";
import { FindingsError, type Finding } from "../findings.ts";
import { convertLora } from "../lora-files/convert.ts";
import { openSafetensors } from "../files/safetensors/index.ts";
import { loaders, product, type Deltas } from "../testing/lora-loaders.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { host } from "../testing/tiny-model.ts";
import { examineLora, loadLora } from "./fit-lora.ts";
import { toFile, type NamedTensors } from "./lora-weights.ts";
import { readTensorFile, writeTensorFile } from "./tensor-file.ts";

const test = suite("fitting LoRA files");
const folder = temporaryFolders(test, "fit-lora");

const [INPUTS, OUTPUTS, RANK] = [3, 2, 4];
const layers = ["transformer_blocks.0.attn1.to_q", "transformer_blocks.11.ff.net.0.proj", "patchify_proj"];
const theirs: Readonly<Record<string, string>> = { patchify_proj: "proj_in" };
const wantedOf = (rank = RANK, inputs = INPUTS) =>
  layers.flatMap((layer) => [
    { name: `${layer}.lora_A.weight`, shape: [rank, inputs] },
    { name: `${layer}.lora_B.weight`, shape: [OUTPUTS, rank] },
  ]);
const scalar = (value: number): HostTensor => ({ shape: [], dtype: "float32", data: Float32Array.of(value) });

/** Tensors of all layers: `key` names them from the layer's name and its part. */
function tensors(
  key: (layer: string, part: "A" | "B") => string,
  alpha?: (layer: string) => readonly [string, number],
) {
  const entries = layers.flatMap((layer, i) => {
    const own: (readonly [string, HostTensor])[] = [
      [key(layer, "A"), host(`a${i}`, [RANK, INPUTS])],
      [key(layer, "B"), host(`b${i}`, [OUTPUTS, RANK])],
    ];
    const [name, value] = alpha?.(layer) ?? [];
    return name === undefined ? own : [...own, [name, scalar(value ?? 0)] as const];
  });
  return new Map(entries);
}

const peftKeys =
  (prefix: string, middle = "") =>
  (layer: string, part: "A" | "B") =>
    `${prefix}${layer}.lora_${part}${middle}.weight`;
const down = { A: "lora_down", B: "lora_up" };
const kohya = (layer: string) => `lora_unet_${layer.replaceAll(".", "_")}`;
const official = tensors(peftKeys("diffusion_model."));
const diffusers = tensors((layer, part) => peftKeys("transformer.")(theirs[layer] ?? layer, part));

interface Foreign {
  readonly tensors: NamedTensors;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly config?: { readonly r: number; readonly lora_alpha: number };
  /** Whose rule says what the file means. */
  readonly by: keyof typeof loaders;
}

/** Files of the trainers that people use. */
const files: Readonly<Record<string, Foreign>> = {
  "the official trainer, alpha = rank": { tensors: official, by: "official" },
  "ltxc, alpha 1 of rank 4": {
    tensors: toFile(tensors(peftKeys("")), { rank: RANK, alpha: 1 }),
    metadata: { "ltxc.lora_alpha": "1", "ltxc.lora_rank": "4" },
    by: "official",
  },
  "ltxc 0.1, which recorded alpha for others as well": {
    tensors: official,
    metadata: { lora_alpha: "1", lora_rank: "4", "ltxc.lora_alpha": "1" },
    by: "official",
  },
  PEFT: { tensors: tensors(peftKeys("base_model.model.")), config: { r: RANK, lora_alpha: 6 }, by: "peft" },
  diffusers: { tensors: diffusers, by: "diffusers" },
  "diffusers, with its record": {
    tensors: diffusers,
    metadata: { lora_adapter_metadata: JSON.stringify({ "transformer.r": RANK, "transformer.lora_alpha": 2 }) },
    by: "diffusers",
  },
  "kohya's scripts and musubi-tuner": {
    tensors: tensors(
      (layer, part) => `${kohya(layer)}.${down[part]}.weight`,
      (layer) => [`${kohya(layer)}.alpha`, 3],
    ),
    metadata: { ss_network_alpha: "3", ss_network_dim: "4" },
    by: "kohya",
  },
  "SimpleTuner for ComfyUI": {
    tensors: tensors(peftKeys("diffusion_model."), (layer) => [`diffusion_model.${layer}.alpha`, 1]),
    by: "comfyui",
  },
  "other alphas in each layer": {
    tensors: tensors(peftKeys("diffusion_model."), (layer) => [`diffusion_model.${layer}.alpha`, layer.length]),
    by: "comfyui",
  },
  "alpha in the metadata": { tensors: official, metadata: { network_alpha: "8" }, by: "sglang" },
  DiffSynth: { tensors: tensors(peftKeys("", ".default")), by: "diffsynth" },
};

/** Who reads a file of each format. */
const readers = {
  official: ["official", "comfyui", "sglang"],
  comfyui: ["comfyui", "sglang"],
  diffusers: ["diffusers"],
  peft: ["peft"],
  kohya: ["kohya"],
} as const satisfies Readonly<Record<string, readonly (keyof typeof loaders)[]>>;
const formats = Object.keys(readers) as readonly (keyof typeof readers)[];

async function write(
  { tensors, metadata = {}, config }: Omit<Foreign, "by">,
  type: "float32" | "bfloat16" = "float32",
) {
  const directory = await folder();
  const path = join(directory, "in.safetensors");
  await writeTensorFile(path, { tensors, metadata }, type);
  if (config !== undefined) await writeFile(join(directory, "adapter_config.json"), JSON.stringify(config));
  return path;
}

/** By official names, whatever a program calls the layers. */
function officially(deltas: Deltas): Deltas {
  const names = new Map(
    layers.flatMap((layer) => [layer, theirs[layer], layer.replaceAll(".", "_")].map((name) => [name, layer])),
  );
  return new Map([...deltas].map(([name, delta]) => [names.get(name) ?? name, delta]));
}

/** What a run adds to each layer after it has loaded a file. */
async function loadedBy(path: string, alpha: number): Promise<Deltas> {
  const { values } = await loadLora(path, wantedOf(), { rank: RANK, alpha });
  const at = (i: number) => values[i] as HostTensor;
  return new Map(layers.map((layer, i) => [layer, product(at(2 * i), at(2 * i + 1), alpha / RANK)]));
}

function close(actual: Deltas, expected: Deltas, what: string): void {
  assert.equal([...actual.keys()].toSorted(), layers.toSorted(), what);
  for (const [layer, delta] of actual) {
    const wanted = expected.get(layer) ?? [];
    assert.is(delta.length, wanted.length, what);
    delta.forEach((x, i) => assert.ok(Math.abs(x - (wanted[i] ?? NaN)) <= 1e-6, `${what}: ${layer} ${x} ${wanted[i]}`));
    assert.ok(
      wanted.some((x) => Math.abs(x) > 1e-3),
      what,
    );
  }
}

for (const [name, file] of Object.entries(files))
  test(`${name}: training goes on from the strength that its own loader gives, and so it is in all formats`, async () => {
    const path = await write(file);
    const meant = officially(loaders[file.by]({ metadata: {}, ...file }));
    // A file that says no alpha is taken as the official trainer would resume it: with the run's own.
    const isSilent = file.by === "official" && file.metadata === undefined;
    for (const alpha of isSilent ? [RANK] : [RANK, 1, 6])
      close(await loadedBy(path, alpha), meant, `run of alpha ${alpha}`);
    for (const to of formats) {
      const out = join(await folder(), "out.safetensors");
      await convertLora(path, { to, dtype: null, out });
      const written = await readTensorFile(out);
      for (const loader of readers[to]) close(officially(loaders[loader](written)), meant, `${to} in ${loader}`);
      const back = join(await folder(), "back.safetensors");
      await convertLora(out, { to: "official", dtype: null, out: back });
      close(loaders.official(await readTensorFile(back)), meant, `${to} and back`);
      for (const alpha of [RANK, 1]) close(await loadedBy(out, alpha), meant, `${to} again, alpha ${alpha}`);
      assert.equal(
        ["lora_alpha", "network_alpha", "alpha", "ss_network_alpha"].filter((key) => key in written.metadata),
        [],
      );
    }
  });

test("what ltxc writes has one strength under all loaders, whatever alpha is", async () => {
  const own = tensors(peftKeys(""));
  for (const alpha of [1, 3, 4, 8]) {
    const path = await write({
      tensors: toFile(own, { rank: RANK, alpha }),
      metadata: { "ltxc.lora_alpha": `${alpha}` },
    });
    const file = await readTensorFile(path);
    const meant = new Map(
      [...loaders.official({ tensors: tensors(peftKeys("diffusion_model.")), metadata: {} })].map(([layer, delta]) => [
        layer,
        delta.map((x) => (x * alpha) / RANK),
      ]),
    );
    for (const loader of ["official", "comfyui", "sglang"] as const) close(loaders[loader](file), meant, loader);
  }
});

test("a resumed run gets back the very numbers where alpha / rank is a power of two", async () => {
  const own = tensors(peftKeys(""));
  const path = await write({ tensors: toFile(own, { rank: RANK, alpha: 1 }), metadata: { "ltxc.lora_alpha": "1" } });
  const { values, warnings } = await loadLora(path, wantedOf(), { rank: RANK, alpha: 1 });
  assert.equal(
    values.map((x) => x?.data),
    [...own.values()].map(({ data }) => data),
  );
  assert.equal(warnings, []);
});

async function findings(
  file: Omit<Foreign, "by">,
  wanted = wantedOf(),
  alpha = RANK,
  rank = RANK,
): Promise<readonly Finding[]> {
  const path = await write(file);
  const seen: (readonly Finding[])[] = [];
  for (const judge of [examineLora, loadLora]) {
    try {
      const result = await judge(path, wanted, { rank, alpha });
      seen.push("warnings" in result ? result.warnings : result);
    } catch (error) {
      if (!(error instanceof FindingsError)) throw error;
      seen.push(error.findings);
    }
  }
  assert.equal(seen[0], seen[1], "check and run say the same");
  return (seen[0] ?? []).map((finding) => ({ ...finding, message: finding.message.replace(path, "F") }));
}

const lines = (found: readonly Finding[]) =>
  found.map(({ code, severity, message }) => `${severity} ${code} ${message}`);
const and = (more: Readonly<Record<string, HostTensor>>): NamedTensors =>
  new Map([...official, ...Object.entries(more)]);
const layer = `diffusion_model.${layers[0]}`;

test("other methods than LoRA are refused by name", async () => {
  const one = host("x", [OUTPUTS, 1]);
  for (const [key, what] of [
    [`${layer}.dora_scale`, "DoRA"],
    [`${layer}.lora_magnitude_vector.weight`, "DoRA"],
    [`${kohya(layers[0] ?? "")}.hada_w1_a`, "LoHa"],
    [`${layer}.lokr_w1`, "LoKr"],
    [`${layer}.oft_blocks`, "OFT"],
    [`${layer}.diff_b`, "changes of whole weights"],
  ] as const)
    assert.match(
      lines(await findings({ tensors: and({ [key]: one }) })).join("\n"),
      new RegExp(`^error LTX6360 F is not a plain LoRA: it has ${what} \\(`),
    );
  const config = { r: RANK, lora_alpha: 4, use_dora: true };
  assert.match(
    lines(await findings({ tensors: tensors(peftKeys("base_model.model.")), config })).join(),
    /^error LTX6360 /,
  );
});

test("NaN and infinity are found, by tensor", async () => {
  const spoilt = new Map(
    [...official].map(([key, x], i) => [
      key,
      i % 2 === 0 ? x : { ...x, data: x.data.map(() => (i === 1 ? NaN : Infinity)) },
    ]),
  );
  const [line = "", ...rest] = lines(await findings({ tensors: spoilt }));
  assert.equal(rest, []);
  assert.match(
    line,
    `error LTX6361 F has numbers that are not finite (NaN or infinite) in 3 of its 6 tensors: ${layer}.lora_B.weight, `,
  );
});

test("another rank is one finding, and its fix is the file's rank", async () => {
  const [finding, ...rest] = await findings({ tensors: official }, wantedOf(2), 2, 2);
  assert.equal(rest, []);
  assert.is(finding?.message, "F has rank 4, `lora.rank` is 2");
  assert.equal(finding?.path, ["lora", "rank"]);
  const written = (found?: Finding) => found?.rewrites?.map(({ entries }) => entries);
  assert.equal(written(finding), [{ rank: 4 }, { alpha: 4 }]);
  const [other] = await findings({ tensors: official }, wantedOf(2), 16, 2);
  assert.equal(written(other), [{ rank: 4 }]);
});

test("several ranks, other shapes and other layers are one finding each", async () => {
  const mixed = and({
    [`${layer}.lora_A.weight`]: host("a", [2, INPUTS]),
    [`${layer}.lora_B.weight`]: host("b", [OUTPUTS, 2]),
  });
  assert.equal(lines(await findings({ tensors: mixed })), [
    "error LTX6363 F has adapters of several ranks: 2 (1 layer), 4 (2 layers); ltxc trains all adapters with one",
  ]);
  assert.equal(lines(await findings({ tensors: official }, wantedOf(RANK, 5))), [
    `error LTX6311 F belongs to another model: its layer ${layers[0]} is [2, 3], this model's is [2, 5] (and 2 more)`,
  ]);
  const elsewhere = [
    { name: "proj_out.lora_A.weight", shape: [4, 3] },
    { name: "proj_out.lora_B.weight", shape: [2, 4] },
  ];
  assert.match(
    lines(await findings({ tensors: official }, elsewhere)).join("\n"),
    /^error LTX6311 F has no adapter of this model's `target_modules`, only of [^\n]*$/,
  );
});

test("halves, doubles and foreign files are one finding each", async () => {
  const half = new Map([...official].slice(1));
  assert.equal(lines(await findings({ tensors: half })), [
    `error LTX6364 F has tensors without a second half that fits: ${layer}.lora_B.weight`,
  ]);
  const double = and({ [`${layer}.lora_A.second.weight`]: host("a", [RANK, INPUTS]) });
  assert.match(
    lines(await findings({ tensors: double })).join("\n"),
    /^error LTX6364 F has more than one adapter for the same layer: [^\n]*$/,
  );
  const wan = new Map([["diffusion_model.blocks.0.self_attn.q.lora_A.weight", host("a", [RANK, INPUTS])]]);
  assert.equal(lines(await findings({ tensors: wan })), [
    "error LTX6366 F has no adapter of an LTX-2 transformer, only diffusion_model.blocks.0.self_attn.q.lora_A.weight",
  ]);
  assert.equal(lines(await findings({ tensors: new Map() })), [
    "error LTX6366 F has no adapter of an LTX-2 transformer",
  ]);
});

test("alphas that are no numbers are refused", async () => {
  for (const value of [NaN, 0])
    assert.equal(lines(await findings({ tensors: and({ [`${layer}.alpha`]: scalar(value) }) })), [
      `error LTX6367 F: ${layer}.alpha is no single number other than 0`,
    ]);
  for (const alpha of ["", "four", "-1", "NaN"])
    assert.match(
      lines(await findings({ tensors: official, metadata: { lora_alpha: alpha } })).join("\n"),
      /^error LTX6367 F: `lora_alpha` in its metadata is "[^\n]*$/,
    );
  assert.match(
    lines(await findings({ tensors: official, metadata: { lora_adapter_metadata: "{" } })).join(),
    /^error LTX6367 /,
  );
});

test("what is left out is one warning for each kind, as is an alpha that the file does not say", async () => {
  const key = "lora_te1_encoder_layers_0.lora_down.weight";
  const others = and({
    [key]: host("x", [2, 2]),
    "text_encoders.q.lora_A.weight": host("y", [2, 2]),
    "diffusion_model.new_part.lora_A.weight": host("z", [2, 2]),
  });
  assert.equal(lines(await findings({ tensors: others })), [
    `warning LTX6365 F has 2 tensors of a text encoder or another model, which ltxc does not train: ${key}, text_encoders.q.lora_A.weight`,
    "warning LTX6365 F has 1 tensor that belongs to no layer of LTX-2, and leaves them out: diffusion_model.new_part.lora_A.weight",
  ]);
  const fewer = wantedOf()
    .slice(2)
    .concat([
      { name: "proj_out.lora_A.weight", shape: [4, 3] },
      { name: "proj_out.lora_B.weight", shape: [2, 4] },
    ]);
  assert.equal(lines(await findings({ tensors: official }, fewer)), [
    "warning LTX6310 F lacks 1 of the adapters: proj_out",
    `warning LTX6310 F has, without use, 1 of the adapters: ${layers[0]}`,
  ]);
  assert.equal(lines(await findings({ tensors: official }, wantedOf(), 8)), [
    "warning LTX6368 F does not say its alpha; it is taken as trained with this run's, so B counts 2 times",
  ]);
});

test("bfloat16 files are read, and converted to other types", async () => {
  const path = await write({ tensors: official }, "bfloat16");
  for (const [dtype, stored] of [
    ["bf16", "BF16"],
    ["f16", "F16"],
    ["f32", "F32"],
    [null, "BF16"],
  ] as const) {
    const out = join(await folder(), "out.safetensors");
    await convertLora(path, { to: "official", dtype, out });
    const file = await openSafetensors(out);
    await file.close();
    assert.equal([...new Set([...file.tensors.values()].map(({ dtype }) => dtype))], [stored]);
    close(await loadedBy(out, RANK), await loadedBy(path, RANK), stored);
  }
});

test.run();
