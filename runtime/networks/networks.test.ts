// Networks of a strategy: what they compute, the gradient through them, and files that do not fit.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { RunConfig } from "../config/run-config.ts";
import type { HostTensor, NetworkInfo, NetworkLayer, Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { openEngine } from "../engine/index.ts";
import type { FindingsError } from "../findings.ts";
import { openSafetensors } from "../files/safetensors/index.ts";
import { writeRandomTensors } from "../model/random-model.ts";
import { loadDecoder, loadEncoder } from "../media/vae/video-vae.ts";
import type { TransformerConfig } from "../model/config.ts";
import { findingsOf, messagesOf } from "../testing/opened-run.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { tinyConfig } from "../testing/tiny-model.ts";
import { tinyVae, writeTinyVae } from "../testing/tiny-vae.ts";
import { checkNetworks } from "./examine-networks.ts";
import { findNetworks, type FoundNetwork } from "./find-networks.ts";
import { layerTensors, runLayers } from "./layers.ts";
import { openNetworks } from "./open-networks.ts";

const test = suite("networks of a strategy");
const folder = temporaryFolders(test, "networks");
const { engine: wasm } = await openEngine("wasm");

/** A model with latents of 8 channels, as those of the tiny VAE. */
const model: TransformerConfig = tinyConfig({ in_channels: 8, out_channels: 8 });

const wave = (shape: readonly number[], by = 0.37): HostTensor => ({
  shape,
  dtype: "float32",
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(by * i + 0.1)),
});

const found = (path: string, info: Partial<NetworkInfo>): FoundNetwork => ({
  info: { name: "own", architecture: "ltx_video_decoder", input: "channel", ...info },
  path,
  place: ["runtime", "networks", "own"],
});

const layers: readonly NetworkLayer[] = [
  { kind: "linear", features: 6 },
  { kind: "layer_norm" },
  { kind: "gelu" },
  { kind: "linear", features: 3 },
  { kind: "tanh" },
];

const volume: readonly NetworkLayer[] = [
  { kind: "conv", features: 4, kernel: [1, 3, 3] },
  { kind: "silu" },
  { kind: "conv", features: 2, kernel: [3, 3, 3] },
];

async function fileOf(own: readonly NetworkLayer[], { prefix = "", width = 8 } = {}): Promise<string> {
  const path = join(await folder(), "own.safetensors");
  await writeRandomTensors(
    path,
    layerTensors(own, width).map(({ name, shape }) => ({ name: prefix + name, shape })),
  );
  return path;
}

async function withNetwork<T>(
  engine: Engine,
  network: FoundNetwork,
  use: (call: (x: Tensor) => Tensor) => Promise<T>,
  isCheckpointed = false,
): Promise<T> {
  const before = engine.memory().tensors;
  const networks = await openNetworks(engine, [network], { model, isCheckpointed });
  const made = await use((x) => networks.call("own", x));
  networks.dispose();
  assert.is(engine.memory().tensors, before, "everything is freed");
  return made;
}

/** The sum of what a network makes of x, weighted by a wave, and its gradient by x. */
async function sloped(engine: Engine, network: FoundNetwork, value: HostTensor, isCheckpointed = false) {
  return withNetwork(
    engine,
    network,
    async (call) => {
      const x = engine.keep(value);
      const forward = () => {
        const y = call(x);
        const loss = engine.ops.sum(engine.ops.mul(y, engine.ops.constant(wave(y.shape, 0.21))));
        return { loss, outputs: { y } };
      };
      const { loss, outputs, gradients } = engine.differentiate(forward, [x]);
      const read = {
        loss: (await engine.read(loss)).data[0] ?? NaN,
        y: await engine.read(outputs.y),
        gradient: gradients[0] ? await engine.read(gradients[0]) : null,
      };
      engine.dispose(x, loss, outputs.y, ...gradients);
      return read;
    },
    isCheckpointed,
  );
}

/** The slope along a direction by the gradient, and by two losses. */
async function comparedSlopes(engine: Engine, network: FoundNetwork, value: HostTensor) {
  const direction = wave(value.shape, 1.7).data;
  const { gradient } = await sloped(engine, network, value);
  const moved = (by: number): HostTensor => ({
    ...value,
    data: Float32Array.from(value.data, (x, i) => x + by * (direction[i] ?? 0)),
  });
  const step = 0.01;
  const [above, below] = [await sloped(engine, network, moved(step)), await sloped(engine, network, moved(-step))];
  const exact = Array.from(gradient?.data ?? []).reduce((sum, g, i) => sum + g * (direction[i] ?? 0), 0);
  return { exact, measured: (above.loss - below.loss) / (2 * step) };
}

