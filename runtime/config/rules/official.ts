/** The strategies of the official trainer, as sections of a run config: what the schema alone cannot say of them. */
import type { Finding } from "../../findings.ts";
import { isBelow } from "../../data/directories.ts";
import { finding, warning } from "../conform.ts";
import type { FlexibleModality, RunConfig, StrategyConfig } from "../run-config.ts";

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

/** The modalities of `flexible` that are there. */
function modalitiesOf(section: StrategyConfig) {
  return (["video", "audio"] as const).flatMap((name) => {
    const modality = section[name] as FlexibleModality | null;
    return modality === null ? [] : [{ modality, path: [place, name] }];
  });
}

/** `section` is one that fits the schema. */
export function checkFlexible(section: StrategyConfig): Finding[] {
  const modalities = modalitiesOf(section);
  const findings = [
    ...directoriesOf(section).flatMap(checkDirectory),
    ...modalities.flatMap(({ modality, path }) => (modality.is_generated ? [] : withoutEffect(modality, path))),
  ];
  if (modalities.some(({ modality }) => modality.is_generated)) return findings;
  const help = "write `is_generated: true` under `video` or `audio`";
  return [...findings, finding("LTX6008", [place], "nothing is generated, so there is nothing to learn", help)];
}

/** A directory that the section itself names, and where. */
interface NamedDirectory {
  readonly directory: string;
  readonly path: Finding["path"];
}

/** The directories that a section of `flexible` names; none for the others, which name theirs by parameters. */
export function directoriesOf(section: StrategyConfig): NamedDirectory[] {
  if (section.name !== "flexible") return [];
  return modalitiesOf(section).flatMap(({ modality: { latents_dir, conditions }, path }) => [
    { directory: latents_dir, path: [...path, "latents_dir"] },
    ...conditions.flatMap((condition, i) => {
      const key = condition.type === "mask" ? "mask_dir" : "latents_dir";
      const directory = condition[key];
      return directory === undefined ? [] : [{ directory, path: [...path, "conditions", i, key] }];
    }),
  ]);
}

/** Refuses what no strategy can name: directories outside of the data root, and what would read as a parameter. */
function checkDirectory({ directory, path }: NamedDirectory): Finding[] {
  if (isBelow(directory) && !directory.includes("${")) return [];
  return [finding("LTX6122", path, `\`${directory}\` is not below the data root`, "write a path such as `latents`")];
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
