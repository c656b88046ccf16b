/** Expressions that are grown by type, so that most of them compile and the later phases have something to work on. */
import fc from "fast-check";

export type Text = fc.Arbitrary<string>;
export type Language = 1 | 2;
export type ModalityName = "video" | "audio";

/** Expressions by what they are: numbers known before the step, values over tokens, masks over tokens, loss terms. */
interface Grown {
  readonly host: Text;
  readonly value: Text;
  readonly mask: Text;
  readonly loss: Text;
}

const numbers = "0 1 0.5 3 p count items[0] items[1] global_step progress".split(" ");
const cells = fc.constantFrom("0", "1", "2.5", "count");

/** Axes of a reduction: version 2 of the language wants their name. */
const along = (language: Language, ...axes: string[]): string =>
  axes.map((axis) => (language === 2 ? `axis=${axis}` : axis)).join(", ");
const grids = { video: ["frame_index", "row", "column", "time"], audio: ["step_index", "time"] };
const sizes = { video: ["frames", "height", "width"], audio: ["steps"] };
const sources = (language: Language) => {
  const of = (...axes: string[]) => along(language, ...axes);
  return {
    video: [
      `mean(tokens(latents), ${of("channel")})`,
      "marked",
      `mean(dino, ${of("feature")})`,
      `mean(latents, ${of("channel")})`,
      `mean(latents, ${of("height", "width", "channel")})`,
      "norm(latents)",
      "video.fps",
    ],
    audio: [`mean(tokens(sound), ${of("channel")})`, "speech", `mean(sound, ${of("mel", "channel")})`],
  };
};
const shapes = { video: ["frame", "(height, width)", "token:video"], audio: ["step", "token:audio"] };
const axes = { video: ["frame", "height", "width"], audio: ["step"] };
const transformed = { video: [["frame"], ["height", "width"], ["channel"]], audio: [["step"], ["channel"]] };
const functions = "abs square tanh sigmoid sin cos exp floor ceil round sign softplus stop_gradient -".split(" ");
const compared = ["<", "<=", ">", ">=", "==", "!="];
/** Masks over the samples: what they have, where they come from, what a parameter says. */
const conditions = ["has(extra)", "in(prior)", "in(main)", 'mode == "soft"', '"hard" != mode', "flag", "bernoulli(p)"];

export const applied = (names: readonly string[], ...args: Text[]): Text =>
  fc.tuple(fc.constantFrom(...names), ...args).map(([name, ...rest]) => `${name}(${rest.join(", ")})`);
export const infix = (signs: readonly string[], a: Text, b: Text): Text =>
  fc.tuple(a, fc.constantFrom(...signs), b).map(([x, sign, y]) => `(${x} ${sign} ${y})`);

const onGrid = (mask: Text): Text => mask.map((m) => `(${m}) and video.row >= 0`);

/** A coordinate makes sure that the value lies on tokens. */
function neighbours(modality: ModalityName, language: Language, value: Text): Text[] {
  const onTokens = value.map((x) => `${modality}.${grids[modality][0]} + ${x}`);
  const token = along(language, "token");
  const moved = applied(["shift"], onTokens, fc.constantFrom(...axes[modality]), fc.constantFrom("1", "-2", "count"));
  const ranked = applied(["quantile"], onTokens, fc.constantFrom("0.5", "p"), fc.constantFrom(token, "axis=token"));
  const reduced = applied(["mean", "sum", "max", "min", "norm"], onTokens, fc.constant(token));
  const near = [moved, ranked, reduced];
  return modality === "audio" ? near : [...near, applied(["blur"], onTokens, cells)];
}

/** Of each unit some lengths. */
const lengths: Readonly<Record<"lf" | "f" | "s" | "%" | "px", readonly string[]>> = {
  lf: ["0", "1lf", "2lf", "span", "span + 1lf", "2 * span"],
  f: ["1f", "12f", "2 * 8f", "12f - 3f"],
  s: ["0.5s", "0.1s + 0.2s"],
  "%": ["33%", "50 %", "p * 100%", "uniform(0%, 50%)"],
  px: ["0", "64px", "edge", "edge / 2", "edge * count", "32px + edge"],
};
const lengthOf = (unit: keyof typeof lengths): Text => {
  const plain = fc.constantFrom(...lengths[unit]);
  return fc.oneof(
    plain,
    applied(["max", "min"], plain, plain),
    infix(["+", "-"], plain, plain),
    applied(["where"], fc.constantFrom("flag", "count < 2"), plain, plain),
  );
};
const frames = (modality: ModalityName): Text => {
  const size = fc.constant(`${modality}.${sizes[modality][0]}`);
  return fc.oneof(lengthOf("lf"), size, infix(["-"], size, lengthOf("lf")));
};

