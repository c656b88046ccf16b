import type { RunConfig } from "../config/run-config.ts";
import { FindingsError, type Finding } from "../findings.ts";
import type { ExaminedModel } from "../model/checkpoint.ts";

/**
 * Judges settings that a checkpoint in 8 bits leaves no room for. Returns the model, with a warning, LTX6615, where it should be
 * quantized once more.
 * @throws FindingsError LTX6399 where its weights are to be trained
 */
export function checkFp8({ model, acceleration }: RunConfig, examined: ExaminedModel): ExaminedModel {
  if (!examined.isFp8) return examined;
  if (model.training_mode === "full") {
    const message = `the weights in ${model.model_path} are in 8 bits, too coarse to be trained themselves`;
    const help = "write `training_mode: lora`, or take the checkpoint with numbers of 16 bits";
    throw new FindingsError([{ code: "LTX6399", severity: "error", path: ["model", "model_path"], message, help }]);
  }
  if (acceleration.quantization === null) return examined;
  const path = ["acceleration", "quantization"];
  const message = `${model.model_path} is in 8 bits already; its weights are taken as they are`;
  const found: Finding = { code: "LTX6615", severity: "warning", path, message, help: "write `quantization: null`" };
  return { ...examined, warnings: [...examined.warnings, found] };
}
