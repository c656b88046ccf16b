/** Tries a strategy on many small batches and collects the mistakes, each once. */
import { basename } from "node:path";
import { entryOf, type Diagnostic } from "../../compiler/diagnostics/index.ts";
import type { SourceFile } from "../../compiler/source/index.ts";
import { collate, createSampler, defaultFlowMatching, type Engine } from "../../runtime/index.ts";
import { observe } from "../probe/observe.ts";
import type { Subject } from "../probe/subject.ts";
import { syntheticSamples } from "../probe/synthetic.ts";
import { describeBatch, trialBatches, type TrialBatch } from "./batches.ts";
import { consult } from "./oracle/index.ts";
import { differences, violations, type Violation } from "./checks.ts";
import { sharesOff } from "./shares.ts";

interface Trial {
  readonly diagnostics: readonly Diagnostic[];
  readonly batches: number;
}

const sampler = createSampler(defaultFlowMatching);

/** @param known what the compiler found: the oracle does not say it again */
export async function tryOut(
  engine: Engine,
  subject: Subject,
  seed: number,
  known: readonly Diagnostic[],
): Promise<Trial> {
  const { strategy } = subject.step;
  const batches = trialBatches(strategy, seed);
  const found = new Map<string, { readonly violation: Violation; readonly batch: TrialBatch; count: number }>();
  for (const batch of batches) {
    for (const violation of await violationsOn(engine, subject, batch)) {
      const key = [violation.code, violation.span.start, violation.span.end, violation.of].join();
      const known = found.get(key);
      if (known === undefined) found.set(key, { violation, batch, count: 1 });
      else known.count++;
    }
  }
  const diagnostics = [...found.values()].map(({ violation, batch, count }): Diagnostic => {
    const { code, span, message } = violation;
    const seen = `seen on ${count} of ${batches.length} batches, first with ${describeBatch(strategy, batch)}`;
    return {
      code,
      slug: entryOf(code).slug,
      severity: "error",
      message,
      span,
      labels: [],
      help: seen,
    };
  });
  // A step that fails has no means and no gradients.
  const shares = diagnostics.length > 0 ? [] : await sharesOff(engine, subject, seed);
  const suspicions = diagnostics.length > 0 ? [] : await consult(engine, subject, seed, known);
  const all = [...diagnostics, ...shares, ...suspicions].toSorted((a, b) => a.span.start - b.span.start);
  return { diagnostics: all, batches: batches.length };
}

async function violationsOn(engine: Engine, subject: Subject, batch: TrialBatch): Promise<readonly Violation[]> {
  const samples = collate(syntheticSamples(subject.step.strategy, batch));
  const { params, seed, progress } = batch;
  const circumstances = { params, sampler, seed, progress, globalStep: Math.round(progress * 1000) };
  try {
    const seen = await observe(engine, subject, samples, circumstances);
    // What the compiler writes is pure; only imported functions can differ between two calls.
    const again = subject.program.imports.length === 0 ? seen : await observe(engine, subject, samples, circumstances);
    return [...violations(subject, seen), ...differences(subject, seen, again)];
  } catch (error) {
    const failure = failureOf(subject.file, error);
    if (failure === null) throw error;
    return [failure];
  }
}

/** The exception as a violation, if its stack points into the strategy or into what it extends; null for any other, which is a bug of ours. */
function failureOf(file: SourceFile, error: unknown): Violation | null {
  const { stack = "", message } = error instanceof Error ? error : new Error(String(error));
  const [, name, line, column] = /([^/\\\s(]+\.strategy):(\d+):(\d+)/.exec(stack) ?? [];
  let begin = 0;
  for (const each of [file, ...file.bases]) {
    const start = begin + (each.lineStarts[Number(line) - 1] ?? NaN) + Number(column) - 1;
    if (basename(each.path) === name && Number.isFinite(start)) {
      const span = { start, end: start + 1 };
      if (error instanceof Error && error.name === "ImportError") return { code: "LTX5051", span, of: "step", message };
      return { code: "LTX7106", span, of: "step", message: `this cannot be calculated: ${message}` };
    }
    begin += each.text.length + 1;
  }
  return null;
}