/** Places, as version 2 of the language writes them. */
function places(modality: ModalityName): Text[] {
  const along = fc.oneof(
    frames(modality),
    lengthOf("s"),
    lengthOf("%"),
    ...(modality === "video" ? [lengthOf("f")] : []),
  );
  const [index] = grids[modality];
  const ends = applied([`${modality}.prefix`, `${modality}.suffix`], along);
  const compared = fc.oneof(
    infix(["<", "<=", ">", ">=", "=="], fc.constant(`${modality}.${index}`), frames(modality)),
    infix(["<", ">="], fc.constant(`${modality}.time`), lengthOf("s")),
  );
  const edge = fc.oneof(lengthOf("px"), lengthOf("%"));
  return modality === "audio" ? [ends, compared] : [ends, compared, applied(["video.crop"], edge, edge, edge, edge)];
}
/** Numbers known before the step. */
const plainNumbers = (modality: ModalityName, host: Text): Text[] => [
  fc.constantFrom(...numbers, ...sizes[modality].map((size) => `${modality}.${size}`)),
  infix(["+", "-", "*", "/", "^"], host, host),
  applied(["abs", "sqrt", "exp", "-"], host),
  applied(["max", "min", "scaled"], host, host),
  fc.tuple(infix(compared, host, host), host, host).map(([m, a, b]) => `(if ${m} then ${a} else ${b})`),
];

/** The kinds of expressions that others are made of. */
type Parts = Readonly<Record<"host" | "like" | "value" | "mask" | "loss", Text>>;

/** Values over tokens, of all that others are made of. */
const values = (modality: ModalityName, language: Language, { host, value, mask }: Parts): Text[] => [
  host,
  applied(functions, value),
  infix(["+", "-", "*", "/", "^"], value, value),
  applied(["max", "min", "pow", "mod", "scaled"], value, value),
  applied(["where"], mask, value, value),
  applied(["clamp"], value, host, host),
  applied(["float"], mask),
  fc.tuple(mask, value, value).map(([m, a, b]) => `(if has(extra) and ${m} then ${a} + mean(extra) else ${b})`),
  ...neighbours(modality, language, value),
];

const masksOf = (modality: ModalityName, language: Language, { host, value, mask }: Parts): Text[] => [
  infix(compared, value, host),
  infix(["and", "or"], mask, mask),
  mask.map((m) => `(not ${m})`),
  ...(language === 1 ? [applied([`${modality}.prefix`, `${modality}.suffix`], host)] : places(modality)),
  fc
    .tuple(fc.constantFrom("any", "all"), mask)
    .map(([name, m]) => `${name}((${m}) and ${modality}.time >= 0, ${along(language, "token")})`),
  ...(modality === "video" ? [applied(["dilate"], onGrid(mask), cells)] : []),
];

function losses(modality: ModalityName, language: Language, { host, like, value, mask, loss }: Parts): Text[] {
  const prediction = fc.constant(`${modality}.prediction`);
  const distance = fc.oneof(
    applied(["mse", "mae", "charbonnier", "cosine_distance"], prediction, like),
    applied(["huber"], prediction, like, fc.constantFrom("p", "0.1")),
  );
  const [part, other] = [along(language, "part"), along(language, "other")];
  return [
    fc
      .tuple(distance, mask)
      .map(([call, m]) => `${call} over (${m} and ${modality}.time >= 0) over ${modality}.generated`),
    fc
      .tuple(fc.constantFrom(...transformed[modality]), value)
      .map(([axes, x]) => `mean(norm(dft(${modality}.prediction * (${x}), ${along(language, ...axes)}), ${part}))`),
    value.map((x) => `mean(${modality}.prediction * mean(others(${modality}.clean * (${x})), ${other}))`),
    infix(["+", "-", "*"], loss, loss),
    infix(["*", "/"], loss, host),
  ];
}

/** What may be written where the fields `known` of the modality exist. */
export function grow(modality: ModalityName, known: readonly string[], language: Language): Grown {
  const scalars = known.filter((name) => name === "sigma" || name === "timesteps");
  const fields = [...scalars, ...grids[modality]].map((name) => `${modality}.${name}`);
  const region = `${modality}.${known.includes("generated") ? "generated" : "all"}`;
  const masks = [`${modality}.all`, known.includes("generated") ? `(not ${region})` : region, ...conditions];
  if (modality === "video") masks.push("video.first_frame", "(marked > 0.5)");
  if (modality === "video" && language === 1) masks.push("video.crop(0, 0, 64, 32)");
  const channels = known.map((name) => `${modality}.${name}`).filter((name) => !/sigma|timesteps|generated/.test(name));
  const drawn = shapes[modality].flatMap((axes) => [`(randn() per ${axes})`, `(uniform(0, 1) per ${axes})`]);
  const branch = { maxDepth: 4, depthSize: "small" } as const;
  return fc.letrec<Record<keyof Parts, string>>((tie) => {
    const parts: Parts = {
      host: tie("host"),
      like: tie("like"),
      value: tie("value"),
      mask: tie("mask"),
      loss: tie("loss"),
    };
    const { host, value } = parts;
    const weighted = value.map((x) => `float(${region}) * ${modality}.prediction * (${x})`);
    return {
      host: fc.oneof(branch, ...plainNumbers(modality, host)),
      like: fc.oneof(fc.constantFrom(...channels), infix(["+", "*", "/"], fc.constantFrom(...channels), value)),
      value: fc.oneof(
        branch,
        fc.constantFrom(...fields, ...sources(language)[modality], ...drawn),
        ...values(modality, language, parts),
      ),
      mask: fc.oneof(branch, fc.constantFrom(...masks), ...masksOf(modality, language, parts)),
      loss: fc.oneof(branch, applied(["mean", "sum", "norm"], weighted), ...losses(modality, language, parts)),
    };
  });
}

export const quoted = (text: Text): Text => text.map((expression) => JSON.stringify(expression));
