import { smoothed } from "../run-view/smooth.ts";
import { chart, type Point, type Series } from "./chart.ts";
import type { Evaluation, Metrics, Step } from "./metrics.ts";
import { quantile } from "./scale.ts";

const points = (steps: readonly Step[], value: (step: Step) => number): Point[] =>
  steps.map((step) => [step.globalStep, value(step)]);

/** Smoothed over the steps that have a value. */
function smooth(raw: readonly Point[]): Point[] {
  const finite = raw.filter(([, y]) => Number.isFinite(y));
  const values = smoothed(finite.map(([, y]) => y));
  return finite.map(([x], i) => [x, values[i] ?? Number.NaN]);
}

const namesOf = (steps: readonly Step[], of: (step: Step) => Readonly<Record<string, number>>): string[] => [
  ...new Set(steps.flatMap((step) => Object.keys(of(step)))),
];

/** All curves of a run. */
export function charts({ steps, evaluations }: Metrics): string {
  const lastStep = Math.max(steps.at(-1)?.globalStep ?? 0, evaluations.at(-1)?.globalStep ?? 0);
  const small = (title: string, value: (step: Step) => number) =>
    chart({ title, size: "small", lastStep, series: [{ name: title, points: points(steps, value) }] });
  const parts = [
    lossChart(steps, lastStep),
    evaluationChart(evaluations, lastStep),
    `<div class="pair">${termsChart(steps, lastStep)}${bucketsChart(steps, lastStep)}`,
    datasetsChart(steps, evaluations, lastStep),
    small("Learning rate", ({ learningRate }) => learningRate),
    small("Gradient norm before clipping", ({ gradNorm }) => gradNorm),
    small("Samples per second", ({ samplesPerSecond }) => samplesPerSecond),
    small("Tokens per second", ({ tokensPerSecond }) => tokensPerSecond),
    ...gpuCharts(steps, small),
    "</div>",
  ];
  return steps.length === 0 && evaluations.length === 0 ? "" : `<h2>Curves</h2>\n${parts.join("\n")}`;
}

/** Of runs on a GPU. */
function gpuCharts(
  steps: readonly Step[],
  small: (title: string, value: (step: Step) => number) => string,
): readonly string[] {
  if (steps.every(({ gpuName }) => gpuName === "")) return [];
  return [
    small("GPU memory, GiB", ({ gpu }) => (gpu["memoryBytes"] ?? NaN) / 2 ** 30),
    small("GPU busy, %", ({ gpu }) => 100 * (gpu["utilization"] ?? NaN)),
    ...(steps.every(({ mfu }) => Number.isNaN(mfu))
      ? []
      : [small("Share of the GPU's peak (MFU), %", ({ mfu }) => 100 * mfu)]),
  ];
}

function lossChart(steps: readonly Step[], lastStep: number): string {
  const raw = points(steps, ({ loss }) => loss);
  const line = smooth(raw);
  const losses = raw.map(([, y]) => y);
  return chart({
    title: "Training loss",
    note: "of all terms together; every step draws other noise levels",
    lastStep,
    series: [
      { name: "each step", points: raw, style: "faint", color: 0 },
      { name: "smoothed", points: line, color: 0 },
    ],
    // A single wild step must not flatten all others.
    range: [...line.map(([, y]) => y), quantile(losses, 0.01), quantile(losses, 0.99)],
  });
}

function termsChart(steps: readonly Step[], lastStep: number): string {
  const names = namesOf(steps, ({ terms }) => terms);
  if (names.length < 2) return "";
  const series = names.map((name) => ({
    name,
    points: smooth(points(steps, ({ terms }) => terms[name] ?? Number.NaN)),
  }));
  return chart({ title: "Loss terms", note: "smoothed", size: "small", lastStep, series });
}

/** Faint dots for the held-out samples of each. */
function datasetsChart(steps: readonly Step[], evaluations: readonly Evaluation[], lastStep: number): string {
  const names = namesOf(steps, ({ datasets }) => datasets);
  if (names.length < 2) return "";
  const series = names.flatMap((name, color): Series[] => {
    const held = evaluations.map(({ globalStep, datasets }): Point => [globalStep, datasets[name] ?? Number.NaN]);
    return [
      { name, color, points: smooth(points(steps, ({ datasets }) => datasets[name] ?? Number.NaN)) },
      ...(held.length === 0 ? [] : [{ name: `${name}, held out`, color, style: "dots", points: held } as const]),
    ];
  });
  return chart({ title: "Loss by data set", note: "smoothed", size: "small", lastStep, series });
}

function bucketsChart(steps: readonly Step[], lastStep: number): string {
  const names = namesOf(steps, ({ sigmaBuckets }) => sigmaBuckets).toSorted();
  const series = names.map((name) => ({
    name: `σ ${name}`,
    points: smooth(points(steps, ({ sigmaBuckets }) => sigmaBuckets[name] ?? Number.NaN)),
  }));
  return chart({ title: "Training loss by noise level", note: "smoothed", size: "small", lastStep, series });
}

function evaluationChart(evaluations: readonly Evaluation[], lastStep: number): string {
  const levels = [...new Set(evaluations.flatMap(({ sigmas }) => sigmas.map(({ sigma }) => sigma)))].toSorted(
    (a, b) => a - b,
  );
  const at = (level: number): Series => ({
    name: `σ ${level}`,
    style: "dots",
    points: evaluations.map(({ globalStep, sigmas }): Point => {
      return [globalStep, sigmas.find(({ sigma }) => sigma === level)?.loss ?? Number.NaN];
    }),
  });
  const mean: Series = {
    name: "mean",
    style: "dots",
    points: evaluations.map(({ globalStep, loss }): Point => [globalStep, loss]),
  };
  return chart({
    title: "Evaluation loss",
    note: "held-out samples at fixed noise levels with fixed noise",
    lastStep,
    series: [mean, ...levels.map(at)],
  });
}
