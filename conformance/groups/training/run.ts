import type { Case } from "../../case.ts";
import { declared, type Checks } from "../../checks.ts";
import type { Tolerance } from "../../compare.ts";
import { strategyOfCase } from "../../compiled.ts";
import { batchNames } from "../../golden-batch.ts";
import { microBatch } from "./micro-batch.ts";
import { openCase } from "./open.ts";
import { checkSettings, configOf, knownSettings } from "./settings.ts";
import { train, type Trained } from "./trained.ts";

/** Trains as the case was trained, on its samples, draws and initial adapters, and compares every number on the way. */
export const replayRun = declared(
  { manifest: knownSettings, inputs: /^(micro_\d+\.draw_\d+|lora\.init\..*\.lora_[AB]\.weight)$/ },
  async (replayed, checks, engine) => {
    const strategy = await strategyOfCase(replayed.manifest);
    const config = configOf(replayed);
    const fields = batchNames(strategy.step.strategy.sources, strategy.keyOf);
    const samples = Array.from({ length: replayed.manifest["num_samples"] }, (_, i) => `sample.${i}`);
    checks.takes(samples.flatMap((sample) => fields.map((field) => `${sample}.${field}`)));
    const opened = await openCase(replayed, engine, strategy, config);
    try {
      checkSettings(replayed, checks, opened.modules);
      const trained = await train(opened.context, config, (i, progress) =>
        microBatch(replayed, engine, strategy, opened.contexts, i, progress),
      );
      compareTrained(replayed, checks, trained);
    } finally {
      opened.dispose();
    }
  },
);

type Tolerances = Readonly<Record<string, Tolerance | undefined>>;

function compareTrained({ manifest, tensors }: Case, checks: Checks, { tensors: made, logged }: Trained): void {
  const tolerance: Tolerances = manifest["tolerance"] ?? {};
  for (const [name, numbers] of made) checks.compare(name, numbers, toleranceOf(name, tolerance));
  compareLogged(manifest["logged_metrics"] ?? logged, checks, logged, tolerance);
  const still = [...tensors].flatMap(([name, { data }]) => {
    const adapter = /^lora\.init\.(.*)$/.exec(name)?.[1];
    const last = made.get(`lora.final.${adapter}`)?.data;
    return adapter !== undefined && last !== undefined && data.every((x, i) => x === last[i]) ? [adapter] : [];
  });
  checks.same(
    "adapters that stayed as they were",
    still.toSorted(),
    (manifest["lora_tensors_never_changed"] ?? still).toSorted(),
  );
}

function compareLogged(
  expected: Trained["logged"],
  checks: Checks,
  logged: Trained["logged"],
  tolerance: Tolerances,
): void {
  checks.same("the number of logged steps", logged.length, expected.length);
  for (const [j, step] of expected.entries()) {
    const found = logged[j] ?? {};
    checks.same(`what is logged after step ${j + 1}`, Object.keys(found).toSorted(), Object.keys(step).toSorted());
    for (const [name, value] of Object.entries(step)) {
      const kind = name.startsWith("train/loss") ? "loss" : name === "train/learning_rate" ? "lr" : "";
      checks.numbers(`${name} after step ${j + 1}`, [found[name] ?? NaN], [value], tolerance[kind] ?? "exact");
    }
  }
}

function toleranceOf(name: string, tolerance: Tolerances): Tolerance {
  if (name === "out.sigma") return { atol: 2e-6 };
  const key = names.find(([pattern]) => pattern.test(name))?.[1];
  return (key === undefined ? undefined : tolerance[key]) ?? "exact";
}

/** By what name the manifest has a tensor's tolerance. */
const names: readonly (readonly [pattern: RegExp, key: string])[] = [
  [/^out\.(loss|logged_loss)$/, "loss"],
  [/^out\.grad_norm$/, "grad_norm"],
  [/^out\.lr_/, "lr"],
  [/^grad\.first_step\./, "grad.first_step"],
  [/^lora\.(final|after_step1)\./, "lora.final"],
];
