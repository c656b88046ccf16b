import type { Entry } from "./entry.ts";

/** Names: what they stand for, and which may be given. */
export const entries = [
  {
    code: "LTX3001",
    slug: "unknown-name",
    title: "Nothing has this name",
    explanation:
      "An expression uses a name that is no parameter, source, `let` binding or built-in function. Inside a modality its own fields need no prefix; everywhere else they are written with it, as in `video.sigma`.",
    bad: "let:\n  hole: mean(tokens(maks), channel) > 0.5\n",
    good: "sources:\n  masks: {directory: masks, kind: video_latents}\nlet:\n  hole: mean(tokens(masks), channel) > 0.5\n",
  },
  {
    code: "LTX3002",
    slug: "name-declared-twice",
    title: "A name is declared twice",
    explanation:
      "Parameters, sources and `let` bindings share one namespace, so that a name means one thing wherever it is read.",
    bad: "params:\n  masks: {type: number}\nsources:\n  masks: {directory: masks, kind: video_latents}\n",
    good: "params:\n  threshold: {type: number}\nsources:\n  masks: {directory: masks, kind: video_latents}\n",
  },
  {
    code: "LTX3003",
    slug: "reserved-name",
    title: "A name belongs to the language",
    explanation:
      "Functions, axes, `video`, `audio` and the fields of a modality keep their meaning in every strategy; a parameter, source or binding cannot take their name.",
    bad: "let:\n  sigma: 0.5\n",
    good: "let:\n  level: 0.5\n",
  },
  {
    code: "LTX3004",
    slug: "unknown-member",
    title: "Something has no such field",
    explanation:
      "After the dot stands a field that the modality or source does not have. Audio has `steps` where video has `frames`, and a modality that the strategy leaves out has no fields at all.",
    bad: "video:\n  latents: latents\nloss:\n  velocity: mse(video.prediction, video.targets)\n",
    good: "video:\n  latents: latents\nloss:\n  velocity: mse(video.prediction, video.target)\n",
  },
  {
    code: "LTX3006",
    slug: "unknown-axis",
    title: "Nothing has this axis",
    explanation:
      "Reductions and draws name the axes they run over: `batch`, `token`, `channel`, `frame`, `height`, `width`, `step`, `mel`, `feature` or `hidden`. Outside a modality a draw says whose tokens it means, as in `per token:video`.",
    bad: "sources:\n  masks: {directory: masks, kind: video_latents}\nlet:\n  hole: mean(tokens(masks), channels) > 0.5\n",
    good: "sources:\n  masks: {directory: masks, kind: video_latents}\nlet:\n  hole: mean(tokens(masks), channel) > 0.5\n",
  },
] as const satisfies readonly Entry[];
