/** The batches that a strategy is tried on: sizes, masks, draws and parameters at which mistakes show. */
import type { StrategyInfo } from "../../runtime/contract.ts";
import { resolveParams } from "../../runtime/config/index.ts";
import { isMask, isReference, type MaskPattern, type Synthetic, type SyntheticSizes } from "../inspect/synthetic.ts";

export interface TrialBatch extends Synthetic {
  /** Parameters that differ from those of the other batches. */
  readonly changed: Readonly<Record<string, unknown>>;
  readonly params: Readonly<Record<string, unknown>>;
  readonly progress: number;
}

/** A single frame; tall; wide and longer: rows and columns are never as many. */
const sizes: readonly SyntheticSizes[] = [
  { frames: 1, height: 4, width: 2, steps: 2 },
  { frames: 3, height: 6, width: 4, steps: 5 },
  { frames: 5, height: 2, width: 6, steps: 9 },
];

const patterns: readonly MaskPattern[] = ["empty", "full", "box", "scattered"];

/** Draws per sample and chances that are rare show only on several seeds. */
const seedsOfEach = 3;

/** Every size with every mask, then every parameter at its limits. `seed` is that of the first batch. */
export function trialBatches(strategy: StrategyInfo, seed: number): readonly TrialBatch[] {
  const params = completeParams(strategy);
  const base = sizes.flatMap((size) => variantsOf(strategy, size)).map((made, i) => ({ ...made, seed: seed + i }));
  const first = base.map((made, i) => ({ ...made, changed: {}, params, progress: (i % 3) / 2 }));
  const middle = {
    sizes: sizes[1] ?? { frames: 1, height: 1, width: 1, steps: 1 },
    samples: 3,
    masks: "box" as const,
    reference: { space: 1, time: 1 },
  };
  const limits = limitsOf(strategy, params).map((changed, i) => ({
    ...middle,
    seed: seed + base.length + i,
    changed,
    params: { ...params, ...changed },
    progress: 0.5,
  }));
  return [...first, ...limits];
}

function variantsOf(strategy: StrategyInfo, size: SyntheticSizes): Omit<Synthetic, "seed">[] {
  const factors =
    size.frames > 1
      ? [
          { space: 1, time: 1 },
          { space: 2, time: 2 },
        ]
      : [
          { space: 1, time: 1 },
          { space: 2, time: 1 },
        ];
  const references = hasReferences(strategy) ? factors : factors.slice(0, 1);
  return references.flatMap((reference) =>
    patterns.flatMap((masks, i) =>
      Array.from({ length: seedsOfEach }, () => ({ sizes: size, samples: i % 2 === 0 ? 3 : 1, masks, reference })),
    ),
  );
}

function hasReferences(strategy: StrategyInfo): boolean {
  return strategy.sources.some((source) => isReference(source, strategy));
}

// -------------------------------------------------------------------------------------------------------------- parameters

type Schema = Readonly<Record<string, unknown>>;

function propertiesOf({ params }: StrategyInfo): Readonly<Record<string, Schema>> {
  return (params["properties"] ?? {}) as Readonly<Record<string, Schema>>;
}

/** The defaults, and for parameters without one the smallest value that their schema allows. */
export function completeParams(strategy: StrategyInfo): Readonly<Record<string, unknown>> {
  const required = Object.entries(propertiesOf(strategy)).filter(([, schema]) => !Object.hasOwn(schema, "default"));
  const chosen = Object.fromEntries(required.map(([name, schema]) => [name, simplest(schema)]));
  return resolveParams(strategy, chosen).params;
}

function simplest(schema: Schema): unknown {
  const [first] = extremes(schema);
  if (first !== undefined) return first;
  switch (schema["type"]) {
    case "boolean":
      return false;
    case "string":
      return "data";
    case "array": {
      const length = numberIn(schema, "minItems") ?? 4;
      return Array.from({ length }, (_, i) => simplest((schema["items"] ?? {}) as Schema) ?? i);
    }
    default:
      return 1;
  }
}

/** The ends of what a schema allows, and each entry of an `enum`. */
function extremes(schema: Schema): readonly unknown[] {
  if (Array.isArray(schema["enum"])) return schema["enum"];
  if (schema["type"] === "boolean") return [false, true];
  const step = schema["type"] === "integer" ? 1 : 1e-3;
  const [above, below] = [numberIn(schema, "exclusiveMinimum"), numberIn(schema, "exclusiveMaximum")];
  const low = numberIn(schema, "minimum") ?? (above === undefined ? undefined : above + step);
  const high = numberIn(schema, "maximum") ?? (below === undefined ? undefined : below - step);
  return [low, high].filter((value) => value !== undefined);
}

function numberIn(schema: Schema, key: string): number | undefined {
  const value = schema[key];
  return typeof value === "number" ? value : undefined;
}

/** One parameter at a time at each of its ends; what its schema refuses after all is left out. */
function limitsOf(strategy: StrategyInfo, params: Schema): Readonly<Record<string, unknown>>[] {
  return Object.entries(propertiesOf(strategy))
    .flatMap(([name, schema]) => extremes(schema).map((value) => ({ [name]: value })))
    .filter((changed) => Object.entries(changed).some(([name, value]) => params[name] !== value))
    .filter((changed) => resolveParams(strategy, { ...params, ...changed }).findings.length === 0);
}

const masksAre: Readonly<Record<MaskPattern, string>> = {
  empty: "masks empty",
  full: "masks full",
  box: "masks with a box",
  scattered: "masks scattered",
};

/** "3 samples of 3 x 6 x 4 latent cells, masks empty, seed 4" */
export function describeBatch(strategy: StrategyInfo, batch: TrialBatch): string {
  const { modalities, sources } = strategy;
  const { frames, height, width, steps } = batch.sizes;
  const video = modalities.video === null ? [] : [`${frames} x ${height} x ${width} latent cells`];
  const audio = modalities.audio === null ? [] : [`${steps} steps of audio`];
  const { space, time } = batch.reference;
  const references = space > 1 ? [`references 1/${space} of the size and 1/${time} of the frames`] : [];
  const masks = sources.some((source) => isMask(source, strategy)) ? [masksAre[batch.masks]] : [];
  const changed = Object.entries(batch.changed).map(([name, value]) => `\`${name}\` ${JSON.stringify(value)}`);
  const size = `${batch.samples} ${batch.samples === 1 ? "sample" : "samples"} of ${[...video, ...audio].join(" and ")}`;
  return [size, ...references, ...masks, ...changed, `seed ${batch.seed}`].join(", ");
}
