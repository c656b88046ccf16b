import { setImmediate as nextTurn } from "node:timers/promises";
import { philoxSource } from "../random/draws.ts";
import type { Step } from "../contract.ts";
import type { EvaluationEvent } from "../metrics/events.ts";
import { forward, noWeights, readReport, type ForwardContext, type Progress, type Report } from "./forward.ts";
import type { LoadedBatch, Run, StopSignal } from "./run-inputs.ts";
import { sampleLosses, stepMetrics } from "./step-metrics.ts";

/** Independent of the run's seed, so that runs with different seeds can be compared, too. */
const SEED = 0;

type Evaluation = Pick<EvaluationEvent, "loss" | "terms" | "sigmas" | "datasets">;

interface Evaluated extends Evaluation {
  /** Whether some noise level was another one than asked for, since the strategy sets it itself. */
  readonly strays: boolean;
}

/**
 * The loss of every held-out sample at every noise level of `evaluation.sigmas`, without gradients. Each sample is a batch of its
 * own, and its draws depend on its number alone: results can be compared between steps, resumed runs, batch sizes and seeds. Null once
 * `signal` is aborted.
 */
export async function evaluate(
  run: Run,
  context: ForwardContext,
  progress: Progress,
  signal?: StopSignal,
): Promise<Evaluated | null> {
  const { heldOut, config } = run;
  const evaluated = config.runtime.optimization.evaluate_ema ? withEma(context) : context;
  if (heldOut === null) throw new Error("a run without held-out samples");
  const { sigmas } = config.evaluation;
  const reports: Report[][] = sigmas.map(() => []);
  const sets: string[] = [];
  for (let i = 0; i < heldOut.samples; i++) {
    const batch = await heldOut.load(i);
    sets.push(...(batch.sets ?? []));
    for (const [level, sigma] of sigmas.entries()) {
      // Engines may compute for minutes without a turn of the event loop, which Ctrl-C needs.
      await nextTurn();
      if (signal?.aborted === true) {
        batch.release();
        return null;
      }
      reports[level]?.push(await reportOf(run, evaluated, batch, { sample: i, sigma, progress }));
    }
    batch.release();
  }
  // At each level all samples in their order.
  const { loss, terms, datasets } = stepMetrics(
    reports.flat(),
    sigmas.flatMap(() => sets),
  );
  const bySigma = sigmas.map((sigma, level) => ({ sigma, loss: mean((reports[level] ?? []).flatMap(sampleLosses)) }));
  const strays = reports.some((list, level) => list.some(({ sigma }) => !isAt(sigma, sigmas[level] ?? 0)));
  return { loss, terms, ...(datasets === undefined ? {} : { datasets }), sigmas: bySigma, strays };
}

/** The step's own call with the moving average of the weights, as passes with `adapters: ema` have it. */
function withEma(context: ForwardContext): ForwardContext {
  const { model, weight = noWeights } = context;
  return {
    ...context,
    weight: (name) => weight(name, "ema"),
    model: (inputs, targets, dropout, weights = "trained") =>
      model(inputs, targets, dropout, weights === "trained" ? "ema" : weights),
  };
}

async function reportOf(
  { engine, step }: Run,
  context: ForwardContext,
  batch: LoadedBatch,
  { sample, sigma, progress }: { sample: number; sigma: number; progress: Progress },
): Promise<Report> {
  const draws = philoxSource(SEED, sample, 0);
  const report = engine.tidy(
    () => forward(context, batch.batch(), { draws, progress, divisor: 1, sigma }).outputs.report,
  );
  const { data } = await engine.read(report);
  engine.dispose(report);
  return withoutOthers(step, readReport(step, data as Float32Array, batch.names.length));
}

/** Without the terms that compare the samples of a batch: an evaluation has one sample at a time. */
function withoutOthers({ strategy }: Step, report: Report): Report {
  const own = strategy.losses.filter(({ others }) => others !== true).map(({ name }) => name);
  return { ...report, terms: Object.fromEntries(own.map((name) => [name, report.terms[name] ?? new Float32Array()])) };
}

const isAt = (levels: Float32Array, sigma: number): boolean => levels.every((level) => Math.abs(level - sigma) < 1e-5);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
