import type { Entry } from "./entry.ts";

/** What samples have, and which data sets they come from. */
export const entries = [
  {
    code: "LTX6383",
    slug: "nobody-has-it",
    title: "No sample has an optional source",
    explanation:
      "Samples may lack a file of a source with `optional: true`, but of all samples at least one has it. Where none has, the directory is most likely another one, or its files have other names: those of one sample have the same path below each source's directory. To train without the source, remove it from the strategy.",
    bad: "latents/clip_1.pt\nconditions/clip_1.pt\ndepth/clip_1_depth.pt",
    good: "latents/clip_1.pt\nlatents/clip_2.pt\nconditions/clip_1.pt\nconditions/clip_2.pt\ndepth/clip_1.pt",
  },
  {
    code: "LTX6384",
    slug: "share-of-batch",
    title: "A share of a batch is no whole number of samples",
    explanation:
      "Every batch has its share of each of the strategy's `datasets`, in whole samples: of `share: 0.5` a batch of 2, 4 or 6 samples. `gradient_accumulation_steps` makes no larger batches.",
    bad: "optimization: {batch_size: 3}  # with datasets: {subject: {}, prior: {root: class_clips, share: 0.5}}",
    good: "optimization: {batch_size: 2}",
  },
  {
    code: "LTX6385",
    slug: "folder-of-dataset",
    title: "A data set has no folder, or that of another one",
    explanation:
      "A data set of the strategy lies in the folder that its `root` names below `data.preprocessed_data_root`, in that root itself without `root`, or where `runtime.datasets` of the run config says. In it are the directories of its sources: `latents`, `conditions` and others. Two data sets in one folder would be the same samples twice.",
    bad: "data/latents\ndata/conditions  # and no data/class_clips",
    good: "data/latents\ndata/conditions\ndata/class_clips/latents\ndata/class_clips/conditions",
  },
  {
    code: "LTX6386",
    slug: "shares-together",
    title: "The shares of the data sets are no whole batch",
    explanation:
      "Shares that are parameters of the strategy are known when the run config is read. Each lies between 0 and 1. One data set without a share gets what the others leave; where all have one, they are 1 together.",
    bad: "training_strategy: {name: prior_preservation, prior_share: 1.5}",
    good: "training_strategy: {name: prior_preservation, prior_share: 0.5}",
  },
  {
    code: "LTX6387",
    slug: "no-such-dataset",
    title: "The strategy has no data set of this name",
    explanation:
      "`runtime.datasets` says where data sets of the strategy lie, by their names under `datasets:` there. It changes the folder of a data set, and adds none.",
    bad: "runtime: {datasets: {priors: /data/class_clips}}",
    good: "runtime: {datasets: {prior: /data/class_clips}}",
  },
  {
    code: "LTX6388",
    slug: "no-such-network",
    title: "The strategy has no network of this name",
    explanation:
      "`runtime.networks` says which files hold the weights of the strategy's networks, by their names under `networks:` there. It changes the file of a network, and adds none.",
    bad: "runtime: {networks: {decoder: /models/vae.safetensors}}",
    good: "runtime: {networks: {decode: /models/vae.safetensors}}",
  },
] as const satisfies readonly Entry[];
