/**
 * Strategies whose structure is right and whose expressions are grown by type, so that most of them compile and the later phases
 * have something to work on. Every other one has an expression of any type in one place.
 */
import fc from "fast-check";

type Text = fc.Arbitrary<string>;

/** Expressions by what they are: numbers known before the step, values over tokens, masks over tokens, loss terms. */
interface Grown {
  readonly host: Text;
  readonly value: Text;
  readonly mask: Text;
  readonly loss: Text;
}

const numbers = "0 1 0.5 3 p count items[0] items[1] global_step progress".split(" ");
const cells = fc.constantFrom("0", "1", "2.5", "count");
const grids = { video: ["frame_index", "row", "column", "time"], audio: ["step_index", "time"] };
const sizes = { video: ["frames", "height", "width"], audio: ["steps"] };
const sources = {
  video: [
    "mean(tokens(latents), channel)",
    "marked",
    "mean(dino, feature)",
    "mean(latents, channel)",
    "mean(latents, height, width, channel)",
    "norm(latents)",
  ],
  audio: ["mean(tokens(sound), channel)", "speech", "mean(sound, mel, channel)"],
};
const shapes = { video: ["frame", "(height, width)", "token:video"], audio: ["step", "token:audio"] };
const axes = { video: ["frame", "height", "width"], audio: ["step"] };
const transformed = { video: ["frame", "axis=frame", "height, width", "channel"], audio: ["step", "channel"] };
const functions = "abs square tanh sigmoid sin cos exp ceil round sign softplus stop_gradient -".split(" ");
const compared = ["<", "<=", ">", ">=", "==", "!="];
/** Masks over the samples: what they have, where they come from, what a parameter says. */
const conditions = ["has(extra)", "in(prior)", "in(main)", 'mode == "soft"', '"hard" != mode'];

const applied = (names: readonly string[], ...args: Text[]): Text =>
  fc.tuple(fc.constantFrom(...names), ...args).map(([name, ...rest]) => `${name}(${rest.join(", ")})`);
const infix = (signs: readonly string[], a: Text, b: Text): Text =>
  fc.tuple(a, fc.constantFrom(...signs), b).map(([x, sign, y]) => `(${x} ${sign} ${y})`);

const onGrid = (mask: Text): Text => mask.map((m) => `(${m}) and video.row >= 0`);

/** A coordinate makes sure that the value lies on tokens. */
function neighbours(modality: "video" | "audio", value: Text): Text[] {
  const onTokens = value.map((x) => `${modality}.${grids[modality][0]} + ${x}`);
  const moved = applied(["shift"], onTokens, fc.constantFrom(...axes[modality]), fc.constantFrom("1", "-2", "count"));
  const ranked = applied(["quantile"], onTokens, fc.constantFrom("0.5", "p"), fc.constantFrom("token", "axis=token"));
  return modality === "audio" ? [moved, ranked] : [moved, ranked, applied(["blur"], onTokens, cells)];
}

/** Numbers known before the step. */
const plainNumbers = (modality: "video" | "audio", host: Text): Text[] => [
  fc.constantFrom(...numbers, ...sizes[modality].map((size) => `${modality}.${size}`)),
  infix(["+", "-", "*", "/", "^"], host, host),
  applied(["abs", "sqrt", "exp", "-"], host),
  applied(["max", "min", "scaled"], host, host),
  fc.tuple(infix(compared, host, host), host, host).map(([m, a, b]) => `(if ${m} then ${a} else ${b})`),
];

