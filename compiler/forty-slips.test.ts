// Forty slips of newcomers: the first message of each, read next to README's example, is enough to mend the file. A row has the slip, what the
// messages say (one for each mistake), the file that follows from them, and what was meant, written down before any message was looked at.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { check, emitIr, type Code } from "./index.ts";

const test = suite("forty slips");

const of = "mse(video.prediction, video.target)";
const mask = "mean(tokens(masks), channel)";

/** README's example in parts; a slip and its mend replace some of them. */
const example = {
  strategy: "strategy: slip",
  params: "params:\n  threshold: {type: number, default: 0.5, minimum: 0, maximum: 1}",
  sources: "sources:",
  latents: "  latents: {directory: latents, kind: video_latents}",
  conditions: "  conditions: {directory: conditions, kind: text_embeddings}",
  masks: "  masks: {directory: masks, kind: video_latents}",
  outputs: "",
  let: `let:\n  inpaint: ${mask} > threshold`,
  video: "video:\n  latents: latents",
  fps: "  fps: 24",
  keep: "  keep: not inpaint",
  loss: `loss:\n  inpaint: ${of} over inpaint`,
};
type Parts = Partial<typeof example>;

interface Row {
  readonly slip: Parts;
  /** What the help of each finding has: one for each mistake. */
  readonly says: readonly (readonly [Code, string])[];
  readonly mended: Parts;
  /** Where it is written in another way than the mended file. */
  readonly meant?: Parts;
}

const keep = (text: string): Parts => ({ keep: `  keep: ${text}` });
const loss = (text: string): Parts => ({ loss: `loss:\n  inpaint: ${text}` });
const lets = (text: string): Parts => ({ let: `let:\n  inpaint: ${mask} > threshold\n  ${text}` });
const generated = loss(`${of} over video.generated`);
/** Without masks, as the smallest strategies are. */
const plain: Parts = { params: "", masks: "", let: "", keep: "", loss: `loss:\n  video: ${of}` };

