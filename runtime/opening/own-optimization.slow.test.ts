// Whole runs with what the official format lacks: another optimizer, groups, warm-up, and a moving average of the weights.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compiledProject } from "../../bin/testing/compiled-project.ts";
import { readTensorFile } from "../checkpoints/tensor-file.ts";
import { openEngine } from "../engine/index.ts";
import { findingsOf, messagesOf, trainIn, withHeads } from "../testing/opened-run.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";

const test = suite("runs with runtime.optimization");
const newFolder = temporaryFolders(test, "own-optimization");
const { engine } = await openEngine("wasm");

const checkpoints = { precision: "float32", interval: 2, keep_last_n: 0 };
const file = (folder: string, name: string) => readTensorFile(join(folder, "outputs/checkpoints", name));
const numbers = (data: ArrayLike<number> | undefined) => Array.from(data ?? []);

test("a resumed run with Prodigy and a moving average equals an uninterrupted one, bit for bit", async () => {
  const folder = await newFolder();
  const made = { folder, step: withHeads(await compiledProject(folder, "text_to_video")) };
  const own = { optimizer: "prodigy", optimizer_params: { d0: 1e-3 }, ema_decay: 0.5, warmup_steps: 2 };
  const settings = { optimization: { learning_rate: 1, steps: 4 }, checkpoints };
  const more = { runtime: { optimization: own } };
  const before = engine.memory().tensors;
  const whole = await trainIn(engine, made, settings, more);
  assert.is(engine.memory().tensors, before, "every tensor is freed");
  const names = ["training_state_step_00004.state", "lora_ema_00004.safetensors", "heads_ema_00004.safetensors"];
  const expected = await Promise.all(names.map((name) => file(folder, name)));
  const checkpoint = join(folder, "outputs/checkpoints/lora_weights_step_00002.safetensors");
  const rest = await trainIn(engine, made, { ...settings, model: { load_checkpoint: checkpoint } }, more);
  assert.equal(rest.loading, []);
  assert.equal(
    rest.steps.map(({ loss, learningRate }) => [loss, learningRate]),
    whole.steps.slice(2).map(({ loss, learningRate }) => [loss, learningRate]),
  );
  const again = await Promise.all(names.map((name) => file(folder, name)));
  again.forEach(({ tensors }, i) => assert.equal(tensors, expected[i]?.tensors, names[i]));
  assert.is(again[1]?.metadata["ltxc.ema_decay"], "0.5");
  const [state] = expected;
  const kinds = new Set([...(state?.tensors.keys() ?? [])].map((key) => key.split(".")[0]));
  assert.equal([...kinds].toSorted(), ["ema", "m", "parameter", "s", "start", "v"]);
  // A state of another optimizer gives its weights, and says what starts anew.
  const lion = { optimizer: "lion", ema_decay: 0.5 };
  const load = { ...settings, model: { load_checkpoint: checkpoint }, optimization: { learning_rate: 1e-4, steps: 4 } };
  assert.match(
    (await messagesOf(trainIn(engine, made, load, { runtime: { optimization: lion } }))).join(),
    '`runtime.optimization.optimizer` was "prodigy"',
  );
  const anyway = await trainIn(engine, made, load, {
    runtime: { optimization: lion, resume_anyway: true },
    output_dir: "others",
  });
  assert.match(anyway.loading.join(), "LTX6312 resumed at step 2; the state has the moments of another optimizer");
});

test("the moving average follows the weights by its formula, and a run without it takes away what an earlier one left", async () => {
  const folder = await newFolder();
  const made = { folder, step: await compiledProject(folder, "text_to_video") };
  const settings = { optimization: { steps: 2 }, checkpoints: { ...checkpoints, interval: 1 } };
  await trainIn(engine, made, settings, { runtime: { optimization: { ema_decay: 0.75 } } });
  const at = async (name: string) => {
    const { tensors } = await file(folder, name);
    const [key = ""] = [...tensors.keys()].filter((each) => each.includes("lora_B"));
    return numbers(tensors.get(key)?.data);
  };
  const [first, second] = [
    await at("lora_weights_step_00001.safetensors"),
    await at("lora_weights_step_00002.safetensors"),
  ];
  // B begins as 0: 0.25 p1, then 0.75 of that and 0.25 p2.
  const [one, two] = [await at("lora_ema_00001.safetensors"), await at("lora_ema_00002.safetensors")];
  assert.ok(first.some((x) => Math.abs(x) > 1e-3));
  one.forEach((x, i) => assert.ok(Math.abs(x - 0.25 * (first[i] ?? NaN)) < 1e-8));
  two.forEach((x, i) => assert.ok(Math.abs(x - (0.1875 * (first[i] ?? NaN) + 0.25 * (second[i] ?? NaN))) < 1e-8));
  const folderOf = join(folder, "outputs/checkpoints");
  assert.ok(existsSync(join(folderOf, "lora_ema_00002.safetensors")));
  await trainIn(engine, made, settings);
  assert.equal(
    (await readdir(folderOf)).filter((name) => name.includes("ema")),
    [],
  );
});

test("keep_last_n counts the averages with their weights; evaluations may be those of the average", async () => {
  const folder = await newFolder();
  const made = { folder, step: await compiledProject(folder, "text_to_video") };
  const evaluation = { samples: 1, interval: 2, sigmas: [0.5] };
  const settings = { optimization: { steps: 4, learning_rate: 0.05 }, checkpoints: { ...checkpoints, keep_last_n: 1 } };
  const evaluated = async (evaluate_ema: boolean, decay: number) => {
    const own = { ema_decay: decay, evaluate_ema };
    const { events } = await trainIn(engine, made, settings, { evaluation, runtime: { optimization: own } });
    return events.flatMap((event) => (event.type === "evaluation" ? [event.loss] : []));
  };
  const trained = await evaluated(false, 0.9);
  const files = await readdir(join(folder, "outputs/checkpoints"));
  assert.equal(
    files.filter((name) => name.includes("ema")),
    ["lora_ema_00004.safetensors"],
  );
  const averaged = await evaluated(true, 0.9);
  assert.is(averaged[0], trained[0]);
  assert.not.equal(averaged[1], trained[1]);
  // An average that hardly remembers is what is trained.
  const quick = await evaluated(true, 1e-6);
  assert.ok(Math.abs((quick[2] ?? NaN) / (trained[2] ?? NaN) - 1) < 1e-4, `${quick.join()} ${trained.join()}`);
  assert.ok(Math.abs((averaged[2] ?? NaN) / (trained[2] ?? NaN) - 1) > 1e-4, `${averaged.join()} ${trained.join()}`);
});

test("a group with rate 0 stays as it is, and one of nothing ends the run before it begins", async () => {
  const folder = await newFolder();
  const made = { folder, step: await compiledProject(folder, "text_to_video") };
  const run = (match: string) => {
    const groups = [{ match, learning_rate: 0 }];
    return trainIn(
      engine,
      made,
      { optimization: { steps: 2 }, checkpoints },
      { runtime: { optimization: { groups } } },
    );
  };
  await run("*.attn1.*");
  const { tensors } = await file(folder, "lora_weights_step_00002.safetensors");
  const moved = [...tensors].filter(([, { data }]) => numbers(data).some((x) => x !== 0)).map(([key]) => key);
  const ofB = moved.filter((key) => key.includes("lora_B"));
  assert.ok(ofB.some((key) => key.includes(".ff.")) && !ofB.some((key) => key.includes(".attn1.")), ofB.join());
  assert.equal(await findingsOf(run("attn1")), ["LTX6253 runtime.optimization.groups.0.match"]);
});

test.run();
