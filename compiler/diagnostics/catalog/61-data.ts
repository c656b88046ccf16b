import type { CatalogEntry } from "./entry.ts";

/** What is wrong with data files: found by reading them, so their bad and good lines are what a user sees or does. */
export const entries: readonly CatalogEntry[] = [
  {
    code: "LTX6180",
    slug: "safetensors-missing",
    title: "a safetensors file cannot be opened",
    explanation: "A checkpoint or weights file that the run config names is not there or may not be read.",
    bad: "model:\n  model_path: checkpoints/ltx2.safetensor",
    good: "model:\n  model_path: checkpoints/ltx2.safetensors",
  },
  {
    code: "LTX6181",
    slug: "safetensors-broken",
    title: "a safetensors file is broken",
    explanation:
      "The header claims what the file does not hold: a length beyond the file, ranges that overlap or leave gaps, shapes that do not match their bytes. Most often a download was cut off. Nothing of such a file is loaded.",
    bad: "a file that ends in the middle of a tensor",
    good: "the same file, downloaded again",
  },
  {
    code: "LTX6190",
    slug: "disk-full",
    title: "no space left while writing",
    explanation:
      "Files are written beside their final place and renamed when they are complete, so the file that was there before is intact. Free some space and go on from it.",
    bad: "output_dir: /small-disk/run",
    good: "output_dir: /large-disk/run",
  },
  {
    code: "LTX6191",
    slug: "output-file-not-writable",
    title: "an output file cannot be written",
    explanation: "The output folder does not allow it, or a part of its path is a file.",
    bad: "output_dir: /usr/lib",
    good: "output_dir: outputs",
  },
];
