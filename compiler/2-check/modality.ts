/** The values of a modality: what the file writes for them, and the defaults of flow matching where it writes nothing. */
import type { Item, ReferenceItem } from "../1-parse/expression/ast.ts";
import type { EntrySyntax, ModalitySyntax } from "../1-parse/syntax.ts";
import type { Span } from "../source/span.ts";
import { gridAxes } from "./axes.ts";
import { broadcastTo, isMask, map, tokens, writtenNumber } from "./combine.ts";
import { hostNumber, literal, poisoned, tensor, type Axis, type Core, type Elementwise, type Type } from "./core.ts";
import { drawPlace, type Environment } from "./environment.ts";
import { fits } from "./fits.ts";
import { infer } from "./infer.ts";
import { inferItem } from "./items.ts";
import { whereHad } from "./has-and-in.ts";
import { spanOf } from "./report.ts";
import { isPlain } from "./units.ts";
import { chosenText, textPlace, type TextChoice } from "./text-choice.ts";

/** A modality being checked. `latents` is the name of its source, whose stored type noise and target are rounded to. */
export interface ModalityContext {
  readonly syntax: ModalitySyntax;
  /** What stands in front of its fields: `video`, of a pass `near.video`. */
  readonly owner: string;
  /** Of a pass: the step's own modality. */
  readonly own?: ModalityContext;
  readonly latents: string;
  readonly generated: boolean;
  readonly texts: TextChoice;
  /** Its references as the file lists them, each with the name of its source. */
  readonly references: readonly { readonly source: string; readonly item: ReferenceItem }[];
  /** The environment of its keys, of which each gets draws of its own. */
  readonly env: Environment;
}

/** Values of generated modalities only. */
const noiseFields = new Set(["noise", "noisy", "target", "prediction", "denoised", "keep", "generated"]);

/** How `video.<field>` is made, and where it is written; null for a field that the modality does not have. */
export function defineField(
  context: ModalityContext,
  field: string,
  span: Span,
): { span: Span | null; make(): Core } | null {
  const { syntax, generated, env } = context;
  if (!generated && noiseFields.has(field)) {
    env.report.error("LTX5005", span, `\`${syntax.name}\` is frozen (\`generate: false\`), so it has no \`${field}\``, {
      help: "a frozen modality is clean and gets no loss",
      labels: [{ span: syntax.keySpan, message: "frozen here" }],
    });
    return null;
  }
  const text = textPlace(field);
  if (text !== null) {
    const { of, sources, items } = context.texts;
    const written = of === syntax.name ? (items[text]?.span ?? null) : null;
    return text < sources.length ? { span: written, make: () => chosenText(context, text) } : null;
  }
  const make = makers[field];
  if (make === undefined) return null;
  return { span: writtenAt(syntax, field), make: () => make(context) };
}

function writtenAt(syntax: ModalitySyntax, field: string): Span | null {
  const entry = entryFor(syntax, field);
  if (entry !== null) return entry.value.span;
  if (field === "references") return syntax.references?.span ?? null;
  if (field === "keep") return (syntax.keep ?? syntax.noiseMask)?.span ?? null;
  return field === "clean" ? (syntax.latents?.value.span ?? null) : null;
}

function entryFor(syntax: ModalitySyntax, field: string): EntrySyntax | null {
  switch (field) {
    case "sigma":
    case "noise":
    case "noisy":
    case "target":
    case "denoised":
    case "fps":
    case "attention":
    case "keyframes":
      return syntax[field];
    default:
      return null;
  }
}

const makers: Readonly<Record<string, (context: ModalityContext) => Core>> = {
  clean: ({ latents, syntax }) => {
    const axes =
      syntax.name === "video" ? ["batch", "channel", ...gridAxes.video] : ["batch", "channel", "step", "mel"];
    const source: Core = {
      op: "source",
      source: latents,
      type: tensor("f32", axes),
      span: syntax.latents?.value.span ?? null,
    };
    return tokens(source, syntax.name, null);
  },
  sigma: (context) => whereHad(context, sigma(context), () => literal(1)),
  timesteps: (context) => {
    const level = refer(context, "sigma");
    if (!context.generated || !keeps(context)) return broadcastTo(level, tokenAxes(context));
    return whereHad(context, apply(context, "where", refer(context, "keep"), literal(0), level), () => literal(1));
  },
  fps,
  noise: (context) => {
    const { syntax, owner, latents, env } = context;
    const place = drawPlace(`${owner}.noise`);
    if (syntax.noise === null) {
      return {
        op: "draw",
        fn: "randn",
        place: place.next(),
        storage: latents,
        of: syntax.name,
        type: tensor("f32", elementAxes(context)),
        span: null,
      };
    }
    const noiseOf = { modality: syntax.name, source: latents };
    return numbersLike(context, "noise", infer(syntax.noise.value, { ...env, draws: place, noiseOf }));
  },
  keep: (context) => (keeps(context) ? keepMask(context) : broadcastTo(literal(false), tokenAxes(context))),
  generated: (context) =>
    keeps(context) ? apply(context, "not", refer(context, "keep")) : broadcastTo(literal(true), tokenAxes(context)),
  noisy: (context) => {
    const mixed = written(context, "noisy") ?? interpolate(context);
    const whole = keeps(context)
      ? apply(context, "where", refer(context, "keep"), refer(context, "clean"), mixed)
      : mixed;
    return whereHad(context, whole, () => refer(context, "noise"));
  },
  target: (context) => {
    const given = written(context, "target");
    if (given !== null) return given;
    const velocity = apply(context, "sub", refer(context, "noise"), refer(context, "clean"));
    return { op: "round", arg: velocity, source: context.latents, type: velocity.type, span: null };
  },
  prediction: (context) => ({
    op: "prediction",
    modality: context.syntax.name,
    type: tensor("f32", elementAxes(context)),
    span: null,
  }),
  denoised,
  references: referenceEntries,
  attention,
  keyframes,
};

