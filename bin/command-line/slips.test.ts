import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../../runtime/testing/temporary-folders.ts";
import { ltxc } from "../testing/testing.ts";

const test = suite("slips of the command line");
const folder = temporaryFolders(test, "slips");

/** What is called, and what the help says. */
const slips: Readonly<Record<string, string>> = {
  "train train.yaml": "write `ltxc run`",
  "validate train.yaml": "write `ltxc check`",
  lint: "write `ltxc check`",
  "new my-lora": "write `ltxc init DIR`",
  build: "write `ltxc compile`",
  format: "write `ltxc fmt`",
  version: "write `ltxc --version`",
  "-v": "write `ltxc --version`",
  "train.yaml": "`ltxc run train.yaml`",
  chek: "did you mean `check`?",
  "run --config x.yaml": "`ltxc run x.yaml`",
  "run -c x.yaml": "`ltxc run x.yaml`",
  "run --steps 100": "`--set optimization.steps=100`",
  "run --lr 1e-4": "`--set optimization.learning_rate=1e-4`",
  "run --learning_rate=1e-4": "`--set optimization.learning_rate=1e-4`",
  "run --batch-size 4": "`--set optimization.batch_size=4`",
  "run --output out": "`--set output_dir=out`",
  "run -o out": "`ltxc run --set output_dir=out`",
  "run --model a.safetensors": "`--set model.model_path=a.safetensors`",
  "run --epochs 3": "a run counts steps",
  "run --gpu 0": "CUDA_VISIBLE_DEVICES=0",
  "run --gpus 2": "runtime.processes=2",
  "run --seed 7": "`--set seed=7`",
  "run earlier": "`--resume` the run in its `output_dir` goes on",
  "plan earlier": "name the run config with which it began: `ltxc plan FILE`",
  "run --target ltx-trainer": "`ltxc run --on ltx-trainer`",
  "run --verbose": "`--json` prints all",
  "run --force": "`--overwrite` deletes",
  "run --fix": "only `ltxc check` has it",
  "run --dry-run": "`ltxc plan`",
  "run --resume=latest": "write `--resume` alone",
  "run --resume-from-checkpoint latest": "write `ltxc run --resume`",
  "run --odd": "`ltxc run` has other options: `--resume`",
  "run a.yaml b.yaml": "name only one",
  "run optimization.steps=100": "`--set optimization.steps=100`",
  "run --set optimization.learning_rate 1e-4": "`--set optimization.learning_rate=VALUE`",
  "run --set lr 1e-4": "`--set optimization.learning_rate=VALUE`",
  "--set seed=7 run": "`ltxc run --set seed=7`",
  "run a/lora.safetensors": "`ltxc run --resume` finds",
  "run trian.yaml": "did you mean `train.yaml`?",
  "run train.yml": "did you mean `train.yaml`?",
  "run project": "`ltxc run project/train.yaml`",
  "compile --output dist": "write `--out dist`",
  "fmt --write": "`ltxc fmt` writes the files",
  "init --name my-lora": "`ltxc init my-lora`",
  "init --template huber": "write `--from huber`",
  "convert a b --format comfyui": "write `--to comfyui`",
  "convert a --to comfyui": "for example `ltxc convert lora.safetensors comfy.safetensors --to comfyui`",
  "plan --device a100": "write `ltxc plan --gpu a100`",
};

test("each slip is led to what is meant", async () => {
  const cwd = await folder();
  for (const path of ["project", "earlier"]) await mkdir(join(cwd, path));
  await writeFile(join(cwd, "earlier/training_config.yaml"), "seed: 1\n");
  for (const path of ["train.yaml", "project/train.yaml"]) await writeFile(join(cwd, path), "seed: 1\n");
  for (const [call, said] of Object.entries(slips)) {
    const { code, err, out } = await ltxc(call.split(" "), { cwd });
    assert.is(code, 2, call);
    assert.is(out, "", call);
    const help = /^help: (.*)$/m.exec(err)?.[1] ?? "";
    assert.ok(help.includes(said), `ltxc ${call}\n${err}`);
  }
});

test("`help` shows the help of a command", async () => {
  const { code, out } = await ltxc(["help", "run"], { cwd: await folder() });
  assert.is(code, 0);
  assert.match(out, "Usage: ltxc run");
});

test("a setting in other words behind --set is answered with one that stands there", async () => {
  const cwd = await folder();
  await writeFile(
    join(cwd, "train.yaml"),
    "model: {model_path: x.safetensors}\ndata: {preprocessed_data_root: data}\nlora: {}\noptimization: {learning_rate: 1.0e-3}\n",
  );
  const { code, err, out } = await ltxc(["check", "train.yaml", "--set", "lr=1e-4"], { cwd });
  assert.is(code, 1);
  assert.match(out + err, "help: write `--set optimization.learning_rate=…`");
});

test.run();