/** Copies of strategies that newcomers wrote, which are no part of this project. */
const theirs: Readonly<Record<string, Row>> = {
  "a loss without a name": {
    slip: { ...plain, loss: `loss: ${of}` },
    says: [["LTX2003", `\`video: ${of}\``]],
    mended: plain,
  },
  "a condition behind a mask": {
    slip: { ...plain, ...generated, ...keep("first_frame if bernoulli(0.1)") },
    says: [["LTX1101", "`first_frame with probability 0.1`"]],
    mended: { ...plain, ...generated, ...keep("first_frame with probability 0.1") },
  },
  "names of PyTorch": {
    slip: {
      ...plain,
      keep: "  sigma: logit_normal(0, 1)",
      loss: "loss:\n  video: F.mse_loss(video.prediction, video.target)",
    },
    says: [
      ["LTX3001", "`sigmoid(0 + 1 * randn())`"],
      ["LTX3001", `\`${of}\``],
    ],
    mended: { ...plain, keep: "  sigma: sigmoid(0 + 1 * randn())" },
  },
  "a remainder": {
    slip: { ...plain, ...generated, ...keep("floor(frame_index / 4) % 2 == 0") },
    says: [["LTX1103", "`mod(floor(frame_index / 4), 2)`"]],
    mended: {
      ...plain,
      ...generated,
      ...keep("mod(floor(frame_index / 4), 2) == 0"),
    },
  },
  "a whole quotient, and the latents of a modality": {
    slip: {
      ...plain,
      ...keep("frame_index // 4 == 0"),
      ...loss("mse(video.prediction, video.latents) over video.generated"),
    },
    says: [
      ["LTX1103", "`floor(frame_index / 4)`"],
      ["LTX3004", "`video.clean`"],
    ],
    mended: {
      ...plain,
      ...keep("floor(frame_index / 4) == 0"),
      ...loss("mse(video.prediction, video.clean) over video.generated"),
    },
  },
  "a choice by a text": {
    slip: {
      ...plain,
      ...generated,
      params: "params:\n  mode: {type: string, default: a}",
      ...keep('first_frame and mode == "a"'),
    },
    says: [["LTX4023", "`enum: [a, …]`"]],
    mended: {
      ...plain,
      ...generated,
      params: "params:\n  mode: {type: string, enum: [a, b], default: a}",
      ...keep('first_frame and mode == "a"'),
    },
  },
  "two probabilities in one entry": {
    slip: {
      ...plain,
      ...generated,
      ...keep("first_frame with probability 0.1 or suffix(1) with probability 0.1"),
    },
    says: [["LTX1108", "write each entry on a line of its own behind `- `"]],
    mended: {
      ...plain,
      ...generated,
      keep: "  keep:\n    - first_frame with probability 0.1\n    - suffix(1) with probability 0.1",
    },
  },
  "fields without their modality": {
    slip: {
      ...plain,
      let: "let:\n  a: first_frame",
      ...keep("a"),
      ...loss("mse(prediction, target) over generated"),
    },
    says: ["first_frame", "prediction", "target", "generated"].map((name) => ["LTX3001", `\`video.${name}\``]),
    mended: { ...plain, ...generated, let: "let:\n  a: video.first_frame", ...keep("a") },
  },
  "a draw for each element": {
    slip: { ...plain, let: "let:\n  eps: randn() per element", keep: "  noise: eps" },
    says: [["LTX4013", "`per (token:video, channel)`"]],
    mended: { ...plain, let: "let:\n  eps: randn() per (token:video, channel)", keep: "  noise: eps" },
  },
  "a median and a sorted list": {
    slip: {
      ...plain,
      let: "let:\n  w: median(video.sigma)\n  top: sort(abs(video.prediction - video.target))",
      loss: `loss:\n  video: w * ${of}\n  hard: mean(top)`,
    },
    says: [
      ["LTX3001", "`mean(video.sigma)`"],
      ["LTX3001", "write `abs(video.prediction - video.target)` alone"],
    ],
    mended: {
      ...plain,
      let: "let:\n  w: mean(video.sigma)\n  top: abs(video.prediction - video.target)",
      loss: `loss:\n  video: w * ${of}\n  hard: mean(top)`,
    },
  },
  "the target as its own reference": {
    slip: { ...plain, fps: "", keep: "  references: latents" },
    says: [["LTX2003", "`ref: {directory: …, kind: video_latents}`, and write `references: [ref]`"]],
    mended: {
      ...plain,
      fps: "",
      masks: "  ref: {directory: references, kind: video_latents}",
      keep: "  references: [ref]",
    },
  },
  "a prediction of the clean tokens": {
    slip: { ...plain, keep: "  denoised: noisy - sigma * prediction\n  target: video.clean" },
    says: [["LTX5044", "`denoised: prediction`"]],
    mended: { ...plain, keep: "  denoised: prediction\n  target: video.clean" },
  },
  "a mean over a mask": {
    slip: { ...plain, ...loss("mean((video.prediction - video.target)^2) over video.generated") },
    says: [["LTX4009", `\`${of} over video.generated\``]],
    mended: { ...plain, ...generated },
  },
  "parameters where only a value may stand": {
    slip: {
      ...plain,
      params: "params:\n  n: {type: integer, default: 12}\n  f: {type: integer, default: 768}",
      outputs: 'outputs:\n  mid: {tap: "block ${n}", modality: video}\n  h: {linear: mid, features: f}',
      loss: `loss:\n  video: ${of} + 0.1 * mean(square(h))`,
    },
    says: [["LTX2006", 'write `"${f}"`']],
    mended: {
      ...plain,
      params: "params:\n  n: {type: integer, default: 12}\n  f: {type: integer, default: 768, minimum: 1}",
      outputs: 'outputs:\n  mid: {tap: "block ${n}", modality: video}\n  h: {linear: mid, features: "${f}"}',
      loss: `loss:\n  video: ${of} + 0.1 * mean(square(h))`,
    },
  },
};

