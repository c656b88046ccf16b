/** Samples of a run while it trains. They are extras: what goes wrong with one is a warning, and the training goes on. */
import { FindingsError } from "../findings.ts";
import type { TrainEvent } from "../metrics/events.ts";
import type { Moment, SampleSource, StopSignal } from "./run-inputs.ts";

type Emit = (event: TrainEvent) => void;

/** Reads and encodes what samples are given, before the first step. */
export async function prepareSamples(samples: SampleSource | null, emit: Emit): Promise<void> {
  await tolerant(emit, async () => samples?.prepare());
}

/** Draws the samples of `validation`, if there are any, and those of the base model where they are not there yet. */
export async function drawSamples(
  samples: SampleSource | null,
  emit: Emit,
  at: Moment,
  signal?: StopSignal,
): Promise<void> {
  if (samples === null) return;
  const { count } = samples;
  const isStopped = () => signal?.aborted === true;
  for (let i = 0; i < count && !isStopped(); i++) {
    for (const kind of ["draw", "drawBase"] as const) {
      const began = performance.now();
      await tolerant(emit, async () => {
        const path = await samples[kind](i, at, signal);
        if (path === null) return;
        const seconds = (performance.now() - began) / 1000;
        const { globalStep } = at;
        const base = kind === "drawBase" ? ({ isBase: true } as const) : {};
        emit({ type: "sample", globalStep, number: i + 1, count, path, ...base, seconds });
      });
    }
  }
  samples.release();
}

async function tolerant(emit: Emit, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    for (const finding of error.findings) emit({ type: "warning", finding: { ...finding, severity: "warning" } });
  }
}
