/**
 * Strategies of both versions of the language, whose structure is right and whose expressions are grown (`fuzz-expressions.ts`). Every other one
 * has an expression of any type in one place, and every fourth inherits part of what it has.
 */
import fc from "fast-check";
import type { Library } from "../compiler/index.ts";
import { applied, grow, infix, quoted, type Language, type ModalityName, type Text } from "./fuzz-expressions.ts";

interface GrownStrategy {
  readonly text: string;
  /** What it extends as `./base.strategy`, if it does. */
  readonly base: string | null;
}

/** Where a grown strategy finds its base, and the Python of its imported function. */
export function libraryOf({ base }: GrownStrategy): Library {
  return {
    root: null,
    names: [],
    read: () => (base === null ? null : { path: "base.strategy", text: base }),
    readPython: () => ({ path: "edges.py", text: "def edges(a, k):\n    return k * a.mean(dim=(1, 2))\n" }),
  };
}

const exported = "export";

/** What the imported function is in TypeScript. */
export const importedFunction = `import type { Ops, Tensor } from "ltxc/contract";
${exported} const edges = (ops: Ops, a: Tensor, k: number): Tensor => ops.mul(ops.mean(a, [1, 2]), k);
`;

const lines = (...all: readonly string[]): string => all.map((line) => `${line}\n`).join("");
const some = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

/** Masks of any sequence: neighbours exist on the target's grid alone. */
const simple = (language: Language): Text =>
  some(
    "first_frame",
    "not all",
    "marked > 0.5",
    "row == column",
    "time < 1",
    ...(language === 1
      ? ["prefix(count)"]
      : ["prefix(12f)", "suffix(span)", "time < 0.5s", "frame_index >= frames - 1lf"]),
  );

/** References, and which of references and target may attend to which. */
const sequence = (language: Language): Text =>
  fc
    .tuple(
      some(
        "ref",
        "ref with probability p",
        "ref with probability progress",
        "{source: ref, probability: p}",
        '{source: ref, sigma: "uniform(0, 0.2) per frame"}',
        '{source: ref, probability: 0.5, sigma: video.sigma / 2, noise: "2 * randn()"}',
      ),
      simple(language),
      some("and", "or", "or", "or"),
      some("key(from(ref))", "from(ref)", "frame_index >= key(frame_index)", "key(marked > 0.5)", "time < key(time)"),
      simple(language),
    )
    .map(([entry, mask, sign, attended, marked]) => {
      const [attention, keyframes] = [`${mask} ${sign} ${attended}`, marked].map((text) => JSON.stringify(text));
      return lines(`  references: [${entry}]`, `  attention: ${attention}`, `  keyframes: ${keyframes}`);
    });

const sometimes = (key: string, text: Text): Text =>
  fc.oneof(
    fc.constant(""),
    quoted(text).map((value) => `  ${key}: ${value}\n`),
  );

/** `noisy` and the others must be like the tokens, so an arbitrary value is added to one that is. */
const likeTokens = (name: ModalityName, text: Text): Text =>
  text.map((x) => `${name}.clean + mean(${name}.clean * (${x}))`);
const level: Text = some(
  "sampled()",
  "0.5",
  "uniform(0, p)",
  "clamp(randn(), 0, 1)",
  "uniform(0.1, 0.9) per batch",
  "sampled() per token",
  "shifted_logit_normal(std=p, uniform_prob=0)",
  "0.1 * randint(0, 10)",
);
const noise: Readonly<Record<ModalityName, readonly string[]>> = {
  video: [
    "randn()",
    "randn() + p * (randn() per frame)",
    "randn() - 0.1 * (randn() per (height, channel))",
    "2 * randn()",
  ],
  audio: ["randn()", "randn() + p * (randn() per (step, channel))", "2 * randn()"],
};
const noiseOf = (name: ModalityName, language: Language): Text =>
  some(...noise[name], "assigned(randn(), clean)", ...(language === 2 && name === "video" ? ["eps"] : []));

