import type { Entry } from "./entry.ts";

/** A run config with these lines. */
const config = (...lines: string[]) =>
  ["model: {model_path: ltx.safetensors}", "data: {preprocessed_data_root: data}", "lora: {rank: 8}", ...lines].join(
    "\n",
  );
const saved = "outputs/checkpoints/lora_weights_step_00250.safetensors";
const loading = (...lines: string[]) =>
  config(...lines).replace("safetensors}", `safetensors, load_checkpoint: ${saved}}`);

/** What is wrong with the folder that a run writes to. */
export const entries = [
  {
    code: "LTX6340",
    slug: "folder-in-use",
    title: "Another run has the output folder",
    explanation:
      "A run locks its `output_dir` with the file `run.lock` until it ends, so that two runs never mix their checkpoints and metrics. The lock " +
      "of a run that was killed does no harm: the next one sees that its process is gone, also after a restart of the machine, and takes it " +
      "over. A process on another host or in another container cannot be looked at. Its run renews the lock every 15 seconds and counts " +
      "as ended after 3 minutes without that. `ltxc run --new` trains in a folder next to it.",
    bad: config("output_dir: outputs   # another run trains here"),
    good: config("output_dir: outputs/second"),
  },
  {
    code: "LTX6341",
    slug: "folder-holds-work",
    title: "The output folder holds the work of an earlier run",
    explanation:
      "A run does not begin anew where checkpoints or metrics of another one lie, of ltxc or of the official trainer: they would be mixed, " +
      "overwritten and lost. `ltxc run --resume` goes on with the earlier run. `ltxc run --new` trains in a folder next to it, such as " +
      "`outputs-2`. `ltxc run --overwrite` deletes what ltxc wrote there, and says what. With placeholders every run has a folder " +
      "of its own: `{strategy}`, `{date}`, `{time}`, `{seed}`, or any setting, such as `{lora.rank}`.",
    bad: config("output_dir: outputs   # of an earlier run"),
    good: config('output_dir: "outputs/{strategy}-{date}-{time}"'),
  },
  {
    code: "LTX6342",
    slug: "not-overwritten",
    title: "`--overwrite` does not delete this",
    explanation:
      "`ltxc run --overwrite` deletes only what ltxc itself wrote into `output_dir`. Weights of the official trainer, weights that cannot be read, " +
      "and those behind a link are not deleted, and neither is anything that the run itself reads, for example as `model.load_checkpoint`.",
    bad: loading("output_dir: outputs   # with --overwrite"),
    good: loading("output_dir: outputs-2"),
  },
  {
    code: "LTX6343",
    slug: "unknown-placeholder",
    title: "`output_dir` has no such placeholder",
    explanation:
      "In `output_dir`, `{strategy}`, `{date}`, `{time}` and `{seed}` stand for those of the run, and so do the params that `training_strategy` " +
      "sets and all settings with one value, such as `{lora.rank}` or `{optimization.learning_rate}`. Braces that are part of the " +
      "folder's name are written twice: `{{` and `}}`.",
    bad: config('output_dir: "outputs/{stratgy}"'),
    good: config('output_dir: "outputs/{strategy}"'),
  },
  {
    code: "LTX6344",
    slug: "would-overwrite-checkpoints",
    title: "The run would overwrite the checkpoints of another one",
    explanation:
      "A run that begins with earlier weights at step 0, or goes on from one of several checkpoints with other settings, would save over " +
      "the later checkpoints in its folder, one by one. It needs a folder of its own. Only a run that goes on with the same settings may do " +
      "its own steps again.",
    bad: loading("output_dir: outputs", "checkpoints: {no_resume: true}"),
    good: loading("output_dir: outputs-2", "checkpoints: {no_resume: true}"),
  },
  {
    code: "LTX6380",
    slug: "output-not-local",
    title: "`output_dir` is no folder of this machine",
    explanation:
      "Runs write to folders. An address such as `s3://bucket/run`, or a path of another system, would become a folder of that name next to the " +
      "run config. Write a local folder and copy it afterwards, or mount the storage.",
    bad: config("output_dir: s3://bucket/run"),
    good: config("output_dir: outputs"),
  },
  {
    code: "LTX6381",
    slug: "output-with-shell-word",
    title: "`output_dir` has a word that only a shell replaces",
    explanation:
      "`$HOME`, `%USERPROFILE%` and `~name` mean something in a shell, not in a run config: a folder of that name would be made. `~/` at the " +
      "beginning is your home folder, and placeholders such as `{date}` are filled in.",
    bad: config("output_dir: $HOME/outputs"),
    good: config("output_dir: ~/outputs"),
  },
  {
    code: "LTX6382",
    slug: "output-without-name",
    title: "`output_dir` is no name of a folder",
    explanation:
      "An empty or blank name would be the run config's own folder, and a line break in a name is rarely meant. For the run config's folder write `.`.",
    bad: config('output_dir: ""'),
    good: config("output_dir: outputs"),
  },
  {
    code: "LTX6389",
    slug: "not-for-ltx-trainer",
    title: "The official trainer cannot do what the strategy says",
    explanation:
      "`ltxc compile --target ltx-trainer` writes a strategy as a module for the official trainer. Modules prepare what the model is given without a gradient, so `weights` of the strategy's own would not be trained there, and its data set leaves out samples that lack a file, so no source can be `optional`, and it knows one data set alone. Train with `ltxc run`.",
    bad: "weights:\n  concept: {axes: [text: 8, hidden], like: conditions}\n",
    good: "ltxc run train.yaml",
  },
] as const satisfies readonly Entry[];