const tokenAxes = ({ syntax }: ModalityContext): readonly Axis[] => ["batch", `token:${syntax.name}`];
const elementAxes = (context: ModalityContext): readonly Axis[] => [...tokenAxes(context), "channel"];

const keeps = ({ syntax }: ModalityContext): boolean => syntax.keep !== null || syntax.noiseMask !== null;

function refer({ syntax, env }: ModalityContext, field: string): Core {
  const core = env.passes.refer(env.pass, `${syntax.name}.${field}`, syntax.keySpan);
  return core === null ? poisoned(null) : { ...core, span: null };
}

function apply({ env }: ModalityContext, fn: Elementwise, ...args: Core[]): Core {
  return map(env.report, fn, args, null, `\`${fn}\``);
}

/** x_σ = (1 - σ) x + σ ε */
function interpolate(context: ModalityContext): Core {
  const [sigma, clean, noise] = [refer(context, "sigma"), refer(context, "clean"), refer(context, "noise")];
  const kept = apply(context, "mul", apply(context, "sub", literal(1), sigma), clean);
  return apply(context, "add", kept, apply(context, "mul", sigma, noise));
}

/** What the file writes for a field that is shaped like the tokens, or null. */
function written(context: ModalityContext, field: "noisy" | "target" | "denoised"): Core | null {
  const entry = context.syntax[field];
  if (entry === null) return null;
  const draws = drawPlace(`${context.owner}.${field}`);
  return numbersLike(context, field, infer(entry.value, { ...context.env, draws }));
}

/** Numbers that fit on `[batch, token, channel]`. */
function numbersLike(context: ModalityContext, field: string, core: Core): Core {
  if (!fits(context, field, core, elementAxes(context))) return poisoned(core.span);
  return broadcastTo(core, elementAxes(context));
}

/** `[batch]`, `[batch, frame]` (of audio `[batch, step]`) or `[batch, token]`. */
function sigma(context: ModalityContext): Core {
  const { syntax, owner, generated, env } = context;
  if (!generated) return broadcastTo(literal(0), ["batch"]);
  const draws = drawPlace(`${owner}.sigma`);
  if (syntax.sigma === null) {
    const type = tensor("f32", ["batch"]);
    return { op: "sampled", place: draws.next(), modality: syntax.name, shifted: null, type, span: null };
  }
  const core = infer(syntax.sigma.value, { ...env, draws });
  if (!fits(context, "sigma", core, tokenAxes(context))) return poisoned(core.span);
  env.report.outsideUnit(core, "`sigma`");
  const over = core.type.axes.filter((axis) => axis !== "batch");
  const [frames = ""] = gridAxes[syntax.name];
  if (over.length === 0) return broadcastTo(core, ["batch"]);
  return broadcastTo(core, over.join() === frames ? ["batch", frames] : tokenAxes(context));
}

/** One number for each sample, also where the file has one for all. */
function fps({ syntax, latents, env }: ModalityContext): Core {
  const perSample: Type = { dtype: "f32", axes: ["batch"], stage: "sample" };
  if (syntax.fps === null) return { op: "fps", source: latents, type: perSample, span: null };
  const core = infer(syntax.fps.value, { ...env, draws: drawPlace(`${syntax.name}.fps`), hostDraws: true });
  if (core.op === "error" || core.type.stage === "sample") return core;
  if (!isPlain(env.report, core, "`fps`")) return poisoned(core.span);
  const isTooSmall = (writtenNumber(core) ?? 1) <= 0;
  if (core.type.stage === "host" && !isMask(core) && !isTooSmall)
    return { op: "broadcast", arg: core, type: perSample, span: core.span };
  env.report.error(
    "LTX4014",
    spanOf(core),
    isTooSmall
      ? "`fps` is above 0"
      : "`fps` is known before the step runs: a number, the `fps` of a source, or a draw of its own",
    {
      help: "write a number such as 24, `<source>.fps` or `uniform(12, 30)` here itself, with parameters and arithmetic if need be",
    },
  );
  return poisoned(core.span);
}

