/** Entries of the findings about what a run writes, and what lies there already. */
import type { Entry } from "./entry.ts";

export const entries = [
  {
    code: "LTX6186",
    slug: "sample-files-changed",
    title: "The files that samples are drawn by were changed",
    explanation:
      "A resumed run goes on drawing the samples of `validation`. A file that one of them names has other contents than when the checkpoint was " +
      "saved, so pictures of before and after do not compare. The training does not depend on them and goes on.",
    bad: "python encode_again.py data/conditions/clip_1.pt && ltxc run --resume",
    good: "ltxc run --resume   # the files as they were",
  },
  {
    code: "LTX6187",
    slug: "own-file-in-the-way",
    title: "A file of yours has the name of one that the run writes",
    explanation:
      "A run saves its settings as `training_config.yaml` in its `output_dir`. A file of that name that ltxc did not write, such as your own run " +
      "config, is not replaced.",
    bad: "ltxc run training_config.yaml   # with `output_dir: .`",
    good: "ltxc run train.yaml   # with `output_dir: outputs`",
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
  {
    code: "LTX6192",
    slug: "link-out-of-output",
    title: "a link leads out of the run's folder",
    explanation:
      "Runs write, replace and delete files in their `output_dir`, and only there: a link in it to another place is not followed. To store a run elsewhere, write that folder as `output_dir`, or make `output_dir` itself a link.",
    bad: "ln -s /big-disk/checkpoints outputs/checkpoints",
    good: "ln -s /big-disk/outputs outputs",
  },
  {
    code: "LTX6193",
    slug: "output-is-no-file",
    title: "something else is where a file is to be written",
    explanation:
      "Files are written next to their place and renamed when they are complete, which would replace a device, a named pipe or a socket. In a run's folder, a file may also be where a folder is needed. `--out` and `--html` write into devices and pipes.",
    bad: "mkfifo outputs/metrics.jsonl",
    good: "rm outputs/metrics.jsonl",
  },
  {
    code: "LTX6194",
    slug: "other-engine",
    title: "The run goes on with another engine",
    explanation:
      "A resumed run equals one that was never interrupted, bit for bit, only if the same engine computes it with the same provider and in the same " +
      "precision, since engines round differently. The training state says which engine that was. With `engine: auto` another one may be taken when " +
      "something was installed or removed, or on another machine. The training is as good with another engine; only its bits are others.",
    bad: "ltxc run && ltxc install torch && ltxc run --resume",
    good: "ltxc run --resume --set runtime.engine=onnx   # the engine that the warning names",
  },
  {
    code: "LTX6195",
    slug: "nothing-to-verify",
    title: "there is nothing to verify",
    explanation:
      "`ltxc verify` reads files that end in .pt, .safetensors, .state or .recording, and those named metrics.jsonl. A path that it was given holds none " +
      "of them, or what has such a name is a device, a named pipe or a socket. So nothing is known to be whole. Links are not followed: name what they lead to.",
    bad: "ltxc verify docs",
    good: "ltxc verify outputs data",
  },
] as const satisfies readonly Entry[];