const expressions: Readonly<Record<string, Row>> = {
  "a single equals sign": {
    slip: keep("inpaint = false"),
    says: [["LTX1102", "`not inpaint`"]],
    mended: {},
  },
  "a mask for each channel": {
    slip: { let: "let:\n  inpaint: tokens(masks) > threshold" },
    says: [["LTX4015", `\`inpaint: mean(tokens(masks), axis=channel) > threshold\``]],
    mended: {},
  },
  "a mask on the grid": {
    slip: { let: "let:\n  inpaint: masks > threshold" },
    says: [["LTX4015", `\`inpaint: mean(tokens(masks), axis=channel) > threshold\``]],
    mended: {},
  },
  "a masked prediction and a masked target": {
    slip: loss("mse(video.prediction * inpaint, video.target * inpaint)"),
    says: [["LTX4002", `\`${of} over inpaint\``]],
    mended: {},
  },
  "a loss of a difference": {
    slip: loss("mse(video.prediction - video.target) over inpaint"),
    says: [["LTX4003", `\`${of}\``]],
    mended: {},
  },
  "a mask as an argument": {
    slip: loss("mse(video.prediction, video.target, over=inpaint)"),
    says: [["LTX1101", "`over` stands behind the call and takes the mask: `mse(a, b) over m`"]],
    mended: {},
  },
  "two masks behind over": {
    slip: loss(`${of} over inpaint and video.generated`),
    says: [["LTX4001", `\`${of} over (inpaint and video.generated)\``]],
    mended: loss(`${of} over (inpaint and video.generated)`),
  },
  "a target of one's own": {
    slip: loss("mse(video.prediction, noise - latents) over inpaint"),
    says: [["LTX3001", "`video.noise`"]],
    mended: loss("mse(video.prediction, video.noise - latents) over inpaint"),
    meant: loss("mse(video.prediction, video.noise - tokens(latents)) over inpaint"),
  },
  "a membership": {
    slip: { ...keep("frame_index in [0, 1]"), ...generated },
    says: [["LTX1101", "compare with `==`, and join several comparisons by `or`"]],
    mended: { ...keep("frame_index == 0 or frame_index == 1"), ...generated },
  },
  "a plural of an axis behind per": {
    slip: { fps: "  fps: 24\n  sigma: uniform(0.1, 0.9) per frames" },
    says: [["LTX3006", "`per frame`"]],
    mended: { fps: "  fps: 24\n  sigma: uniform(0.1, 0.9) per frame" },
  },
  "a plural of an axis": {
    slip: { let: "let:\n  inpaint: mean(tokens(masks), channels) > threshold" },
    says: [["LTX3006", "`channel`"]],
    mended: {},
  },
  "an if without else": {
    slip: { ...lets("weight: if progress > 0.5 then 2"), ...loss(`weight * ${of} over inpaint`) },
    says: [["LTX1101", "`if condition then value else other`"]],
    mended: { ...lets("weight: if progress > 0.5 then 2 else 1"), ...loss(`weight * ${of} over inpaint`) },
  },
  "numbers as a mask": {
    slip: { ...keep(mask), ...generated },
    says: [["LTX4001", `\`(${mask}) > 0.5\``]],
    mended: { ...keep(`(${mask}) > 0.5`), ...generated },
  },
};

