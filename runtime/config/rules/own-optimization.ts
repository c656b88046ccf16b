import type { Finding } from "../../findings.ts";
import { finding } from "../conform.ts";
import type { OwnOptimizationConfig, RunConfig } from "../run-config.ts";

const place = ["runtime", "optimization"];

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
  if (runtime.engine === "ltx-trainer") return checkElsewhere(runtime);
  return [...checkOptimizer(config), ...checkGroups(config), ...checkEma(config)];
}

/** The official trainer would train something else. */
function checkElsewhere(runtime: RunConfig["runtime"]): Finding[] {
  const keys = Object.keys(askedFor(runtime)).filter((key) => key !== "optimizer_params");
  if (keys.length === 0) return [];
  const named = keys.map((key) => `\`${key}\``).join(", ");
  const message = `the official trainer has no ${named}: it would train without`;
  const help = "remove the section `runtime.optimization`, or train with another engine than `ltx-trainer`";
  return [finding("LTX6252", place, message, help)];
}

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
