/** Samples of a run while it trains. They are extras: what goes wrong with one is a warning, and the training goes on. */
import { FindingsError } from "../findings.ts";
import type { TrainEvent } from "../metrics/events.ts";
import type { SampleSource, StopSignal } from "./run-inputs.ts";

type Emit = (event: TrainEvent) => void;

/** Reads and encodes what samples are given, before the first step. */
export async function prepareSamples(samples: SampleSource | null, emit: Emit): Promise<void> {
  await tolerant(emit, async () => samples?.prepare());
}

/** Draws the samples of `validation`, if there are any, after `done` steps. */
export async function drawSamples(
  samples: SampleSource | null,
  emit: Emit,
  done: number,
  signal?: StopSignal,
): Promise<void> {
  if (samples === null) return;
  const { count } = samples;
  const isStopped = () => signal?.aborted === true;
  for (let i = 0; i < count && !isStopped(); i++) {
    const began = performance.now();
    await tolerant(emit, async () => {
      const path = await samples.draw(i, done, signal);
      const seconds = (performance.now() - began) / 1000;
      if (path !== null) emit({ type: "sample", globalStep: done, number: i + 1, count, path, seconds });
    });
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
