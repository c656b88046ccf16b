import type { RunConfig } from "../../../runtime/config/run-config.ts";
import type { Tensor } from "../../../runtime/contract.ts";
import type { Optimizer } from "../../../runtime/optimizer/optimizer.ts";
import type { Gradients } from "../../../runtime/optimizer/gradients.ts";
import { accumulate, type MicroBatch, type OptimizerContext } from "../../../runtime/training/optimizer-step.ts";
import type { Progress } from "../../../runtime/training/forward.ts";
import { createSchedule } from "../../../runtime/optimizer/schedules.ts";
import { sampleLosses, stepMetrics } from "../../../runtime/training/step-metrics.ts";
import type { Numbers } from "../../compare.ts";

/** What a run made, as the reference recorded it. */
export interface Trained {
  /** By the names that the case's tensors have. */
  readonly tensors: ReadonlyMap<string, Numbers>;
  /** What was logged after each step. */
  readonly logged: readonly Readonly<Record<string, number>>[];
}

/** One step's numbers. */
interface Row {
  readonly loss: readonly number[];
  readonly sigma: readonly number[];
  readonly gradNorm: number;
  readonly rate: number;
  readonly nextRate: number;
  readonly logged: Readonly<Record<string, number>>;
}

/**
 * Trains as `config` says.
 * @param micro the i-th micro-batch of the run
 */
export async function train(
  context: OptimizerContext,
  config: RunConfig,
  micro: (i: number, progress: Progress) => MicroBatch,
): Promise<Trained> {
  const { steps, gradient_accumulation_steps: count, batch_size: size } = config.optimization;
  const schedule = createSchedule(config.optimization);
  const tensors = new Map<string, Numbers>();
  const rows: Row[] = [];
  const seen = watched(context, (gradients) => readAll(context, "grad.first_step.", gradients, tensors));
  for (let j = 0; j < steps; j++) {
    const progress = { globalStep: j, progress: j / steps };
    const done = await accumulate(j === 0 ? seen : context, count, async (i) => micro(j * count + i, progress));
    const [rate, nextRate] = [schedule(j), schedule(j + 1)];
    rows.push({
      loss: done.reports.flatMap(sampleLosses),
      sigma: done.reports.flatMap((report) => [...report.sigma]),
      gradNorm: done.gradNorm,
      rate,
      nextRate,
      logged: loggedAfter(done.reports.slice(-1), j + 1, nextRate),
    });
    await done.apply(rate);
    if (j === 0) await readAll(context, "lora.after_step1.", context.trainable.tensors(), tensors);
  }
  await readAll(context, "lora.final.", context.trainable.tensors(), tensors);
  for (const [name, numbers] of columns(rows, count, size)) tensors.set(name, numbers);
  return { tensors, logged: rows.map(({ logged }) => logged) };
}

/** The same optimizer, which shows the gradients that it gets: of all micro-batches together, before they are clipped. */
function watched(context: OptimizerContext, show: (gradients: Gradients) => Promise<void>): OptimizerContext {
  const optimizer: Optimizer = {
    ...context.optimizer,
    async update(parameters, gradients, rate, factor) {
      await show(gradients);
      return context.optimizer.update(parameters, gradients, rate, factor);
    },
  };
  return { ...context, optimizer };
}

/** Reads one tensor per adapter; there are none for those that the loss does not depend on. */
async function readAll(
  { engine, trainable }: OptimizerContext,
  prefix: string,
  tensors: readonly (Tensor | null)[],
  made: Map<string, Numbers>,
): Promise<void> {
  for (const [i, name] of trainable.names.entries()) {
    const tensor = tensors[i] ?? null;
    if (tensor !== null) made.set(prefix + name, await engine.read(tensor));
  }
}

/** The reference logs the last micro-batch of a step, and the rate of the next one. */
function loggedAfter(reports: Parameters<typeof stepMetrics>[0], step: number, rate: number): Row["logged"] {
  const { loss, sigmaBuckets } = stepMetrics(reports);
  const buckets = Object.entries(sigmaBuckets).map(([name, value]) => [`train/loss_sigma_${name}`, value] as const);
  return {
    "train/loss": loss,
    "train/learning_rate": rate,
    "train/global_step": step,
    ...Object.fromEntries(buckets),
  };
}

function columns(rows: readonly Row[], count: number, size: number): (readonly [name: string, numbers: Numbers])[] {
  const perSample = (data: readonly number[]): Numbers => ({ shape: [rows.length * count, size], data });
  const perStep = (of: (row: Row) => number): Numbers => ({ shape: [rows.length], data: rows.map(of) });
  return [
    ["out.loss", perSample(rows.flatMap(({ loss }) => loss))],
    ["out.sigma", perSample(rows.flatMap(({ sigma }) => sigma))],
    ["out.grad_norm", perStep(({ gradNorm }) => gradNorm)],
    ["out.lr_used", perStep(({ rate }) => rate)],
    ["out.lr_logged", perStep(({ nextRate }) => nextRate)],
    ["out.logged_loss", perStep(({ logged }) => logged["train/loss"] ?? NaN)],
  ];
}
