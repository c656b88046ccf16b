/** The batches that a strategy is tried on: sizes, masks, draws and parameters at which mistakes show. */
import type { StrategyInfo } from "../../runtime/contract.ts";
import { completeParams, limitsOf } from "../probe/params.ts";
import { isMask, isReference, type MaskPattern, type Synthetic, type SyntheticSizes } from "../probe/synthetic.ts";

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

/** Draws per sample and rare chances show only with several seeds. */
const seedsOfEach = 3;

/** Every size with every mask, then samples without what is optional, then every parameter at its limits. `seed` is that of the first batch. */
export function trialBatches(strategy: StrategyInfo, seed: number): readonly TrialBatch[] {
  const params = completeParams(strategy);
  const variants = [...sizes.flatMap((size) => variantsOf(strategy, size)), ...withoutOptional(strategy)];
  const base = variants.map((made, i) => ({ ...made, seed: seed + i }));
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
      Array.from({ length: seedsOfEach }, () => ({
        sizes: size,
        samples: i % 2 === 0 ? 3 : (strategy.smallestBatch ?? 1),
        masks,
        reference,
      })),
    ),
  );
}

/** Each size with samples of which some, or all, lack what is optional. */
function withoutOptional({ sources }: StrategyInfo): Omit<Synthetic, "seed">[] {
  if (sources.every(({ optional }) => optional !== true)) return [];
  return sizes.flatMap((size) =>
    (["some", "all"] as const).map((lacking) => ({
      sizes: size,
      samples: 3,
      masks: "box" as const,
      reference: { space: 1, time: 1 },
      lacking,
    })),
  );
}

function hasReferences(strategy: StrategyInfo): boolean {
  return strategy.sources.some((source) => isReference(source, strategy));
}

const masksAre: Readonly<Record<MaskPattern, string>> = {
  empty: "masks empty",
  full: "masks full",
  box: "masks with a box",
  scattered: "masks scattered",
  soft: "masks soft",
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
  const without = { none: [], some: ["every second one without what is optional"], all: ["without what is optional"] };
  const lacking = without[batch.lacking ?? "none"];
  const size = `${batch.samples} ${batch.samples === 1 ? "sample" : "samples"} of ${[...video, ...audio].join(" and ")}`;
  return [size, ...lacking, ...references, ...masks, ...changed, `seed ${batch.seed}`].join(", ");
}
