import { loraOf } from "../config/index.ts";
import type { RunConfig } from "../config/run-config.ts";
import type { StrategyInfo } from "../contract.ts";
import { FindingsError, type Finding } from "../findings.ts";
import type { ExaminedModel } from "../model/checkpoint.ts";
import { matchTargets, loraNames } from "../model/lora.ts";
import { headNames } from "../model/outputs.ts";
import { weightNames } from "../model/strategy-weights.ts";
import { transformerLayout } from "../model/parameters.ts";
import { checkGroups } from "../optimizer/groups.ts";

/**
 * Judges the settings of `runtime.optimization` by what the strategy calls and what is trained.
 * @throws FindingsError LTX6253 for groups of nothing, LTX6254 for passes with a moving average that the run does not keep
 */
export function checkTrained(config: RunConfig, strategy: StrategyInfo, model: ExaminedModel | null): void {
  const ofGroups = model === null ? [] : checkGroups(config, trainedNames(config, strategy, model));
  const findings = [...ofGroups, ...checkPasses(config, strategy)];
  if (findings.length > 0) throw new FindingsError(findings);
}

/** The names of all tensors that a run trains. */
function trainedNames(config: RunConfig, strategy: StrategyInfo, examined: ExaminedModel) {
  const lora = loraOf(config);
  const own =
    lora === null
      ? examined.parameters.map(({ name }) => name)
      : loraNames(matchTargets(transformerLayout(examined.config), lora).targets);
  return [...own, ...ownNames(strategy)];
}

/** Of these, the names of the strategy's own tensors: its heads and weights. */
export const ownNames = ({ outputs, weights = [] }: StrategyInfo): readonly string[] => [
  ...headNames(outputs),
  ...weightNames(weights),
];

function checkPasses({ runtime }: RunConfig, { name: strategy, passes = [] }: StrategyInfo): Finding[] {
  const name = passes.find(({ weights }) => weights === "ema")?.name;
  if (name === undefined || runtime.optimization.ema_decay !== null) return [];
  const message = `the pass \`${name}\` of \`${strategy}\` calls the moving average of the weights, and this run keeps none`;
  const help = "write `runtime: {optimization: {ema_decay: 0.999}}`; 0.999 averages over about 1000 steps";
  return [{ code: "LTX6254", severity: "error", path: ["runtime", "optimization"], message, help }];
}