/** Which tokens stay clean, as a list of masks or by what is noised. */
function keptTokens(mask: Text): Text {
  const odds = some("", " with probability 0.5", " with probability p");
  const entry = fc.tuple(mask, odds).map(([m, odd]) => `    - ${JSON.stringify(m + odd)}\n`);
  const keep = fc
    .array(entry, { maxLength: 2 })
    .map((entries) => (entries.length === 0 ? "" : `  keep:\n${entries.join("")}`));
  return fc.oneof(
    { weight: 4, arbitrary: keep },
    quoted(mask).map((m) => `  noise_mask: ${m}\n`),
  );
}

/** The same text for all samples, or of each sample one of several. */
const texts: Text = some(
  "conditions",
  "[empty with probability p, conditions]",
  "[empty with probability progress, conditions]",
  "[caption, empty]",
  "[caption with probability 0.5, empty]",
  "insert(conditions, word)",
  '["insert(empty, word, other_word) with probability p", "insert(conditions, word)"]',
);

interface Growing {
  readonly before: ReturnType<typeof grow>;
  readonly noised: ReturnType<typeof grow>;
  readonly after: ReturnType<typeof grow>;
}

/** What is known of a modality before its noise, with it, and after the model has run. */
function growing(name: ModalityName, language: Language): Growing {
  return {
    before: grow(name, ["clean"], language),
    noised: grow(name, ["clean", "sigma", "noise"], language),
    after: grow(name, ["clean", "sigma", "timesteps", "noise", "noisy", "target", "generated"], language),
  };
}

function modality(name: ModalityName, language: Language, { before, noised }: Growing): Text {
  const frames = fc.oneof(sequence(language), some("", "  fps: uniform(12, 30)\n", "  fps: 25\n", "  fps: ref.fps\n"));
  return fc
    .tuple(
      sometimes("sigma", level),
      sometimes("noise", noiseOf(name, language)),
      sometimes("noisy", likeTokens(name, noised.value)),
      sometimes("target", likeTokens(name, noised.value)),
      name === "video" ? frames : fc.constant(""),
      texts.map((entry) => `  text: ${entry}\n`),
      keptTokens(before.mask),
    )
    .map((keys) => `${name}:\n  latents: ${name === "video" ? "latents" : "sound"}\n${keys.join("")}`);
}

const quiet: Text = texts.map((text) => lines("audio:", "  latents: quiet", `  text: ${text}`));

/** What stands once in a strategy, and loss terms that read it. */
interface Section {
  readonly declared: string;
  readonly terms: readonly string[];
}

const nothing: Section = { declared: "", terms: [] };
const pass = (term: string, ...declared: string[]): Section => ({
  declared: lines("passes:", ...declared.map((line) => `  ${line}`)),
  terms: [`${term} over video.generated`],
});

/** Other calls of the model: one that nothing reads is an error. */
const passes = some<Section>(
  nothing,
  pass("mse(video.prediction, base.video.prediction)", "base: {adapters: false}"),
  pass("mse(video.prediction, near.video.prediction)", "near: {video: {sigma: video.sigma / 2}}"),
  pass(
    "mse(video.prediction, base.video.prediction)",
    "base: {adapters: false, video: {references: [], text: empty}, audio: {noise: randn()}}",
  ),
  pass(
    "mse(video.prediction, other.video.prediction)",
    'other: {video: {references: [{source: ref, sigma: "uniform(0, 1)"}], latents: worse}}',
  ),
  pass(
    "mse(other.video.denoised, other.video.clean)",
    "other: {video: {noisy: video.noisy - 0.1 * video.prediction, denoised: noisy - timesteps * prediction}, gradient: through}",
  ),
  pass(
    "mse(video.prediction, near.video.prediction)",
    "teacher: {adapters: ema}",
    "near: {adapters: ema, video: {sigma: video.sigma / 2, noisy: video.noisy - 0.1 * teacher.video.prediction}}",
  ),
  pass(
    "mse(aim.video.prediction, aim.video.target)",
    "plain: {adapters: false, video: {text: empty}, audio: {text: empty}}",
    "aim: {video: {target: plain.video.prediction, text: conditions}}",
  ),
);

