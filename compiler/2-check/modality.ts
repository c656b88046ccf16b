/** The values of a modality: what the file writes for them, and the defaults of flow matching where it writes nothing. */
import type { Item } from "../1-parse/expression/ast.ts";
import type { EntrySyntax, ModalitySyntax } from "../1-parse/syntax.ts";
import type { Span } from "../source/span.ts";
import { gridAxes, modalityOf } from "./axes.ts";
import { broadcastTo, isMask, map, tokens } from "./combine.ts";
import { describe, literal, poisoned, tensor, type Axis, type Core, type Elementwise } from "./core.ts";
import { drawPlace, type Environment } from "./environment.ts";
import { infer, inferItem } from "./infer.ts";
import { spanOf } from "./report.ts";

/** A modality being checked. `latents` is the name of its source, whose stored type noise and target are rounded to. */
export interface ModalityContext {
  readonly syntax: ModalitySyntax;
  readonly latents: string;
  readonly generated: boolean;
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
  const make = makers[field];
  if (make === undefined) return null;
  return { span: writtenAt(syntax, field), make: () => make(context) };
}

function writtenAt(syntax: ModalitySyntax, field: string): Span | null {
  const entry = entryFor(syntax, field);
  if (entry !== null) return entry.value.span;
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
  sigma,
  timesteps: (context) => {
    const level = refer(context, "sigma");
    if (!context.generated || !keeps(context)) return broadcastTo(level, tokenAxes(context));
    return apply(context, "where", refer(context, "keep"), literal(0), level);
  },
  fps,
  noise: (context) => {
    const { syntax, latents, env } = context;
    const place = drawPlace(`${syntax.name}.noise`);
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
    return keeps(context) ? apply(context, "where", refer(context, "keep"), refer(context, "clean"), mixed) : mixed;
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
};

const tokenAxes = ({ syntax }: ModalityContext): readonly Axis[] => ["batch", `token:${syntax.name}`];
const elementAxes = (context: ModalityContext): readonly Axis[] => [...tokenAxes(context), "channel"];

const keeps = ({ syntax }: ModalityContext): boolean => syntax.keep !== null || syntax.noiseMask !== null;

function refer({ syntax, env }: ModalityContext, field: string): Core {
  const core = env.bindings.refer(`${syntax.name}.${field}`, syntax.keySpan);
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
  const draws = drawPlace(`${context.syntax.name}.${field}`);
  return numbersLike(context, field, infer(entry.value, { ...context.env, draws }));
}

/** Numbers that fit on `[batch, token, channel]`. */
function numbersLike(context: ModalityContext, field: string, core: Core): Core {
  if (!fits(context, field, core, elementAxes(context))) return poisoned(core.span);
  return broadcastTo(core, elementAxes(context));
}

function sigma(context: ModalityContext): Core {
  const { syntax, generated, env } = context;
  if (!generated) return broadcastTo(literal(0), ["batch"]);
  const draws = drawPlace(`${syntax.name}.sigma`);
  if (syntax.sigma === null) {
    return { op: "sampled", place: draws.next(), modality: syntax.name, type: tensor("f32", ["batch"]), span: null };
  }
  const core = infer(syntax.sigma.value, { ...env, draws });
  if (!fits(context, "sigma", core, elementAxes(context))) return poisoned(core.span);
  if (core.type.axes.every((axis) => axis === "batch")) return broadcastTo(core, ["batch"]);
  env.report.notSupported(
    spanOf(core),
    "a noise level for each frame or token",
    "give each sample one level, `f32[batch]`",
  );
  return poisoned(core.span);
}

function fps({ syntax, latents, env }: ModalityContext): Core {
  const ofSource: Core = {
    op: "fps",
    source: latents,
    type: { dtype: "f32", axes: ["batch"], stage: "sample" },
    span: null,
  };
  if (syntax.fps === null) return ofSource;
  const core = infer(syntax.fps.value, env);
  if (core.op === "error" || (core.type.stage !== "device" && !isMask(core))) return core;
  env.report.error("LTX4014", spanOf(core), "`fps` is known before the step runs: a number, or the `fps` of a source", {
    help: "write a number or `<source>.fps`, with parameters and arithmetic if need be",
  });
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
  if (mask.op === "error") return mask;
  if (!isMask(mask)) {
    context.env.report.notAMask(mask, `\`${key}\``);
    return poisoned(mask.span);
  }
  return fits(context, key, mask, tokenAxes(context)) ? mask : poisoned(mask.span);
}

/** Whether a value can be laid over `axes`: its axes are among them or on the modality's grid. Reports the one that is not. */
function fits({ syntax, env }: ModalityContext, key: string, core: Core, axes: readonly Axis[]): boolean {
  if (core.op === "error") return false;
  if (isMask(core) !== (key === "keep" || key === "noise_mask")) {
    env.report.notANumber(core, `\`${key}\``);
    return false;
  }
  const other = syntax.name === "video" ? "audio" : "video";
  if (modalityOf(core.type.axes) === other) {
    env.report.error(
      "LTX4007",
      spanOf(core),
      `\`${syntax.name}.${key}\` runs over ${syntax.name} tokens, this over ${other} tokens`,
      {
        labels: [env.report.originOf(core, other)],
        help: `${syntax.name} tokens need ${syntax.name === "video" ? "a video" : "an audio"} mask, e.g. a source of kind \`${syntax.name}_mask\``,
      },
    );
    return false;
  }
  const foreign = core.type.axes.find((axis) => !axes.includes(axis) && !gridAxes[syntax.name].includes(axis));
  if (foreign === undefined) return true;
  env.report.error(
    "LTX4015",
    spanOf(core),
    `\`${syntax.name}.${key}\` runs over ${axes.map((axis) => `\`${axis}\``).join(", ")}; this has the axis \`${foreign}\`, too: ${describe(core.type)}`,
    {
      help: `reduce it first, e.g. \`mean(x, ${foreign})\``,
    },
  );
  return false;
}
