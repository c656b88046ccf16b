/** `runtime.lora.blocks`: in which blocks of the model the adapters are. */
import { blockRanges, isUnreadable, type BlockRanges } from "../../block-ranges.ts";
import type { Finding } from "../../findings.ts";
import { finding, isFields } from "../conform.ts";
import type { LoraConfig, RunConfig } from "../run-config.ts";

const place = ["runtime", "lora", "blocks"];

/** The adapters that a run trains. */
export interface ChosenLora extends LoraConfig {
  /** The blocks whose layers get adapters; null: all layers that `target_modules` names, also those outside of blocks. */
  readonly blocks: BlockRanges | null;
}

/** The settings of the adapters; null in a full training. */
export function loraOf({ model, lora, runtime }: Pick<RunConfig, "model" | "lora" | "runtime">): ChosenLora | null {
  if (model.training_mode === "full" || lora === null) return null;
  const ranges = runtime.lora.blocks === null ? null : blockRanges(runtime.lora.blocks);
  return { ...lora, blocks: ranges === null || isUnreadable(ranges) ? null : ranges };
}

/** LTX6395 for what names no blocks, LTX6397 where the official trainer would put adapters into all of them. */
export function checkAdaptedBlocks({ runtime }: RunConfig): Finding[] {
  const { blocks } = runtime.lora;
  if (blocks === null) return [];
  const ranges = blockRanges(blocks);
  if (isUnreadable(ranges)) return [finding("LTX6395", place, ranges.message, ranges.help)];
  return runtime.engine === "ltx-trainer" ? blocksElsewhere({ runtime }) : [];
}

/** LTX6397 where a run config, as it was written, chooses blocks. */
export function blocksElsewhere(written: unknown): Finding[] {
  const chosen = place.reduce<unknown>((inner, key) => (isFields(inner) ? inner[key] : undefined), written);
  if (chosen == null) return [];
  const message = "the official trainer has no choice of blocks: it would train adapters in all of them";
  const help =
    "name the layers themselves in `lora.target_modules`, as in `transformer_blocks.24.attn1.to_k`, or train with `ltxc run` and another engine";
  return [finding("LTX6397", place, message, help)];
}