const head = (language: Language): string =>
  lines(
    "params:",
    "  p: {type: number, default: 0.5}",
    "  count: {type: integer, default: 1}",
    "  flag: {type: boolean, default: true}",
    "  items: {type: array, items: {type: number}, minItems: 2, default: [1, 2]}",
    "  mode: {type: string, enum: [soft, hard], default: soft}",
    "  layer: {type: integer, default: 1, minimum: 0}",
    "  size: {type: integer, default: 4, minimum: 1}",
    ...(language === 2
      ? ["  span: {type: integer, default: 2, minimum: 0, unit: lf}", "  edge: {type: number, default: 64, unit: px}"]
      : []),
    "sources:",
    "  latents: {directory: latents, kind: video_latents}",
    "  worse: {directory: worse, kind: video_latents, like: latents}",
    "  conditions: {directory: conditions, kind: text_embeddings}",
    "  caption: {directory: captions, kind: text_embeddings, optional: true}",
    "  empty: {file: empty.pt, kind: text_embeddings}",
    "  marked: {directory: marked, kind: video_mask}",
    "  ref: {directory: ref, kind: video_latents}",
    "  depth: {directory: depth, kind: video_latents, optional: true}",
    "  sound: {directory: sound, kind: audio_latents}",
    "  quiet: {directory: quiet, kind: audio_latents, optional: true}",
    "  speech: {directory: speech, kind: audio_mask}",
    "  dino: {directory: dino, kind: tensor, key: d, axes: [token:video, feature]}",
    '  seen: {directory: "${mode}", kind: tensor, key: x, axes: [rgb, pixel_frame, pixel_row, pixel_column]}',
    "  extra: {directory: extra, kind: tensor, key: x, axes: [], range: [0, 1], optional: true}",
    "weights:",
    "  word: {axes: [text: 2, hidden], like: conditions}",
    "  other_word: {axes: [text: 3, hidden], like: empty, init: 0}",
  );

/** Sets of samples, of which every batch has its share. */
const datasets = some(
  lines("datasets:", "  main: {}", "  prior: {root: class_clips, share: 0.5}"),
  lines("datasets:", "  main: {}", "  prior: {root: class_clips, share: p, without: [extra]}"),
  lines("datasets:", "  main: {without: [depth]}", "  prior: {share: 0.25, without: [caption, depth]}"),
);

const networks = some<Section>(
  nothing,
  {
    declared: lines(
      "networks:",
      "  decode: {architecture: ltx_video_decoder, window: {frames: 2, height: 8, width: 8}}",
    ),
    terms: ["mae(decode(video.prediction), decode(video.target)) over video.generated"],
  },
  {
    declared: lines(
      "networks:",
      "  decode: {architecture: ltx_video_decoder}",
      "  encode: {architecture: ltx_video_encoder}",
    ),
    terms: [
      "mean(abs(shift(blur(decode(video.prediction), 1), pixel_frame, 1) - seen))",
      "mse(tokens(encode(decode(video.prediction))), video.clean) over video.generated",
    ],
  },
  {
    declared: lines(
      "networks:",
      '  features: {architecture: [conv 8, relu, conv 4 1x3x3], from: "${mode}.safetensors", prefix: head.}',
      '  flat: {architecture: [linear 8, gelu, layer_norm, linear 4], from: flat.safetensors, type: "(x: tokens:video) -> f32[batch, token:video, feature]"}',
    ),
    terms: [
      "mse(features(video.prediction), features(video.clean)) over video.generated",
      "cosine_distance(flat(video.prediction), dino) over video.generated",
    ],
  },
);

const imports = some<Section>(nothing, {
  declared: lines(
    "imports:",
    '  edges: {from: ./edges.ts, python: ./edges.py, type: "(a: tokens:video, k: number) -> f32[batch]"}',
  ),
  terms: ["edges(video.prediction * float(video.generated), p)"],
});