const isNear = (a: ArrayLike<number>, b: ArrayLike<number>, by: number): boolean =>
  a.length === b.length && Array.from(a).every((x, i) => Math.abs(x - (b[i] ?? NaN)) <= by);

test("layers compute what PyTorch's do", async () => {
  const { ops } = wasm;
  const x = wasm.keep({ shape: [1, 4], dtype: "float32", data: Float32Array.of(-2, -0.5, 0, 1.5) });
  const made = async (layer: NetworkLayer) => {
    const y = wasm.tidy(() => runLayers(ops, [layer], () => null, x));
    const { data } = await wasm.read(y);
    wasm.dispose(y);
    return data;
  };
  // x / 2 (1 + erf(x / sqrt(2)))
  assert.ok(isNear(await made({ kind: "gelu" }), [-0.0455003, -0.1542687, 0, 1.3997892], 2e-6));
  assert.ok(isNear(await made({ kind: "gelu_tanh" }), [-0.0454023, -0.154286, 0, 1.3995716], 2e-6));
  assert.ok(isNear(await made({ kind: "relu" }), [0, 0, 0, 1.5], 0));
  assert.ok(isNear(await made({ kind: "sigmoid" }), [0.1192029, 0.3775407, 0.5, 0.8175745], 1e-6));
  assert.ok(isNear(await made({ kind: "layer_norm" }), [-1.4, -0.2, 0.2, 1.4], 1e-5));
  wasm.dispose(x);
});

test("a convolution keeps the size, with zeros around", async () => {
  const { ops } = wasm;
  const ones = (shape: readonly number[]) => wasm.keep({ ...wave(shape), data: wave(shape).data.fill(1) });
  const [x, weight] = [ones([1, 1, 1, 2, 3]), ones([1, 1, 3, 3])];
  const layer: NetworkLayer = { kind: "conv", features: 1, kernel: [1, 3, 3] };
  const y = wasm.tidy(() => runLayers(ops, [layer], (_, kind) => (kind === "weight" ? weight : null), x));
  const read = await wasm.read(y);
  assert.equal(read.shape, [1, 1, 1, 2, 3]);
  assert.ok(isNear(read.data, [4, 6, 4, 4, 6, 4], 1e-6));
  wasm.dispose(x, weight, y);
});

test("the gradient through layers is that of finite differences", async () => {
  for (const [network, value] of [
    [found(await fileOf(layers), { architecture: layers }), wave([2, 3, 8])],
    [found(await fileOf(volume, { prefix: "net." }), { architecture: volume, prefix: "net." }), wave([1, 8, 2, 3, 3])],
  ] as const) {
    const { exact, measured } = await comparedSlopes(wasm, network, value);
    assert.ok(Math.abs(exact) > 1e-3 && Math.abs(exact - measured) < 1e-2 * Math.abs(exact), `${exact} ${measured}`);
  }
});

async function vae(config: object = tinyVae): Promise<string> {
  const path = join(await folder(), "vae.safetensors");
  await writeTinyVae(path, { config, prefix: "" });
  return path;
}

const drawsNothing = (): never => {
  throw new Error("draws nothing");
};

test("the video VAE in a step makes what it makes by itself, and has the gradient of finite differences", async () => {
  const path = await vae();
  const file = await openSafetensors(path);
  const decoder = await loadDecoder(wasm, file, { noise: drawsNothing });
  const encoder = await loadEncoder(wasm, file);
  await file.close();
  const latent = wave([1, 8, 2, 1, 1]);
  const x = wasm.keep(latent);
  const pixels = await decoder.decode(x);
  const again = await encoder.encode(pixels);
  const [seen, coded] = [await wasm.read(pixels), await wasm.read(again)];
  wasm.dispose(x, pixels, again);
  decoder.dispose();
  encoder.dispose();
  const decode = found(path, {});
  const made = await sloped(wasm, decode, latent);
  assert.equal(made.y.shape, [1, 3, 9, 32, 32]);
  assert.ok(isNear(made.y.data, seen.data, 1e-5));
  const ofPixels = await sloped(wasm, found(path, { architecture: "ltx_video_encoder", input: "rgb" }), seen);
  assert.ok(isNear(ofPixels.y.data, coded.data, 1e-4));
  const { exact, measured } = await comparedSlopes(wasm, decode, latent);
  assert.ok(Math.abs(exact - measured) < 1e-2 * Math.abs(exact), `${exact} ${measured}`);
  // Stages that are computed again have the same gradient.
  const checkpointed = await sloped(wasm, decode, latent, true);
  assert.ok(isNear(checkpointed.gradient?.data ?? [], made.gradient?.data ?? [], 1e-4));
});

