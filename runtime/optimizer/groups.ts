/** `runtime.optimization.groups`: which trained tensors have a learning rate or weight decay of their own. */
import type { ParameterGroupConfig, RunConfig } from "../config/run-config.ts";
import type { Finding } from "../findings.ts";
import { didYouMean } from "../nearest-word.ts";
import { WEIGHT_DECAY } from "./adamw.ts";
import type { Rate } from "./optimizer.ts";
import { createSchedule, type Schedule } from "./schedules.ts";

type Optimization = Pick<RunConfig, "optimization" | "runtime">;

/** `transformer_blocks.0.ff.net.2` of `transformer_blocks.0.ff.net.2.lora_A.weight`: what a pattern is compared with, as is the whole name. */
const moduleOf = (tensor: string): string => tensor.replace(/(\.lora_[AB])?\.(weight|bias)$/, "");

/** `*` is any text, `?` any character. */
function matcher(pattern: string): (tensor: string) => boolean {
  const text = pattern.replaceAll(/[\\^$.*+?()[\]{}|]/g, (sign) => ({ "*": ".*", "?": "." })[sign] ?? `\\${sign}`);
  const expression = new RegExp(`^${text}$`, "s");
  return (tensor) => expression.test(tensor) || expression.test(moduleOf(tensor));
}

/** The place of each tensor's group, the first that matches; -1 without one. */
function groupsOf(names: readonly string[], groups: readonly ParameterGroupConfig[]): readonly number[] {
  const matchers = groups.map(({ match }) => matcher(match));
  return names.map((name) => matchers.findIndex((matches) => matches(name)));
}

/** LTX6253 for each group that no trained tensor belongs to. */
export function checkGroups({ runtime }: Optimization, names: readonly string[]): Finding[] {
  const { groups } = runtime.optimization;
  const chosen = new Set(groupsOf(names, groups));
  return groups.flatMap(({ match }, i) => {
    if (chosen.has(i)) return [];
    const isTaken = names.some(matcher(match));
    const message = isTaken
      ? `all that \`${match}\` matches belongs to a group before it`
      : `\`${match}\` matches nothing that is trained`;
    const help = isTaken ? "the first group that matches counts: move this one up" : suggestion(match, names);
    return [
      { code: "LTX6253", severity: "error", path: ["runtime", "optimization", "groups", i, "match"], message, help },
    ];
  });
}

/** The pattern with stars around it, if that matches; else the part of a name that is most like it, or some names. */
function suggestion(match: string, names: readonly string[]): string {
  const bare = match.replaceAll(/^[*.]+|[*.]+$/g, "");
  const wider = [`*${bare}*`, `*.${bare}.*`].find((pattern) => bare !== "" && names.some(matcher(pattern)));
  if (wider !== undefined) return `a pattern is compared with whole names: write \`${wider}\``;
  const modules = [...new Set(names.map(moduleOf))];
  const words = [...new Set(modules.flatMap((name) => name.split(".")))].filter((word) => !/^\d+$/.test(word));
  const some = `what is trained is called \`${modules[0] ?? ""}\`, \`${modules.at(-1) ?? ""}\` and so on`;
  const near = didYouMean(bare.split(".").findLast((word) => !/^[\d*]*$/.test(word)) ?? bare, words);
  return near === null ? some : `${near}; ${some}`;
}

/** The weight decay of each tensor. */
export function decaysOf({ runtime }: Optimization, names: readonly string[]): readonly number[] {
  const { groups, weight_decay: written, optimizer } = runtime.optimization;
  const usual = written ?? (optimizer === null ? WEIGHT_DECAY : 0);
  return groupsOf(names, groups).map((group) => groups[group]?.weight_decay ?? usual);
}

export interface Rates {
  /** Of weights that belong to no group. */
  readonly usual: Schedule;
  readonly all: (j: number) => Rate;
}

/** The learning rates of optimizer step `j`, counted from 0: schedule and warm-up are the same for all tensors. */
export function createRates({ optimization, runtime }: Optimization, names: readonly string[]): Rates {
  const { groups, warmup_steps: warmup } = runtime.optimization;
  const scheduleOf = (base: number): Schedule => {
    if (base === 0) return () => 0;
    const schedule = createSchedule({ ...optimization, learning_rate: base });
    return warmup === 0 ? schedule : (j) => schedule(j) * Math.min(1, (j + 1) / warmup);
  };
  const usual = scheduleOf(optimization.learning_rate);
  if (groups.every(({ learning_rate: rate }) => rate === null)) return { usual, all: usual };
  const schedules = groups.map(({ learning_rate: rate }) => (rate === null ? usual : scheduleOf(rate)));
  const chosen = groupsOf(names, groups).map((group) => schedules[group] ?? usual);
  return { usual, all: (j) => chosen.map((schedule) => schedule(j)) };
}
