import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Engine } from "../engine/engine.ts";
import { openEngine } from "../engine/index.ts";
import { openSafetensors, writeSafetensors, type OutputTensor } from "../files/safetensors/index.ts";
import { FindingsError } from "../findings.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { testTorch } from "../testing/test-torch.ts";
import { writeTinyFile } from "../testing/tiny-model.ts";
import { examineModel, loadModel } from "./checkpoint.ts";
import { quantizeRows } from "./quantize.ts";

const test = suite("checkpoints in 8 bits");
const folder = temporaryFolders(test, "ltxc-fp8");

const block = "model.diffusion_model.transformer_blocks.0";
const [perRow, single, older, plain] = ["attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0"].map(
  (layer) => `${block}.${layer}`,
) as [string, string, string, string];

type Scales = Readonly<
  Record<string, readonly [ending: string, values: Float32Array, shape: readonly number[]] | null>
>;

/** By layer, scales of each kind that there is; null for none. */
const scales: Scales = {
  [perRow]: [".weight_scale", Float32Array.from({ length: 12 }, (_, i) => 0.01 * (i + 1)), [12, 1]],
  [single]: [".weight_scale", Float32Array.of(0.3), []],
  [older]: [".scale_weight", Float32Array.of(0.7), [1]],
  [plain]: null,
};

const { [plain]: _unscaled, ...allScaled } = scales;

/** The tiny model with weights of these layers in 8 bits, as the bytes that came out; what they mean is computed here. */
async function writeFp8(
  path: string,
  changed: Scales = scales,
  more: readonly OutputTensor[] = [],
): Promise<ReadonlyMap<string, Float32Array>> {
  const wide = join(path, "..", "wide.safetensors");
  await writeTinyFile(wide, {});
  const file = await openSafetensors(wide);
  const meant = new Map<string, Float32Array>();
  const tensors: OutputTensor[] = [];
  for (const [name, { shape }] of file.tensors) {
    const data = await file.readFloat32(name);
    const layer = name.replace(/\.weight$/, "");
    if (!Object.hasOwn(changed, layer) || !name.endsWith(".weight")) {
      tensors.push({ name, shape, dtype: "F32", data: async () => data });
      continue;
    }
    const codes = quantizeRows(data, shape[0] ?? 1, "fp8-quanto").data;
    const [ending, values, shapeOfScale] = changed[layer] ?? ["", Float32Array.of(1), []];
    tensors.push({ name, shape, dtype: "F8_E4M3", data: async () => codes });
    if (ending !== "")
      tensors.push({ name: layer + ending, shape: shapeOfScale, dtype: "F32", data: async () => values });
    if (ending !== "")
      tensors.push({ name: `${layer}.input_scale`, shape: [], dtype: "F32", data: async () => Float32Array.of(9) });
    const width = data.length / values.length;
    meant.set(
      layer,
      Float32Array.from(codes, (code, i) => Math.fround(numberOf(code) * (values[Math.floor(i / width)] ?? NaN))),
    );
  }
  tensors.push({ name: "scaled_fp8", shape: [0], dtype: "F8_E4M3", data: async () => new Uint8Array(0) });
  await writeSafetensors(path, [...tensors, ...more], file.metadata);
  await file.close();
  return meant;
}

/** E4M3 by its definition. */
function numberOf(code: number): number {
  const bits = code.toString(2).padStart(8, "0");
  const [exponent, fraction] = [Number.parseInt(bits.slice(1, 5), 2), Number.parseInt(bits.slice(5), 2)];
  const size = exponent === 0 ? (fraction / 8) * 2 ** -6 : (1 + fraction / 8) * 2 ** (exponent - 7);
  return bits.startsWith("1") ? -size : size;
}

const options = (path: string) => ({ modelPath: path, videoVaePath: null, streams: { video: true, audio: true } });

async function expectRead(engine: Engine): Promise<void> {
  const path = join(await folder(), "fp8.safetensors");
  const meant = await writeFp8(path);
  const model = await loadModel(engine, options(path));
  try {
    assert.equal(model.warnings, []);
    assert.is(meant.size, 4);
    for (const [layer, values] of meant) {
      const weight = model.weights.get(`${layer.replace("model.diffusion_model.", "")}.weight`);
      if (weight === undefined) throw new Error(`${layer} is not there`);
      assert.equal([...(await engine.read(weight)).data], [...values], layer);
    }
  } finally {
    model.dispose();
  }
}

test("numbers are those of the file times their scales: one, one for each row, or none", async () => {
  const { engine } = await openEngine("cpu");
  await expectRead(engine);
  const path = join(await folder(), "fp8.safetensors");
  for (const whole of [allScaled, { [plain]: null }]) {
    await writeFp8(path, whole);
    assert.is((await examineModel(options(path))).isFp8, true);
  }
});

test("damaged scales are told before any training: which file, which tensor, and how many", async () => {
  const path = join(await folder(), "fp8.safetensors");
  const messageOf = async (changed: Scales, more: readonly OutputTensor[] = []): Promise<string> => {
    await writeFp8(path, { ...allScaled, ...changed }, more);
    const error: unknown = await examineModel(options(path)).catch((e: unknown) => e);
    assert.ok(error instanceof FindingsError);
    assert.equal(
      error.findings.map(({ code }) => code),
      ["LTX6197"],
    );
    return error.findings[0]?.message ?? "";
  };
  const value = (x: number): Scales => ({ [single]: [".weight_scale", Float32Array.of(x), []] });
  const begin = `${path} has damaged scales: `;
  assert.is(await messageOf({ [plain]: null }), `${begin}${plain}.weight is in 8 bits and has none, as others have`);
  for (const x of [0, -1, NaN, Infinity])
    assert.match(await messageOf(value(x)), `${begin}${single}.weight_scale has the number ${x}, where`);
  const second = (name: string, dtype: "F32" | "I64", data: OutputTensor["data"]): OutputTensor => ({
    name,
    shape: [],
    dtype,
    data,
  });
  const other = second(`${single}.scale_weight`, "F32", async () => Float32Array.of(0.4));
  assert.match(
    await messageOf({}, [other]),
    `${single}.weight_scale and ${single}.scale_weight are both there and differ`,
  );
  const whole = second(`${single}.scale_weight`, "I64", async () => new Uint8Array(8).fill(1, 0, 1));
  assert.match(await messageOf({}, [whole]), `${single}.scale_weight has the type I64`);
  assert.match(await messageOf({ ...value(0), [plain]: null }), "; so are the scales of 1 more of its 4 weights");
});

const found = await testTorch();
if (found !== null)
  test("the engine torch leaves them in 8 bits, and widens them to the same bits", async () => {
    const how = { provider: "cpu", torch: found.folder, precision: "float32" } as const;
    const { engine } = await openEngine("torch", how);
    await expectRead(engine);
  });

test("scales that fit neither the weight nor its rows are told", async () => {
  const { engine } = await openEngine("cpu");
  const path = join(await folder(), "fp8.safetensors");
  await writeFp8(path, { [single]: [".weight_scale", new Float32Array(9).fill(1), [3, 3]] });
  const error: unknown = await loadModel(engine, options(path)).catch((e: unknown) => e);
  assert.ok(error instanceof FindingsError);
  assert.match(
    error.findings[0]?.message ?? "",
    "has the shape [3, 3], which is neither one scale nor one for each of the 12 rows",
  );
});

test.run();