async function helpsOf(promise: Promise<unknown>): Promise<readonly string[]> {
  const [settled] = await Promise.allSettled([promise]);
  const { reason } = settled as PromiseRejectedResult;
  return (reason as FindingsError).findings.map(({ help }) => help ?? "");
}

test("a file is that of the run config, else that below the data root, else the run's video VAE", async () => {
  const runOf = (networks: Readonly<Record<string, string>>, vae: string | null = null) =>
    ({
      model: { model_path: "model", video_vae_path: vae },
      data: { preprocessed_data_root: "root" },
      runtime: { networks },
    }) as unknown as RunConfig;
  const info: NetworkInfo = { name: "own", architecture: "ltx_video_decoder", input: "channel" };
  const pathOf = async (from: string | undefined, config: RunConfig) => {
    const [network] = await findNetworks([{ ...info, ...(from === undefined ? {} : { from }) }], config, {
      file: "a.safetensors",
      up: "../a",
    });
    return [network?.path, network?.place.join(".")];
  };
  assert.equal(await pathOf("b", runOf({ own: "/c" })), ["/c", "runtime.networks.own"]);
  assert.equal(await pathOf("${file}", runOf({})), [join("root", "a.safetensors"), "training_strategy.file"]);
  assert.equal(await pathOf(undefined, runOf({})), ["model", "model.model_path"]);
  assert.equal(await pathOf(undefined, runOf({}, "vae")), ["vae", "model.video_vae_path"]);
  assert.equal(await findingsOf(pathOf("${up}", runOf({}))), ["LTX6122 training_strategy.up"]);
  assert.equal(await findingsOf(pathOf(undefined, runOf({ owm: "/c" }))), ["LTX6388 runtime.networks.owm"]);
});

test("files that do not fit are findings", async () => {
  const path = await fileOf(layers, { prefix: "head." });
  const of = (info: Partial<NetworkInfo>, at = path) =>
    messagesOf(checkNetworks([found(at, { architecture: layers, ...info })], model));
  assert.equal(await of({ prefix: "head." }), []);
  assert.match((await of({})).join(), /has no tensor 0\.weight/);
  const [lacking] = await helpsOf(checkNetworks([found(path, { architecture: layers })], model));
  assert.match(lacking ?? "", /write `prefix: head\.` in the strategy/);
  const wider: readonly NetworkLayer[] = [{ kind: "linear", features: 7 }, ...layers.slice(1)];
  assert.match(
    (await of({ prefix: "head.", architecture: wider })).join(),
    /0\.weight is \[6, 8\] instead of \[7, 8\]/,
  );
  assert.match(
    (await of({ prefix: "head.", input: "rgb" })).join(),
    /which has 3 here, and head\.0\.weight .* takes 8/,
  );
  const text = join(await folder(), "text.safetensors");
  await writeFile(text, "strategy: example\n");
  const places = (network: FoundNetwork) => findingsOf(checkNetworks([network], model));
  assert.match((await places(found(text, { architecture: layers }))).join(), /^LTX6\d+ runtime\.networks\.own$/);
  assert.match((await places(found(`${text}.none`, {}))).join(), /^LTX6\d+ runtime\.networks\.own$/);
  assert.match((await places(found(path, {}))).join(), /^LTX6\d+ runtime\.networks\.own$/);
  const noisy = await vae({ ...tinyVae, timestep_conditioning: true });
  assert.equal(await places(found(noisy, {})), ["LTX6835 runtime.networks.own"]);
  const other = tinyConfig({ in_channels: 16, out_channels: 16 });
  const whole = found(await vae(), {});
  assert.equal(await findingsOf(checkNetworks([whole], other)), ["LTX6834 runtime.networks.own"]);
});

test("a network may be called like what objects inherit", async () => {
  const config = {
    model: { model_path: "model.safetensors", video_vae_path: null },
    data: { preprocessed_data_root: "data" },
    runtime: { networks: {} },
  } as unknown as RunConfig;
  const names = ["toString", "constructor", "__proto__"];
  const infos = names.map((name): NetworkInfo => ({ name, architecture: "ltx_video_decoder", input: "channel" }));
  const paths = (await findNetworks(infos, config, {})).map(({ path }) => path);
  assert.equal(
    paths,
    names.map(() => "model.safetensors"),
  );
});

test.run();
