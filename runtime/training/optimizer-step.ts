import type { Batch, Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { follow, type Averages } from "../optimizer/moving-average.ts";
import type { Optimizer, Rate } from "../optimizer/optimizer.ts";
import type { DrawSource } from "../random/sampler.ts";
import { forward, readReport, type ForwardContext, type Progress, type Report } from "./forward.ts";
import { addGradients, clipFactor, globalNorm, type Gradients } from "../optimizer/gradients.ts";

/** What is trained: tensors that the model reads, in a fixed order. */
export interface Trainable {
  /** One name per tensor, e.g. `transformer_blocks.0.attn1.to_k.lora_A.weight`. */
  readonly names: readonly string[];
  tensors(): readonly Tensor[];
  /** Takes over new values; the old ones are already freed. */
  replace(tensors: readonly Tensor[]): void;
}

export interface OptimizerContext {
  readonly engine: Engine;
  readonly forward: ForwardContext;
  readonly trainable: Trainable;
  readonly optimizer: Optimizer;
  /** The moving average of what is trained, and of which share of it an update leaves; none if not given. */
  readonly ema?: { readonly averages: Averages; readonly decay: number };
  /** Share of an adapter's input that is zeroed in training. */
  readonly dropout: number;
  /** 0 or less: no clipping. */
  readonly maxGradNorm: number;
}

export interface MicroBatch {
  readonly size: number;
  readonly draws: DrawSource;
  readonly progress: Progress;
  /** Makes the batch's tensors, within the forward pass. */
  batch(): Batch<unknown>;
  /** Frees what was made for the batch before the forward pass. */
  release(): void;
}

export interface AccumulatedGradients {
  readonly reports: readonly Report[];
  /** That the model was given, of all micro-batches. */
  readonly tokens: number;
  /** L2 norm of all gradients together, before clipping. */
  readonly gradNorm: number;
  /** Clips, updates the weights with this learning rate and frees the gradients. */
  apply(rate: Rate): Promise<void>;
  /** Frees the gradients and leaves the weights as they are. */
  discard(): void;
}

interface Pass {
  readonly size: number;
  readonly tokens: number;
  readonly report: Tensor;
}

/**
 * Forward and backward over all micro-batches of one optimizer step. Values are read back once, at the end, all together; the
 * caller looks at them before the weights change.
 * @param next the i-th micro-batch; asked for one after the other
 * @param divisor of each loss; by default the gradients are those of the mean
 */
export async function accumulate(
  context: OptimizerContext,
  microBatches: number,
  next: (i: number) => Promise<MicroBatch>,
  divisor = microBatches,
): Promise<AccumulatedGradients> {
  const { engine, trainable } = context;
  const passes: Pass[] = [];
  let gradients: Gradients | null = null;
  for (let i = 0; i < microBatches; i++) {
    const micro = await next(i);
    let tokens = 0;
    const onTokens = (count: number) => (tokens = count);
    const run = () =>
      forward(context.forward, micro.batch(), { ...micro, divisor, dropout: context.dropout, onTokens });
    const pass = engine.differentiate(run, trainable.tensors());
    micro.release();
    engine.dispose(pass.loss);
    gradients = addGradients(engine, gradients, pass.gradients);
    passes.push({ size: micro.size, tokens, report: pass.outputs.report });
  }
  return summarize(context, passes, gradients ?? []);
}

async function summarize(
  context: OptimizerContext,
  passes: readonly Pass[],
  gradients: Gradients,
): Promise<AccumulatedGradients> {
  const { engine, trainable, optimizer, maxGradNorm, ema } = context;
  const norm = globalNorm(engine, gradients);
  const { reports, gradNorm } = await readPasses(context, passes, norm);
  engine.dispose(...passes.map(({ report }) => report));
  const free = () => engine.dispose(norm, ...gradients);
  return {
    reports,
    tokens: passes.reduce((sum, { tokens }) => sum + tokens, 0),
    gradNorm,
    async apply(rate) {
      const factor = clipFactor(engine, norm, maxGradNorm);
      trainable.replace(await optimizer.update(trainable.tensors(), gradients, rate, factor));
      engine.dispose(factor);
      free();
      if (ema !== undefined) follow(engine, ema.averages, trainable.tensors(), ema.decay);
    },
    discard: free,
  };
}

/** The one place in a step that waits for the device. */
async function readPasses({ engine, forward }: OptimizerContext, passes: readonly Pass[], norm: Tensor) {
  const { ops } = engine;
  const together = engine.tidy(() => ops.concat([...passes.map(({ report }) => report), ops.reshape(norm, [1])], 0));
  const { data } = await engine.read(together);
  engine.dispose(together);
  let offset = 0;
  const reports = passes.map(({ size, report: { shape } }) => {
    const [length = 0] = shape;
    offset += length;
    return readReport(forward.step, data.subarray(offset - length, offset) as Float32Array, size);
  });
  return { reports, gradNorm: data[offset] as number };
}
