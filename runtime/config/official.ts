/** The strategies of the official trainer, as sections of a run config: what the schema alone cannot say of them. */
import type { Finding } from "../contract.ts";
import { isBelow } from "../data/directories.ts";
import { finding, warning } from "./conform.ts";
import type { FlexibleModality, RunConfig, StrategyConfig } from "./run-config.ts";

const place = "training_strategy";

/** What the official trainer refuses of its strategies beyond their single fields, and what it would ignore in silence. */
export function checkOfficialStrategy(config: RunConfig): Finding[] {
  switch (config.training_strategy.name) {
    case "flexible":
      return checkFlexible(config.training_strategy);
    case "video_to_video":
      return checkVideoToVideo(config);
    default:
      return [];
  }
}

const modalityNames = ["video", "audio"] as const;

function checkFlexible(section: StrategyConfig): Finding[] {
  const present = modalityNames.flatMap((name) => {
    const modality = section[name] as FlexibleModality | null;
    return modality === null ? [] : [{ name, modality }];
  });
  const findings = present.flatMap(({ name, modality }) => [
    ...checkDirectories(modality, [place, name]),
    ...(modality.is_generated ? [] : withoutEffect(modality, [place, name])),
  ]);
  if (present.some(({ modality }) => modality.is_generated)) return findings;
  const help = "write `is_generated: true` under `video` or `audio`";
  return [...findings, finding("LTX6008", [place], "nothing is generated, so there is nothing to learn", help)];
}

/** Directories that no strategy can name: those outside of the data root, and what would read as a parameter. */
function checkDirectories({ latents_dir, conditions }: FlexibleModality, path: Finding["path"]): Finding[] {
  const named: [Finding["path"], string | undefined][] = [[[...path, "latents_dir"], latents_dir]];
  conditions.forEach((condition, i) => {
    const key = condition.type === "mask" ? "mask_dir" : "latents_dir";
    named.push([[...path, "conditions", i, key], condition[key]]);
  });
  return named.flatMap(([place, directory]) =>
    directory === undefined || (isBelow(directory) && !directory.includes("${"))
      ? []
      : [finding("LTX6122", place, `\`${directory}\` is not below the data root`, "write a path such as `latents`")],
  );
}

/** The official trainer passes over them, too, but looks for the files of masks, which are not needed here. */
function withoutEffect({ conditions }: FlexibleModality, path: Finding["path"]): Finding[] {
  return conditions.flatMap(({ type }, i) => {
    if (type === "reference") return [];
    const message = `\`${type}\` has no effect where nothing is generated: all of it is clean`;
    const help = "remove the condition; or, if this is to be generated, write `is_generated: true`";
    return [warning("LTX6006", [...path, "conditions", i, "type"], message, help)];
  });
}

function checkVideoToVideo({ model, validation }: RunConfig): Finding[] {
  const findings: Finding[] = [];
  const references = validation.samples.some(({ conditions }) => conditions.some(({ type }) => type === "reference"));
  if (validation.interval !== null && !references && validation.reference_videos === null) {
    const help = "give a sample a condition `type: reference`, or write `interval: null`";
    const message = "`video_to_video` can be sampled with a reference only, and no sample has one";
    findings.push(finding("LTX6008", ["validation", "samples"], message, help));
  }
  if (model.training_mode !== "lora") {
    const message = "`video_to_video` trains a LoRA, not the whole model";
    findings.push(finding("LTX6008", ["model", "training_mode"], message, "write `training_mode: lora`"));
  }
  return findings;
}