/** x̂ = x_t - t v: the clean estimate of flow matching, wrong for any other `noisy` or `target`. */
function denoised(context: ModalityContext): Core {
  const { syntax, env } = context;
  const given = written(context, "denoised");
  if (given !== null) return given;
  const changed = syntax.noisy ?? syntax.target;
  if (changed !== null) {
    env.report.error(
      "LTX5013",
      changed.keySpan,
      `with its own \`noisy\` or \`target\`, \`${syntax.name}.denoised\` must be written, too`,
      {
        help: "add `denoised:` with the clean estimate that belongs to them",
      },
    );
    return poisoned(null);
  }
  const step = apply(context, "mul", refer(context, "timesteps"), refer(context, "prediction"));
  return apply(context, "sub", refer(context, "noisy"), step);
}

/** The union of the entries, each with its own draw. */
function keepMask(context: ModalityContext): Core {
  const { syntax, env } = context;
  const negate = syntax.keep === null;
  const items = (syntax.keep ?? syntax.noiseMask)?.items ?? [];
  const masks = items.map((item, i) => {
    const draws = drawPlace(`${syntax.name}.keep[${i}]`);
    return entryMask(
      context,
      inferItem(negate ? negated(item) : item, { ...env, draws }),
      negate ? "noise_mask" : "keep",
    );
  });
  if (masks.some((mask) => mask.op === "error")) return poisoned(null);
  const union = masks.length === 0 ? literal(false) : masks.reduce((a, b) => apply(context, "or", a, b));
  return broadcastTo(union, tokenAxes(context));
}

function negated(item: Item): Item {
  return { ...item, value: { kind: "not", operand: item.value, span: item.value.span } };
}

function entryMask(context: ModalityContext, mask: Core, key: string): Core {
  return fits(context, key, mask, tokenAxes(context)) ? mask : poisoned(mask.span);
}

// ---------------------------------------------------------------------------------------------- references and attention

function referenceEntries({ syntax, owner, references, env }: ModalityContext): Core {
  const entries = references.map(({ source, item }, i) => {
    const draws = drawPlace(`${owner}.references[${i}]`);
    const place = draws.next();
    const probability = item.probability === null ? null : chance(infer(item.probability, { ...env, draws }), env);
    return { source, place, probability };
  });
  if (entries.some(({ probability }) => probability?.op === "error")) return poisoned(null);
  return { op: "references", modality: syntax.name, entries, type: hostNumber, span: syntax.references?.span ?? null };
}

/** Whether a reference takes part decides shapes, so its probability is known before the step runs. */
function chance(probability: Core, { report }: Environment): Core {
  if (probability.op === "error") return probability;
  if (!isPlain(report, probability, "a probability")) return poisoned(probability.span);
  report.outsideUnit(probability, "a probability");
  const { stage, dtype } = probability.type;
  if ((stage === "host" || stage === "step") && dtype === "f32") return probability;
  report.error("LTX4014", spanOf(probability), "the probability of a reference is one number, known before the step", {
    help: "a reference takes part for the whole batch or not at all; use numbers, parameters or `progress`",
  });
  return poisoned(probability.span);
}

const sequenceAxes = ({ syntax }: ModalityContext): readonly Axis[] => ["batch", `sequence:${syntax.name}`];

/** `[batch, sequence, key]` in [0, 1], or `[sequence, key]` where it is the same for all samples: masks are large. */
function attention(context: ModalityContext): Core {
  const core = overSequence(context, "attention", context.syntax.attention);
  if (core === null || core.op === "error") return poisoned(null);
  const axes = [...sequenceAxes(context), `key:${context.syntax.name}`];
  if (!fits(context, "attention", core, axes)) return poisoned(core.span);
  const isPerSample = core.type.stage === "sample" || core.type.axes.includes("batch");
  return asNumbers(context, broadcastTo(core, isPerSample ? axes : axes.slice(1)));
}

/** `[batch, sequence]`: 1 for tokens that stand for one single pixel frame, as those of the first latent frame do. */
function keyframes(context: ModalityContext): Core {
  const written = overSequence(context, "keyframes", context.syntax.keyframes);
  const core = written ?? firstFrame(context);
  if (core.op === "error" || !fits(context, "keyframes", core, sequenceAxes(context))) return poisoned(core.span);
  return asNumbers(context, broadcastTo(core, sequenceAxes(context)));
}

function overSequence({ syntax, env }: ModalityContext, key: string, entry: EntrySyntax | null): Core | null {
  if (entry === null) return null;
  const draws = drawPlace(`${syntax.name}.${key}`);
  return infer(entry.value, { ...env, draws, sequence: syntax.name });
}

function firstFrame(context: ModalityContext): Core {
  const axis = `sequence:${context.syntax.name}`;
  const index: Core = {
    op: "coordinate",
    modality: context.syntax.name,
    coordinate: "frame_index",
    fps: null,
    sequence: true,
    type: tensor("f32", [axis]),
    span: null,
  };
  return apply(context, "less", index, literal(1));
}

function asNumbers(context: ModalityContext, core: Core): Core {
  return isMask(core) ? apply(context, "float", core) : core;
}
