import type { Binding } from "../checked.ts";
import { budget, valueAt, type Place } from "../evaluate.ts";
import type { ModalityContext } from "../modality.ts";
import type { Report } from "../report.ts";

type Bindings = ReadonlyMap<string, Binding>;

/** Noise levels at which it is tried, with clean and noise values that are no simple multiples of each other. */
const samples: readonly { readonly sigma: number; readonly clean: number; readonly noise: number }[] = [
  { sigma: 0.3, clean: 0.73, noise: -0.41 },
  { sigma: 0.6, clean: -1.27, noise: 0.59 },
  { sigma: 0.8, clean: 0.37, noise: 1.13 },
];

/** float64 leaves errors of 1e-15; guards such as `max(sigma, 1e-3)` none at these levels. */
const tolerance = 1e-6;

/** Clean estimates of common targets: of the tokens `x`, their noise level `t` and the prediction `p`. */
const estimates: readonly (readonly [string, (x: number, t: number, p: number) => number])[] = [
  ["noisy - timesteps * prediction", (x, t, p) => x - t * p],
  ["noisy + timesteps * prediction", (x, t, p) => x + t * p],
  ["prediction", (_, __, p) => p],
  ["-prediction", (_, __, p) => -p],
  ["(noisy - timesteps * prediction) / (1 - timesteps)", (x, t, p) => (x - t * p) / (1 - t)],
  ["noisy - prediction", (x, _, p) => x - p],
  ["noisy + prediction", (x, _, p) => x + p],
];

/** Where a model predicts exactly `target`, `denoised` must be the clean tokens: tried by numbers, where the file alone decides. */
export function denoisedIsClean(contexts: readonly ModalityContext[], bindings: Bindings, report: Report): void {
  for (const { syntax } of contexts) {
    const { name, target, denoised } = syntax;
    const core = bindings.get(`${name}.denoised`)?.core;
    if (denoised === null || core === undefined) continue;
    const tried = samples.map((sample) => perfect(sample, name, bindings));
    const values = tried.map((place) => (place === null ? null : valueAt(core, place)));
    if (values.some((value) => typeof value !== "number" || !Number.isFinite(value))) continue;
    if (samples.every(({ clean }, i) => Math.abs(Number(values[i]) - clean) <= tolerance)) continue;
    const formula = estimates.find(([, estimate]) =>
      samples.every((sample, i) => isClean(estimate, sample, tried[i] ?? null, name)),
    )?.[0];
    const isUsual = samples.every((sample, i) => isDefault(Number(values[i]), sample, tried[i] ?? null, name));
    const blamed = isUsual && target !== null ? target : denoised;
    const other = blamed === target ? denoised : target;
    report.warning(
      "LTX5044",
      blamed.value.span,
      "`denoised` is not the clean tokens where the prediction is exactly `target`",
      {
        labels: other === null ? [] : [{ span: other.value.span, message: "they do not fit together" }],
        help: `${blamed === target ? "the velocity is `noise - clean`; " : ""}${
          formula === undefined
            ? "solve `noisy` and `target` for the clean tokens"
            : `to this target belongs \`denoised: ${formula}\``
        }`,
      },
    );
  }
}

/** A token whose prediction is exactly its target; null where the file alone does not say what that is. */
function perfect({ sigma, clean, noise }: (typeof samples)[number], name: string, bindings: Bindings): Place | null {
  const given = {
    [`${name}.clean`]: clean,
    [`${name}.noise`]: noise,
    [`${name}.sigma`]: sigma,
    [`${name}.timesteps`]: sigma,
    [`${name}.keep`]: false,
  };
  const place: Place = { bindings, given, sizes: {}, token: {}, key: {}, progress: 0.5, budget: budget() };
  const [target, noisy] = ["target", "noisy"].map((field) => {
    const core = bindings.get(`${name}.${field}`)?.core;
    return core === undefined ? null : valueAt(core, place);
  });
  if (typeof target !== "number" || typeof noisy !== "number") return null;
  return {
    ...place,
    given: { ...given, prediction: target, [`${name}.prediction`]: target, [`${name}.noisy`]: noisy },
  };
}

type Estimate = (typeof estimates)[number][1];

function isClean(estimate: Estimate, sample: (typeof samples)[number], place: Place | null, name: string): boolean {
  return place !== null && Math.abs(applied(estimate, sample, place, name) - sample.clean) <= tolerance;
}

function applied(estimate: Estimate, { sigma }: (typeof samples)[number], { given }: Place, name: string): number {
  return estimate(Number(given[`${name}.noisy`]), sigma, Number(given["prediction"]));
}

/** Whether what is written is the estimate of the usual velocity. */
function isDefault(value: number, sample: (typeof samples)[number], place: Place | null, name: string): boolean {
  const usual = estimates[0]?.[1];
  return place !== null && usual !== undefined && Math.abs(applied(usual, sample, place, name) - value) <= tolerance;
}