const structure: Readonly<Record<string, Row>> = {
  "entries with commas": {
    slip: { ...keep("first_frame, not inpaint"), ...generated },
    says: [["LTX1101", "write each on a line of its own behind `- `"]],
    mended: { keep: "  keep:\n    - first_frame\n    - not inpaint", ...generated },
  },
  "a probability behind a colon": {
    slip: { ...keep("first_frame with probability: 0.5"), ...generated },
    says: [["LTX1001", "`keep: first_frame with probability 0.5`"]],
    mended: { ...keep("first_frame with probability 0.5"), ...generated },
  },
  "a list of names": {
    slip: { let: `let:\n  - inpaint: ${mask} > threshold` },
    says: [["LTX2003", `leave \`- \` out: each entry is a name and a value, \`inpaint: ${mask} > threshold\``]],
    mended: {},
  },
  "a section in the singular": {
    slip: { sources: "source:" },
    says: [["LTX2001", "`sources`"]],
    mended: {},
  },
  "a directory alone": {
    slip: { masks: "  masks: mask_latents" },
    says: [["LTX2003", "`masks: {directory: mask_latents, kind: …}`"]],
    mended: { masks: "  masks: {directory: mask_latents, kind: video_latents}" },
  },
  "a source without a kind": {
    slip: { masks: "  masks: {directory: masks}" },
    says: [["LTX2002", "`kind: video_latents`"]],
    mended: {},
  },
  "an entry behind its key": {
    slip: keep("- not inpaint"),
    says: [["LTX1001", "`keep: not inpaint`"]],
    mended: {},
  },
  "a parameter as its value": {
    slip: { params: "params:\n  threshold: 0.5" },
    says: [["LTX2003", "`threshold: {type: number, default: 0.5}`"]],
    mended: { params: "params:\n  threshold: {type: number, default: 0.5}" },
  },
  "a loss in braces, with a weight": {
    slip: { loss: `loss: {inpaint: ${of} over inpaint, weight: 0.5}` },
    says: [
      ["LTX1111", `\`inpaint: "${of} over inpaint"\``],
      ["LTX4008", "write `inpaint: 0.5 * mse(…)`"],
    ],
    mended: { loss: `loss: {inpaint: "0.5 * ${of} over inpaint"}` },
  },
  "a section as one name": {
    slip: { ...plain, video: "video: latents", fps: "" },
    says: [["LTX2003", "write `latents:` below it, with the name of a source of kind `video_latents`"]],
    mended: { ...plain, fps: "" },
  },
  "a name with spaces": {
    slip: { strategy: "strategy: My Strategy" },
    says: [["LTX2006", "`strategy: my_strategy`"]],
    mended: { strategy: "strategy: my_strategy" },
  },
  "a reference that is not declared": {
    slip: { fps: "", ...keep("not inpaint\n  references: [ref]") },
    says: [["LTX3001", "declare it under `sources`: `ref: {directory: …, kind: video_latents}`"]],
    mended: {
      fps: "",
      masks: `${example.masks}\n  ref: {directory: ref, kind: video_latents}`,
      ...keep("not inpaint\n  references: [ref]"),
    },
  },
  "a name of the language": {
    slip: { ...lets("target: 0.5"), ...loss(`target * ${of} over inpaint`) },
    says: [["LTX3003", "`my_target`"]],
    mended: { ...lets("my_target: 0.5"), ...loss(`my_target * ${of} over inpaint`) },
  },
};

const textOf = (parts: Parts): string =>
  `${Object.values({ ...example, ...parts })
    .filter((lines) => lines !== "")
    .join("\n")}\n`;

const findingsOf = (parts: Parts) =>
  // What a sketch does not use says nothing here.
  check({ path: "slip.strategy", text: textOf(parts) }).diagnostics.filter(({ code }) => code !== "LTX5003");

/** The typed program: what a file means, without its wording. */
const meaningOf = (parts: Parts): string | null => emitIr({ path: "slip.strategy", text: textOf(parts) }).text;

const rows = Object.entries({ ...theirs, ...expressions, ...structure });

test("there are forty", () => assert.is(rows.length, 40));

for (const [name, { slip, says, mended, meant = mended }] of rows)
  test(name, () => {
    const found = findingsOf(slip);
    assert.equal(
      found.map(({ code }) => code),
      says.map(([code]) => code),
    );
    for (const [i, [, help]] of says.entries()) assert.ok(found[i]?.help?.includes(help), found[i]?.help);
    assert.equal(
      findingsOf(mended).filter(({ severity }) => severity === "error"),
      [],
    );
    assert.ok(meaningOf(mended) !== null);
    assert.is(meaningOf(mended), meaningOf(meant));
  });

test.run();