/** What may be written where the fields `known` of the modality exist. */
function grow(modality: "video" | "audio", known: readonly string[]): Grown {
  const scalars = known.filter((name) => name === "sigma" || name === "timesteps");
  const fields = [...scalars, ...grids[modality]].map((name) => `${modality}.${name}`);
  const region = `${modality}.${known.includes("generated") ? "generated" : "all"}`;
  const masks = [`${modality}.all`, known.includes("generated") ? `(not ${region})` : region];
  masks.push(...conditions);
  if (modality === "video") masks.push("video.first_frame", "video.crop(0, 0, 64, 32)", "(marked > 0.5)");
  const channels = known.map((name) => `${modality}.${name}`).filter((name) => !/sigma|timesteps|generated/.test(name));
  const drawn = shapes[modality].flatMap((axes) => [`(randn() per ${axes})`, `(uniform(0, 1) per ${axes})`]);
  return fc.letrec<{ host: string; like: string; value: string; mask: string; loss: string }>((tie) => {
    const [host, like, value, mask, loss] = [tie("host"), tie("like"), tie("value"), tie("mask"), tie("loss")];
    const branch = { maxDepth: 4, depthSize: "small" } as const;
    return {
      host: fc.oneof(branch, ...plainNumbers(modality, host)),
      like: fc.oneof(fc.constantFrom(...channels), infix(["+", "*", "/"], fc.constantFrom(...channels), value)),
      value: fc.oneof(
        branch,
        fc.constantFrom(...fields, ...sources[modality], ...drawn),
        host,
        applied(functions, value),
        infix(["+", "-", "*", "/", "^"], value, value),
        applied(["max", "min", "pow", "mod", "scaled"], value, value),
        applied(["where"], mask, value, value),
        applied(["clamp"], value, host, host),
        applied(["float"], mask),
        fc.tuple(mask, value, value).map(([m, a, b]) => `(if has(extra) and ${m} then ${a} + mean(extra) else ${b})`),
        ...neighbours(modality, value),
      ),
      mask: fc.oneof(
        branch,
        fc.constantFrom(...masks),
        infix(compared, value, host),
        infix(["and", "or"], mask, mask),
        mask.map((m) => `(not ${m})`),
        applied([`${modality}.prefix`, `${modality}.suffix`], host),
        ...(modality === "video" ? [applied(["dilate"], onGrid(mask), cells)] : []),
      ),
      loss: fc.oneof(
        branch,
        applied(
          ["mean", "sum", "norm"],
          value.map((x) => `float(${region}) * ${modality}.prediction * (${x})`),
        ),
        fc
          .tuple(
            applied(["mse", "mae", "charbonnier", "cosine_distance"], fc.constant(`${modality}.prediction`), like),
            mask,
          )
          .map(([call, m]) => `${call} over (${m}) over ${modality}.generated`),
        fc
          .tuple(fc.constantFrom(...transformed[modality]), value)
          .map(([along, x]) => `mean(norm(dft(${modality}.prediction * (${x}), ${along}), part))`),
        infix(["+", "-", "*"], loss, loss),
        infix(["*", "/"], loss, host),
      ),
    };
  });
}

const before = { video: grow("video", ["clean"]), audio: grow("audio", ["clean"]) };
/** Masks of any sequence: neighbours exist on the target's grid alone. */
const simple: Text = fc.constantFrom(
  "first_frame",
  "not all",
  "marked > 0.5",
  "row == column",
  "prefix(count)",
  "time < 1",
);

/** References, and which of references and target may attend to which. */
const sequence: Text = fc
  .tuple(
    fc.constantFrom(
      "ref",
      "ref with probability p",
      "ref with probability progress",
      "{source: ref, probability: p}",
      '{source: ref, sigma: "uniform(0, 0.2) per frame"}',
      '{source: ref, probability: 0.5, sigma: video.sigma / 2, noise: "2 * randn()"}',
    ),
    simple,
    fc.constantFrom("and", "or"),
    fc.constantFrom(
      "key(from(ref))",
      "from(ref)",
      "frame_index >= key(frame_index)",
      "key(marked > 0.5)",
      "time < key(time)",
    ),
    simple,
  )
  .map(([entry, mask, sign, attended, marked]) => {
    const [attention, keyframes] = [`${mask} ${sign} ${attended}`, marked].map((text) => JSON.stringify(text));
    return `  references: [${entry}]\n  attention: ${attention}\n  keyframes: ${keyframes}\n`;
  });

const noised = { video: grow("video", ["clean", "sigma", "noise"]), audio: grow("audio", ["clean", "sigma", "noise"]) };
const known = ["clean", "sigma", "timesteps", "noise", "noisy", "target", "generated"];
const after = { video: grow("video", known), audio: grow("audio", known) };

const quoted = (text: Text): Text => text.map((expression) => JSON.stringify(expression));
const sometimes = (key: string, text: Text): Text =>
  fc.oneof(
    fc.constant(""),
    quoted(text).map((value) => `  ${key}: ${value}\n`),
  );

/** `noisy` and the others must be like the tokens, so an arbitrary value is added to one that is. */
const likeTokens = (name: "video" | "audio", text: Text): Text =>
  text.map((x) => `${name}.clean + mean(${name}.clean * (${x}))`);
const level: Text = fc.constantFrom(
  "sampled()",
  "0.5",
  "uniform(0, p)",
  "clamp(randn(), 0, 1)",
  "uniform(0.1, 0.9) per batch",
  "sampled() per token",
  "shifted_logit_normal(std=p, uniform_prob=0)",
);
const noise: Text = fc.constantFrom(
  "randn()",
  "randn() + p * (randn() per frame)",
  "randn() - 0.1 * (randn() per (height, channel))",
  "2 * randn()",
);
const audioNoise: Text = fc.constantFrom("randn()", "randn() + p * (randn() per (step, channel))", "2 * randn()");

function modality(name: "video" | "audio", latents: string): Text {
  const odds = fc.constantFrom("", " with probability 0.5", " with probability p");
  const entry = fc.tuple(before[name].mask, odds).map(([mask, odd]) => `    - ${JSON.stringify(mask + odd)}\n`);
  const keep = fc
    .array(entry, { maxLength: 2 })
    .map((entries) => (entries.length === 0 ? "" : `  keep:\n${entries.join("")}`));
  return fc
    .tuple(
      sometimes("sigma", level),
      sometimes("noise", name === "video" ? noise : audioNoise),
      sometimes("noisy", likeTokens(name, noised[name].value)),
      sometimes("target", likeTokens(name, noised[name].value)),
      name === "video" ? sequence : fc.constant(""),
      texts.map((entry) => `  text: ${entry}\n`),
      keep,
    )
    .map((keys) => `${name}:\n  latents: ${latents}\n${keys.join("")}`);
}

