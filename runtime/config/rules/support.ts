import type { Finding } from "../../findings.ts";
import { finding, warning } from "../conform.ts";
import { obstaclesOf } from "./drawable.ts";
import type { RunConfig } from "../run-config.ts";

/** What the official format knows and this version does not do: reported before the run, never ignored silently. */
export function checkSupport(config: RunConfig): Finding[] {
  // The official trainer does what its format says.
  if (config.runtime.engine === "ltx-trainer") return [];
  return [...changesTheResult(config), ...leftOut(config)];
}

/** Settings that would train something other than what was asked for: errors. */
function changesTheResult({ acceleration: { quantization }, runtime, model }: RunConfig): Finding[] {
  if (quantization === null) return [];
  const path = ["acceleration", "quantization"];
  if (quantization === "int2-quanto" || quantization === "fp8uz-quanto") {
    const help = "write `int8-quanto`, `fp8-quanto` or `int4-quanto`, or `null`";
    return [finding("LTX6005", path, `\`quantization: ${quantization}\` is not supported in this version`, help)];
  }
  if (model.training_mode === "full")
    return [finding("LTX6393", path, "a full training has no frozen weights that could be quantized", "write `null`")];
  if (runtime.engine === "torch") return [];
  const message = `the engine ${runtime.engine} does not compute with quantized weights`;
  return [finding("LTX6393", path, message, "write `engine: torch` below `runtime`, or `quantization: null`")];
}

/** Whether it applies, the setting, why it has no effect, and what to do. */
type Entry = readonly [boolean, Finding["path"], string, string];

function ofAdapters({ model, lora, runtime }: RunConfig): readonly Entry[] {
  const isFull = model.training_mode === "full";
  const why = "a full training has no adapters";
  return [
    [isFull && lora !== null, ["lora"], why, "remove the section, or write `training_mode: lora`"],
    [
      isFull && runtime.lora.blocks !== null,
      ["runtime", "lora", "blocks"],
      why,
      "remove the line, or write `training_mode: lora`",
    ],
  ];
}

/** Settings that ask for something besides the training, or for less memory: the run goes on without. */
function leftOut(config: RunConfig): Finding[] {
  const { validation, optimization, acceleration, hub, wandb, runtime } = config;
  const { mixed_precision_mode: precision } = acceleration;
  const entries: readonly Entry[] = [
    ...ofAdapters(config),
    [
      optimization.scheduler_type === "constant" && Object.keys(optimization.scheduler_params).length > 0,
      ["optimization", "scheduler_params"],
      "a constant rate has no parameters",
      "remove the line",
    ],
    [precision === "fp16", ["acceleration", "mixed_precision_mode"], "numbers are computed in float32", "write `no`"],
    [
      acceleration.load_text_encoder_in_8bit,
      ["acceleration", "load_text_encoder_in_8bit"],
      "no text encoder is loaded",
      "remove the line",
    ],
    [
      acceleration.offload_optimizer_during_validation,
      ["acceleration", "offload_optimizer_during_validation"],
      "the optimizer's state stays where it is",
      "remove the line",
    ],
    [
      hub.push_to_hub,
      ["hub", "push_to_hub"],
      "nothing is uploaded",
      "upload the file of `checkpoints/` when the run is done",
    ],
    [
      wandb.enabled,
      ["wandb", "enabled"],
      "metrics are not sent anywhere",
      "they are in `metrics.jsonl` in `output_dir`",
    ],
    [
      runtime.provider !== "auto" && !["auto", "onnx", "torch"].includes(runtime.engine),
      ["runtime", "provider"],
      `only the engines \`onnx\` and \`torch\` have a choice, not \`${runtime.engine}\``,
      "write `engine: auto`, or remove the line",
    ],
    [
      runtime.threads !== null,
      ["runtime", "threads"],
      "the engines choose their threads themselves",
      "remove the line",
    ],
  ];
  const settings = entries.flatMap(([applies, path, consequence, help]) =>
    applies ? [warning("LTX6006", path, `this has no effect in this version: ${consequence}`, help)] : [],
  );
  return [...settings, ...notDrawn(validation)];
}

/** Samples that need a text encoder or an autoencoder. */
function notDrawn({ samples, interval }: RunConfig["validation"]): Finding[] {
  if (interval === null) return [];
  const obstacles = samples.flatMap(obstaclesOf);
  // All prompts have the same one, which need not be said of each.
  const distinct = obstacles.filter(({ reason }, i) => obstacles.findIndex((other) => other.reason === reason) === i);
  return distinct.map(({ path, reason, help }) => {
    const count = obstacles.filter((other) => other.reason === reason).length;
    const subject = count === 1 ? "this sample is" : `${count} samples are`;
    return warning("LTX6006", path, `${subject} not drawn: ${reason}`, help);
  });
}