const outputs = some<Section>(
  nothing,
  {
    declared: lines("outputs:", "  mid: {tap: block 1, modality: video}", "  guess: {linear: mid, features: 4}"),
    terms: ["mse(guess, dino) over video.generated"],
  },
  {
    declared: lines(
      "outputs:",
      '  mid: {tap: "block ${layer}", modality: video}',
      "  last: {tap: block -1, modality: audio}",
      '  guess: {linear: mid, features: "${size}", activation: silu}',
    ),
    terms: ["cosine_distance(guess, dino) over video.generated", "0.1 * mean(last)"],
  },
);

const depth = some<Section>(
  nothing,
  { declared: "", terms: ["mse(video.prediction, tokens(depth)) over has(depth) over video.generated"] },
  { declared: "", terms: ["if has(depth) then mse(video.prediction, tokens(depth)) over video.generated else 0"] },
);

const metadata = lines("metadata:", '  scale: "${video.height / ref.height + p}"', '  mode: "${mode}"');

/** Masks that are true everywhere, and what values are on average. */
const expectations = ({ after }: Growing): Text =>
  fc
    .array(
      fc.oneof(
        after.mask,
        fc
          .tuple(after.value, some(" about p", " about 0.5 within count", " about items[0] within 0.1"))
          .map((both) => both.join("")),
      ),
      { minLength: 1, maxLength: 2 },
    )
    .map((all) => lines("expect:", ...all.map((each) => `  - ${JSON.stringify(each)}`)));

/** In place of a loss term: whatever, video or audio, mask or number. */
function wild({ before, after }: Growing, sound: Growing): fc.Arbitrary<string[]> {
  const any = fc.oneof(
    ...[after, sound.after, before].flatMap(({ host, value, mask, loss }) => [host, value, mask, loss]),
  );
  const anything = fc.oneof(
    any,
    infix(["+", "and", "<"], any, any),
    // A region has no sign.
    fc.tuple(any, any).map(([x, region]) => `(${x} over (${region}))`),
    applied(["tokens", "grid", "mean", "norm", "not", "others"], any),
  );
  return fc.oneof(some<string[]>([]), fc.tuple(anything));
}

function strategyOf(language: Language): fc.Arbitrary<GrownStrategy> {
  const [video, audio] = [growing("video", language), growing("audio", language)];
  const drawn = language === 2 ? "  eps: randn()\n" : "";
  return fc
    .record({
      named: quoted(video.before.value),
      video: modality("video", language, video),
      audio: fc.oneof({ weight: 3, arbitrary: modality("audio", language, audio) }, quiet),
      terms: fc.tuple(video.after.loss, audio.after.loss, wild(video, audio)).map(([a, b, more]) => [a, b, ...more]),
      sections: fc.tuple(passes, networks, imports, outputs, depth),
      datasets,
      expected: expectations(video),
      inherits: some(false, false, false, true),
    })
    .map(({ named, video, audio, terms, sections, datasets, expected, inherits }) => {
      const all = [...sections.flatMap((section) => section.terms), ...terms].map((term) =>
        audio.includes("quiet") && /audio|last/.test(term) ? `if has(quiet) then ${term} else 0` : term,
      );
      const loss = lines("loss:", ...all.map((term, i) => `  term${i}: ${JSON.stringify(term)}`));
      const lets = `let:\n  named: ${named}\n  scaled(a, b): a * b + 1\n${video.includes("eps") ? drawn : ""}`;
      const own = `${lets}${sections.map((section) => section.declared).join("")}${video}${metadata}${loss}${expected}`;
      const [name, version] = ["strategy: grown\n", `language: ${language}\n`];
      const shared = `${head(language)}${datasets}${audio}`;
      if (!inherits) return { text: `${name}${version}${shared}${own}`, base: null };
      const changed = lines("params:", "  p: {default: 0.25}", "sources:", "  surplus: null");
      const base = shared.replace("weights:\n", "  surplus: {directory: surplus, kind: video_mask}\nweights:\n");
      return {
        text: `${name}${version}extends: ./base.strategy\n${changed}${own}`,
        base: `strategy: base\n${version}${base}`,
      };
    });
}

export const strategyWith: fc.Arbitrary<GrownStrategy> = fc.oneof(strategyOf(1), strategyOf(2), strategyOf(2));