/** The same text for all samples, or of each sample one of several. */
const texts: Text = fc.constantFrom(
  "conditions",
  "[empty with probability p, conditions]",
  "[empty with probability progress, conditions]",
  "insert(conditions, word)",
  '["insert(empty, word, other_word) with probability p", "insert(conditions, word)"]',
);

/** Other calls of the model, and a loss term that reads the last of them: a call that nothing reads is an error. */
const passes = fc.constantFrom<readonly [declared: string, read: string]>(
  ["", ""],
  ["base: {adapters: false}", "base"],
  ["near: {video: {sigma: video.sigma / 2}}", "near"],
  ["base: {adapters: false, video: {references: [], text: empty}, audio: {noise: randn()}}", "base"],
  ['other: {video: {references: [{source: ref, sigma: "uniform(0, 1)"}], latents: worse}}', "other"],
  ["other: {video: {noisy: video.noisy - 0.1 * video.prediction}, gradient: through}", "other"],
);

const head = `strategy: grown
params:
  p: {type: number, default: 0.5}
  count: {type: integer, default: 1}
  flag: {type: boolean, default: true}
  items: {type: array, items: {type: number}, default: [1, 2]}
  mode: {type: string, enum: [soft, hard], default: soft}
sources:
  latents: {directory: latents, kind: video_latents}
  worse: {directory: worse, kind: video_latents, like: latents}
  conditions: {directory: conditions, kind: text_embeddings}
  empty: {file: empty.pt, kind: text_embeddings}
  marked: {directory: marked, kind: video_mask}
  ref: {directory: ref, kind: video_latents}
  sound: {directory: sound, kind: audio_latents}
  speech: {directory: speech, kind: audio_mask}
  dino: {directory: dino, kind: tensor, key: d, axes: [token:video, feature]}
  extra: {directory: extra, kind: tensor, key: x, axes: [], range: [0, 1], optional: true}
weights:
  word: {axes: [text: 2, hidden], like: conditions}
  other_word: {axes: [text: 3, hidden], like: empty, init: 0}
`;

/** Sets of samples, of which every batch has its share. */
const datasets = fc.constantFrom(
  "datasets:\n  main: {}\n  prior: {root: class_clips, share: 0.5}\n",
  "datasets:\n  main: {}\n  prior: {root: class_clips, share: p, without: [extra]}\n",
);

type Parts = readonly [
  string,
  string,
  string,
  readonly string[],
  readonly [declared: string, read: string],
  string,
  readonly string[],
];

function text([named, video, audio, losses, [declared, read], sets, expected]: Parts): string {
  const lets = `let:\n  named: ${named}\n  scaled(a, b): a * b + 1\n`;
  const extra =
    'outputs:\n  mid: {tap: block 1, modality: video}\n  seen: {linear: mid, features: 4}\nmetadata:\n  scale: "${video.height / ref.height + p}"\n';
  const calls = declared === "" ? "" : `passes:\n  ${declared}\n`;
  const called = read === "" ? "" : `  called: mse(video.prediction, ${read}.video.prediction) over video.generated\n`;
  return `${head}${sets}${lets}${calls}${video}${audio}${extra}loss:\n  seen: mse(seen, dino) over video.generated\n${called}${losses.map((loss, i) => `  term${i}: ${loss}\n`).join("")}expect:\n${expected.map((each) => `  - ${each}\n`).join("")}`;
}

/** Masks that are true everywhere, and what values are on average. */
const expectations: fc.Arbitrary<string[]> = fc.array(
  fc
    .tuple(
      after.video.value,
      after.video.mask,
      fc.constantFrom("", " about p", " about 0.5 within count", " about items[0] within 0.1"),
    )
    .map(([x, m, ending]) => JSON.stringify(`${ending === "" ? m : x}${ending}`)),
  { minLength: 1, maxLength: 2 },
);

/** In place of a loss term: whatever, video or audio, mask or number. */
const any = fc.oneof(
  ...[after.video, after.audio, before.video].flatMap(({ host, value, mask, loss }) => [host, value, mask, loss]),
);
const anything = fc.oneof(
  any,
  infix(["+", "and", "<"], any, any),
  // A region has no sign.
  fc.tuple(any, any).map(([x, region]) => `(${x} over (${region}))`),
  applied(["tokens", "grid", "mean", "norm", "not"], any),
);
const wild = fc.oneof(fc.constant<string[]>([]), fc.tuple(quoted(anything)));

export const strategyWith: Text = fc
  .tuple(
    quoted(before.video.value),
    modality("video", "latents"),
    modality("audio", "sound"),
    fc.tuple(quoted(after.video.loss), quoted(after.audio.loss), wild).map(([a, b, more]) => [a, b, ...more]),
    passes,
    datasets,
    expectations,
  )
  .map(text);
