import type { Finding } from "../../findings.ts";
import { warning } from "../conform.ts";
import type { RunConfig } from "../run-config.ts";

/** The values of a setting with which runs train, from experience; outside of them a slip is likelier than a wish. */
interface Range {
  readonly path: readonly [keyof RunConfig, string];
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

const ranges: readonly Range[] = [
  {
    path: ["optimization", "learning_rate"],
    least: 1e-8,
    most: 0.1,
    usual: "1e-5 to 1e-3",
    tooLow: noEffect,
    tooHigh: overflows,
  },
  { path: ["optimization", "steps"], most: 1e7, usual: "500 to 20000", tooHigh: "the run takes years" },
  { path: ["optimization", "max_grad_norm"], least: 1e-4, usual: "1.0", tooLow: noEffect },
  {
    path: ["optimization", "gradient_accumulation_steps"],
    most: 4096,
    usual: "1 to 16",
    tooHigh: "the weights change once in that many batches",
  },
  { path: ["lora", "rank"], most: 1024, usual: "8 to 128", tooHigh: "most of the adapters can not be used" },
  { path: ["lora", "dropout"], most: 0.9, usual: "0 to 0.1", tooHigh: noEffect },
  {
    path: ["data", "num_dataloader_workers"],
    most: 256,
    usual: "0 to 8",
    tooHigh: "that many batches are kept in memory",
  },
];

/** A warning for each setting whose value is far from all that trains: LTX6251. Zero, where it is allowed, switches something off. */
export function checkRanges(config: RunConfig): Finding[] {
  return [...ranges.flatMap((range) => outside(config, range)), ...checkAlpha(config)];
}

function outside(config: RunConfig, { path, least = 0, most = Infinity, usual, tooLow, tooHigh }: Range): Finding[] {
  const [section, key] = path;
  const value = (config[section] as Readonly<Record<string, unknown>> | null)?.[key];
  if (typeof value !== "number" || value === 0 || (value >= least && value <= most)) return [];
  const [much, why] = value < least ? ["small", tooLow] : ["large", tooHigh];
  return [warning("LTX6251", path, `\`${key}: ${value}\` is very ${much}: ${why}`, `${usual} is usual`)];
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
