import type { Finding } from "../../findings.ts";
import { finding, isFields } from "../conform.ts";
import type { OwnOptimizationConfig, RunConfig } from "../run-config.ts";

const place = ["runtime", "optimization"];

/** `runtime.optimization` as it is by default: weights follow from the gradients as in the official trainer. */
export const noneAsked: OwnOptimizationConfig = {
  optimizer: null,
  optimizer_params: {},
  weight_decay: null,
  warmup_steps: 0,
  groups: [],
  ema_decay: null,
  evaluate_ema: false,
};

/** What `runtime.optimization` asks for that is not the default, by its keys; nothing where it asks for nothing. */
export function askedFor({ optimization }: Pick<RunConfig["runtime"], "optimization">): Partial<OwnOptimizationConfig> {
  const { optimizer, optimizer_params, weight_decay, warmup_steps, groups, ema_decay, evaluate_ema } = optimization;
  return {
    ...(optimizer === null ? {} : { optimizer, optimizer_params }),
    ...(weight_decay === null ? {} : { weight_decay }),
    ...(warmup_steps === 0 ? {} : { warmup_steps }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(ema_decay === null ? {} : { ema_decay }),
    ...(evaluate_ema ? { evaluate_ema } : {}),
  };
}

/** Settings of `runtime.optimization` that contradict others: LTX6008; or that the official trainer does not know: LTX6252. */
export function checkOwnOptimization(config: RunConfig): Finding[] {
  const { runtime } = config;
  if (runtime.engine === "ltx-trainer") return optimizationElsewhere(config);
  return [...checkOptimizer(config), ...checkGroups(config), ...checkEma(config)];
}

/** LTX6252 where a run config, as it was written, asks for what the official trainer would train without. */
export function optimizationElsewhere(written: unknown): Finding[] {
  const section = place.reduce<unknown>((inner, key) => (isFields(inner) ? inner[key] : undefined), written);
  if (!isFields(section)) return [];
  const isAsked = ([key, value]: readonly [string, unknown]) =>
    key !== "optimizer_params" && value !== null && value !== false && value !== 0 && !isEmpty(value);
  const keys = Object.entries(section)
    .filter(isAsked)
    .map(([key]) => key);
  if (keys.length === 0) return [];
  const message = `the official trainer has no ${keys.map((key) => `\`${key}\``).join(", ")}: it would train without`;
  const help =
    "remove the section `runtime.optimization`, or train with `ltxc run` and another engine than `ltx-trainer`";
  return [finding("LTX6252", place, message, help)];
}

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

function checkOptimizer({ optimization, runtime }: RunConfig): Finding[] {
  const { optimizer, optimizer_params: params } = runtime.optimization;
  if (optimizer === null) {
    if (Object.keys(params).length === 0) return [];
    const help = "write `optimizer: lion` or `optimizer: prodigy`, or remove them; those of AdamW are fixed";
    return [finding("LTX6008", [...place, "optimizer_params"], "`optimizer_params` are of another optimizer", help)];
  }
  if (optimization.optimizer_type === "adamw") return [];
  const message = `\`optimizer: ${optimizer}\` and \`optimizer_type: ${optimization.optimizer_type}\` are two optimizers`;
  const help = `remove one of them; the moments of \`${optimizer}\` have 32 bits`;
  return [finding("LTX6008", [...place, "optimizer"], message, help)];
}

function checkGroups({ optimization, runtime }: RunConfig): Finding[] {
  const { groups, optimizer } = runtime.optimization;
  return groups.flatMap(({ learning_rate: rate, weight_decay: decay }, i) => {
    const path = [...place, "groups", i];
    if (rate === null && decay === null) {
      const help = "write `learning_rate:` or `weight_decay:` in it, or remove it";
      return [finding("LTX6008", path, "this group changes nothing", help)];
    }
    if (optimizer !== "prodigy" || rate === null || rate === 0 || rate === optimization.learning_rate) return [];
    const message = `Prodigy finds one learning rate for all weights, so \`learning_rate: ${rate}\` can not be a group's own`;
    const help = "remove it, or write `learning_rate: 0` to keep these weights as they are";
    return [finding("LTX6008", [...path, "learning_rate"], message, help)];
  });
}

function checkEma({ evaluation, runtime }: RunConfig): Finding[] {
  const { ema_decay: decay, evaluate_ema: isEvaluated } = runtime.optimization;
  const path = [...place, "evaluate_ema"];
  if (!isEvaluated) return [];
  if (decay === null)
    return [finding("LTX6008", path, "there is no moving average to evaluate", "write `ema_decay: 0.999` above it")];
  if (evaluation.samples > 0) return [];
  const help = "hold samples out, as in `evaluation: {samples: 4}`, or remove the line";
  return [finding("LTX6008", path, "no sample is held out, so nothing is evaluated", help)];
}
