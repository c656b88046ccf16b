/** Entries of the findings about files that change while a run uses them. */
import type { Entry } from "./entry.ts";

export const entries = [
  {
    code: "LTX6160",
    slug: "memory-not-readable",
    title: "A file in use can not be read any more",
    explanation:
      "The engine `onnx` reads the base model from its file while it computes. The system could not give it a part of that file (the signal SIGBUS), " +
      "for example because a network folder went away or a disk fails. Nothing can go on after that: the run ends with the signal, which shells show " +
      "as exit code 135, and the finding names the last checkpoint. If the file was changed, LTX7043 says so instead.",
    bad: "umount -l /models   # while `ltxc run` trains with a file in it",
    good: "model: {model_path: /local-disk/ltx.safetensors}",
  },
  {
    code: "LTX6161",
    slug: "model-changed-while-loading",
    title: "The base model was changed while the run was reading it",
    explanation:
      "Something wrote to the file of the base model, or replaced it, while the run was opening it: a download that goes on, for example. Some " +
      "of its weights may be of one model and some of another, so nothing is trained.",
    bad: "hf download … &\nltxc run",
    good: "hf download … && ltxc run",
  },
  {
    code: "LTX6162",
    slug: "full-checkpoint-without-base",
    title: "The base model of a full training was changed during the run",
    explanation:
      "A checkpoint of a full training is a copy of the base model with the trained weights in place of its own. The base was replaced, cut off or " +
      "removed, so the checkpoint holds the trained weights alone, and the run ends. Nothing of the training is lost: put the base back as it was, and " +
      "`ltxc run --resume` goes on and makes the next checkpoint whole.",
    bad: "rm ltx.safetensors   # while `ltxc run` trains all weights of it",
    good: "rm ltx.safetensors   # when the run has ended",
  },
  {
    code: "LTX6163",
    slug: "base-changed",
    title: "The base model was changed during the run",
    explanation:
      "The run has read all that it needs of the base model and goes on with that, and its LoRA belongs to the model as it was. But a resume compares " +
      "the base model with the one that the run began with, and refuses another one. A copy of the same file in its place is no change.",
    bad: "cp other.safetensors ltx.safetensors   # while `ltxc run` trains with it",
    good: "cp other.safetensors another-name.safetensors",
  },
  {
    code: "LTX6164",
    slug: "evaluation-changed",
    title: "The samples to evaluate with were changed",
    explanation:
      "A resumed run goes on with the curve of evaluation losses. The samples that are held out for it, or their files, are others than when the " +
      "checkpoint was saved, so losses before and after do not compare, and `keep_best` may keep the wrong checkpoint. The training itself does not depend on them.",
    bad: "python encode_again.py data/latents/held_out.pt && ltxc run train.yaml --resume",
    good: "ltxc run train.yaml --resume   # the data as it was",
  },
] as const satisfies readonly Entry[];
