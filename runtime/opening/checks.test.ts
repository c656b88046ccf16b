import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { savedConfig } from "../checkpoints/saved-config.ts";
import type { StrategyInfo } from "../contract.ts";
import { resolveConfig } from "../config/index.ts";
import { fail, FindingsError } from "../findings.ts";
import { checkBatchSize, checkFiles, checkOthers, checkOutput } from "./checks.ts";
import { together } from "../findings.ts";
import { removalOf } from "../run-folder/overwrite.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";

const test = suite("preflight");
const folder = temporaryFolders(test, "preflight");

function configIn(configDirectory: string, settings: Readonly<Record<string, unknown>> = {}) {
  const raw = {
    model: { model_path: "model.safetensors" },
    lora: {},
    data: { preprocessed_data_root: "data" },
    ...settings,
  };
  const { config } = resolveConfig(raw, { configDirectory });
  if (config === null) throw new Error("the config is right");
  return config;
}

async function findingsOf(check: () => Promise<unknown> | void): Promise<string[]> {
  try {
    await check();
    return [];
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    return error.findings.map(({ code, path }) => `${code} ${path.join(".")}`);
  }
}

test("all checks speak, whichever fails first", async () => {
  const found = await findingsOf(() =>
    together([() => fail("LTX6301", "a"), () => undefined, async () => fail("LTX6303", "b", "help", ["model"])]),
  );
  assert.equal(found, ["LTX6301 ", "LTX6303 model"]);
  await together([() => undefined]);
});

test("an exception that is no finding is not hidden", async () => {
  const error = await together([() => JSON.parse("{")]).catch((thrown: unknown) => thrown);
  assert.instance(error, SyntaxError);
});

test("every model file that does not exist is named", async () => {
  const root = await folder();
  const model = { model_path: "a.safetensors", video_vae_path: "b.safetensors" };
  const config = configIn(root, { model });
  assert.equal(await findingsOf(() => checkFiles(config)), [
    "LTX6303 model.model_path",
    "LTX6303 model.video_vae_path",
  ]);
  await writeFile(join(root, "a.safetensors"), "");
  await writeFile(join(root, "b.safetensors"), "");
  assert.equal(await findingsOf(() => checkFiles(config)), []);
  const loading = configIn(root, { model: { ...model, load_checkpoint: "none" } });
  assert.equal(await findingsOf(() => checkFiles(loading)), ["LTX6307 model.load_checkpoint"]);
});

test("an output folder that can not be written is found before the run; one that can is left as it was", async () => {
  const root = await folder();
  await writeFile(join(root, "file"), "");
  assert.equal(await findingsOf(() => checkOutput(configIn(root, { output_dir: "file/outputs" }))), [
    "LTX6191 output_dir",
  ]);
  assert.equal(await findingsOf(() => checkOutput(configIn(root, { output_dir: "new/outputs" }))), []);
  assert.not.ok(existsSync(join(root, "new/outputs")));
  await mkdir(join(root, "outputs", "checkpoints"), { recursive: true });
  await writeFile(join(root, "outputs", "checkpoints", "lora.safetensors"), "kept");
  assert.equal(await findingsOf(() => checkOutput(configIn(root, { output_dir: "outputs" }))), []);
  assert.equal(await readdir(join(root, "outputs", "checkpoints")), ["lora.safetensors"]);
});

test("an output folder where the system makes none is found, whoever asks", async () => {
  const name = "long".repeat(100);
  const places = process.platform === "linux" ? ["/proc/outputs/of/a/run", name] : [name];
  const root = await folder();
  for (const output_dir of places) {
    assert.equal(await findingsOf(() => checkOutput(configIn(root, { output_dir }))), ["LTX6191 output_dir"]);
  }
});

test("a batch that the data can not fill is a finding", async () => {
  const config = configIn("/", { optimization: { batch_size: 4 } });
  assert.equal(await findingsOf(() => checkBatchSize(config, 4)), []);
  assert.equal(await findingsOf(() => checkBatchSize(config, 3)), ["LTX6301 optimization.batch_size"]);
});

test("a run config of the user's own is not replaced by the saved one, and not deleted by --overwrite", async () => {
  const root = await folder();
  const config = configIn(root, { output_dir: "." });
  const path = join(root, "training_config.yaml");
  await writeFile(path, "model:\n  model_path: model.safetensors # mine\n");
  await writeFile(join(root, "report.html"), "<h1>mine</h1>");
  assert.equal(await findingsOf(() => checkOutput(config)), ["LTX6187 output_dir"]);
  assert.equal(await findingsOf(() => checkOutput(config, false)), []);
  assert.equal((await removalOf(config)).files, []);
  const early = 'model:\n  model_path: "/a"\n  text_encoder_path: null\n  video_vae_path: null\n';
  for (const own of [savedConfig(config, { name: "a" }), early, ""]) {
    await writeFile(path, own);
    assert.equal(await findingsOf(() => checkOutput(config)), []);
    assert.equal((await removalOf(config)).files.length, 1);
  }
});

test("a strategy that compares samples needs several in a batch, and evaluations say what they leave out", async () => {
  const infoOf = (...losses: { readonly name: string; readonly others?: boolean }[]) =>
    ({ losses, smallestBatch: 2 }) as unknown as StrategyInfo;
  const both = infoOf({ name: "video" }, { name: "contrast", others: true });
  const alone = infoOf({ name: "contrast", others: true });
  const of = (batch_size: number, samples = 0) =>
    configIn("/", { optimization: { batch_size }, evaluation: { samples } });
  assert.equal(await findingsOf(() => void checkOthers(of(1), both)), ["LTX6146 optimization.batch_size"]);
  assert.equal(checkOthers(of(2), both), []);
  assert.equal(
    checkOthers(of(2, 3), both).map(({ code, severity }) => [code, severity]),
    [["LTX6147", "warning"]],
  );
  assert.match(checkOthers(of(2, 3), both)[0]?.message ?? "", "`contrast`");
  assert.equal(await findingsOf(() => void checkOthers(of(2, 3), alone)), ["LTX6147 evaluation"]);
  assert.equal(checkOthers(of(1, 3), { ...both, smallestBatch: 1, losses: [] }), []);
});

test.run();
