import type { Finding } from "../../findings.ts";
import { finding, warning } from "../conform.ts";
import type { RunConfig } from "../run-config.ts";

/** The values of a setting with which runs train, from experience; outside of them a slip is likelier than a wish. */
interface Range {
  readonly path: Finding["path"];
  readonly least?: number;
  readonly most?: number;
  /** What is usual, as it would be written. */
  readonly usual: string;
  /** What happens outside. */
  readonly tooLow?: string;
  readonly tooHigh?: string;
}

const overflows = "the weights jump about, and the loss soon is not a number";
const noEffect = "next to nothing is learned";
const own = ["runtime", "optimization"];

/** Learning rates with which an optimizer trains. */
const rates: Readonly<Record<"adamw" | "lion" | "prodigy", Omit<Range, "path">>> = {
  adamw: { least: 1e-8, most: 0.1, usual: "1e-5 to 1e-3 is", tooLow: noEffect, tooHigh: overflows },
  lion: { least: 1e-9, most: 0.01, usual: "with Lion 1e-6 to 1e-4 is", tooLow: noEffect, tooHigh: overflows },
  prodigy: {
    least: 0.05,
    most: 20,
    usual: "Prodigy multiplies the rate that it finds with it, so `learning_rate: 1` is",
    tooLow: noEffect,
    tooHigh: overflows,
  },
};

const ofProdigy: Range = {
  path: [...own, "optimizer_params", "d0"],
  most: 1e-3,
  usual: "1e-6 is",
  tooHigh: "the estimate only grows from there, so it may begin above the right one",
};

const ranges: readonly Range[] = [
  { path: ["optimization", "steps"], most: 1e7, usual: "500 to 20000 is", tooHigh: "the run takes years" },
  { path: ["optimization", "max_grad_norm"], least: 1e-4, usual: "1.0 is", tooLow: noEffect },
  {
    path: ["optimization", "gradient_accumulation_steps"],
    most: 4096,
    usual: "1 to 16 is",
    tooHigh: "the weights change once in that many batches",
  },
  { path: ["lora", "rank"], most: 1024, usual: "8 to 128 is", tooHigh: "most of the adapters can not be used" },
  { path: ["lora", "dropout"], most: 0.9, usual: "0 to 0.1 is", tooHigh: noEffect },
  {
    path: ["data", "num_dataloader_workers"],
    most: 256,
    usual: "0 to 8 is",
    tooHigh: "that many batches are kept in memory",
  },
  {
    path: ["validation", "inference_steps"],
    most: 1000,
    usual: "20 to 50 is",
    tooHigh: "a sample then takes longer than much of the training",
  },
  { path: [...own, "weight_decay"], most: 1, usual: "0 to 0.1 is", tooHigh: "the weights shrink to nothing" },
  {
    path: [...own, "ema_decay"],
    least: 0.5,
    usual: "0.99 to 0.9999 is",
    tooLow: "the average is hardly one, but the weights of the last step",
  },
];

/** A warning for each setting whose value is far from all that trains: LTX6251. Zero, where it is allowed, switches something off. */
export function checkRanges(config: RunConfig): Finding[] {
  const { optimizer, groups } = config.runtime.optimization;
  const ofRates = [["optimization"], ...groups.map((_, i) => ["runtime", "optimization", "groups", i])].map((path) => ({
    ...rates[optimizer ?? "adamw"],
    path: [...path, "learning_rate"],
  }));
  const all = [...ofRates, ...ranges, ...inSteps(config), ...(optimizer === "prodigy" ? [ofProdigy] : [])];
  const refused = checkRank(config);
  const others = all.filter(({ path }) => refused.length === 0 || path.join(".") !== "lora.rank");
  return [...refused, ...others.flatMap((range) => outside(config, range)), ...checkAlpha(config)];
}

/** A run of fewer is there to try something out. */
const FEW_STEPS = 20;

/** What is long or short for the steps of this run. */
function inSteps({ optimization: { steps }, runtime }: RunConfig): readonly Range[] {
  const { ema_decay: decay } = runtime.optimization;
  const [usual, tooHigh] = ["up to a tenth of the steps is", "the learning rate never gets as high as it is meant to"];
  const warmup: Range = { path: [...own, "warmup_steps"], most: steps - 1, usual, tooHigh };
  // Over fewer steps the average is for the most part what the run began with.
  const longest = 1 - 1 / steps;
  if (decay === null || decay <= longest || steps < FEW_STEPS) return [warmup];
  const many = Math.round(1 / (1 - decay));
  return [
    warmup,
    {
      path: [...own, "ema_decay"],
      most: longest,
      usual: `\`ema_decay: ${Number((1 - 10 / Math.max(steps, 20)).toPrecision(2))}\` is`,
      tooHigh: `it averages over about ${many} steps, and the run has ${steps}, so that it is mostly what the run began with`,
    },
  ];
}

function outside(config: RunConfig, { path, least = 0, most = Infinity, usual, tooLow, tooHigh }: Range): Finding[] {
  const key = path.at(-1);
  const value = path.reduce<unknown>(
    (inner, part) => (inner as Readonly<Record<string | number, unknown>> | null | undefined)?.[part],
    config,
  );
  if (typeof value !== "number" || value === 0 || (value >= least && value <= most)) return [];
  const [much, why] = value < least ? ["small", tooLow] : ["large", tooHigh];
  return [warning("LTX6251", path, `\`${key}: ${value}\` is very ${much}: ${why}`, `${usual} usual`)];
}

/** Of the layers of LTX-2 the widest have so many inputs or outputs: a larger rank cannot add anything. */
const WIDEST = 16_384;

function checkRank({ lora }: RunConfig): Finding[] {
  if (lora === null || lora.rank <= WIDEST) return [];
  const message = `\`rank: ${lora.rank}\` is larger than any layer of LTX-2 is wide (${WIDEST}): it would only take memory and time`;
  return [finding("LTX6196", ["lora", "rank"], message, "8 to 128 is usual")];
}

/** B counts alpha / rank times. */
function checkAlpha({ lora }: RunConfig): Finding[] {
  if (lora === null) return [];
  const scale = lora.alpha / lora.rank;
  if (scale >= 1 / 256 && scale <= 64) return [];
  const [message, help] = [
    `\`alpha: ${lora.alpha}\` with rank ${lora.rank} counts the adapters ${scale.toPrecision(2)} times`,
    `write \`alpha: ${lora.rank}\`, or half or double of it`,
  ];
  return [warning("LTX6251", ["lora", "alpha"], message, help)];
}
