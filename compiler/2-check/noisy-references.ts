/** References that are noised: `{source: style, sigma: uniform(0, 0.2), noise: randn()}`. All others enter clean, with timestep 0. */
import type { ReferenceItem } from "../1-parse/expression/ast.ts";
import type { Span } from "../source/span.ts";
import { gridAxes } from "./axes.ts";
import { broadcastTo, isMask, map, tokens } from "./combine.ts";
import {
  describe,
  literal,
  poisoned,
  tensor,
  type Axis,
  type Core,
  type Elementwise,
  type ModalityName,
} from "./core.ts";
import { drawPlace, type Environment } from "./environment.ts";
import { infer } from "./infer.ts";
import { isPlain } from "./units.ts";
import { spanOf } from "./report.ts";

/** A reference, and the modality in front of whose target it stands. */
interface Noised {
  readonly source: string;
  readonly item: ReferenceItem;
}

interface Modality {
  readonly syntax: { readonly name: ModalityName };
  /** `video`, of a pass `near.video`. */
  readonly owner: string;
  readonly references: readonly Noised[];
  readonly env: Environment;
}

/** Names of those references that are noised. */
export const noisyOf = (references: readonly Noised[]): string[] =>
  references.flatMap(({ source, item }) => (item.sigma === null ? [] : [source]));

/** How `style.<field>` of a reference of one of these is made; null for one that is clean, and for other names and fields. */
export function referenceField(
  modalities: Iterable<Modality>,
  source: string,
  field: string,
): { span: Span | null; make(): Core } | null {
  const make = Object.hasOwn(makers, field) ? makers[field] : undefined;
  const modality = [...modalities].find(({ references }) => references.some((each) => each.source === source));
  const reference = modality?.references.find((each) => each.source === source);
  if (make === undefined || modality === undefined || reference === undefined || reference.item.sigma === null)
    return null;
  const { sigma, noise } = reference.item;
  const written = field === "sigma" ? sigma.value.span : field === "noise" ? (noise?.value.span ?? null) : null;
  return { span: written, make: () => make(modality, reference) };
}

const makers: Readonly<Record<string, (modality: Modality, reference: Noised) => Core>> = {
  sigma,
  noise,
  noisy,
  timesteps,
};

const tokenAxes = (source: string): readonly Axis[] => ["batch", `token:${source}`];
const elementAxes = (source: string): readonly Axis[] => [...tokenAxes(source), "channel"];

function refer({ env }: Modality, { source, item }: Noised, field: string): Core {
  const core = env.passes.refer(env.pass, `${source}.${field}`, item.span);
  return core === null ? poisoned(null) : { ...core, span: null };
}

/** Where the draws of a reference's key are, `video.references[0].sigma`, and what they run over. */
function inside({ owner, references, env }: Modality, reference: Noised, key: string): Environment {
  const place = `${owner}.references[${references.indexOf(reference)}].${key}`;
  return { ...env, draws: drawPlace(place), reference: reference.source };
}

/** `[batch]`, or for each of the reference's frames, steps or tokens. */
function sigma(modality: Modality, reference: Noised): Core {
  const { source, item } = reference;
  if (item.sigma === null) return poisoned(null);
  const core = infer(item.sigma.value, inside(modality, reference, "sigma"));
  if (!fits(modality, reference, "sigma", core, tokenAxes(source))) return poisoned(core.span);
  modality.env.report.outsideUnit(core, "`sigma`");
  const over = core.type.axes.filter((axis) => axis !== "batch");
  return broadcastTo(core, over.length === 0 ? ["batch"] : tokenAxes(source));
}

function noise(modality: Modality, reference: Noised): Core {
  const { source, item } = reference;
  const { name } = modality.syntax;
  const env = inside(modality, reference, "noise");
  const type = tensor("f32", elementAxes(source));
  if (item.noise === null)
    return { op: "draw", fn: "randn", place: env.draws.next(), storage: source, of: name, type, span: null };
  const core = infer(item.noise.value, { ...env, noiseOf: { modality: name, source } });
  if (!fits(modality, reference, "noise", core, elementAxes(source))) return poisoned(core.span);
  return broadcastTo(core, elementAxes(source));
}

/** (1 - sigma) x + sigma noise */
function noisy(modality: Modality, reference: Noised): Core {
  const { source } = reference;
  const apply = (fn: Elementwise, ...args: Core[]) => map(modality.env.report, fn, args, null, "`sigma`");
  const grid = gridAxes[modality.syntax.name].map((axis) => `${axis}:${source}`);
  const axes = ["batch", "channel", ...grid, ...(modality.syntax.name === "audio" ? ["mel"] : [])];
  const clean = tokens({ op: "source", source, type: tensor("f32", axes), span: null }, source, null);
  const level = refer(modality, reference, "sigma");
  const kept = apply("mul", apply("sub", literal(1), level), clean);
  return apply("add", kept, apply("mul", level, refer(modality, reference, "noise")));
}

function timesteps(modality: Modality, reference: Noised): Core {
  return broadcastTo(refer(modality, reference, "sigma"), tokenAxes(reference.source));
}

/** Whether numbers can be laid over the reference's tokens. */
function fits({ syntax, env }: Modality, { source }: Noised, key: string, core: Core, axes: readonly Axis[]): boolean {
  if (core.op === "error" || !isPlain(env.report, core, `\`${key}\``)) return false;
  if (isMask(core)) env.report.notANumber(core, `\`${key}\``);
  else {
    const own = [...axes, ...gridAxes[syntax.name].map((axis) => `${axis}:${source}`)];
    const foreign = core.type.axes.find((axis) => !own.includes(axis));
    if (foreign === undefined) return true;
    env.report.error("LTX5095", spanOf(core), `\`${key}\` of the reference \`${source}\` is ${describe(core.type)}`, {
      help: `a reference has frames and tokens of its own: a value for each sample, or a draw such as \`uniform(0, 0.2) per frame\`; \`${foreign}\` is not one of its axes`,
    });
  }
  return false;
}
