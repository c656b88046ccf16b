import type { Finding } from "../../findings.ts";
import { finding, warning } from "../conform.ts";
import { drawableSamples, type DrawableSample } from "./drawable.ts";
import { mediaOf } from "../paths.ts";
import type { RunConfig, ValidationCondition } from "../run-config.ts";

export type Modality = "video" | "audio";

type Rule =
  | { readonly needs: readonly ("image_or_video" | "video" | "audio" | "mask")[]; readonly modality: Modality }
  /** Exactly one of video and audio, and with `mask` also a mask. */
  | { readonly needs: "either"; readonly mask?: true };

const rules: Readonly<Record<ValidationCondition["type"], Rule>> = {
  first_frame: { needs: ["image_or_video"], modality: "video" },
  prefix: { needs: "either" },
  suffix: { needs: "either" },
  spatial_crop: { needs: ["video"], modality: "video" },
  mask: { needs: "either", mask: true },
  reference: { needs: "either" },
  video_to_audio: { needs: ["video"], modality: "video" },
  audio_to_video: { needs: ["audio"], modality: "audio" },
};

/** What a condition's type uses besides its files. */
const options: Readonly<Partial<Record<ValidationCondition["type"], readonly (keyof ValidationCondition)[]>>> = {
  prefix: ["num_frames", "duration"],
  suffix: ["num_frames", "duration"],
  spatial_crop: ["spatial_region"],
  reference: ["downscale_factor", "temporal_scale_factor", "include_in_output"],
};

/** What a condition is about. */
export function modalityOf(condition: ValidationCondition): Modality {
  const rule = rules[condition.type];
  if (rule.needs !== "either") return rule.modality;
  return condition.audio === undefined ? "video" : "audio";
}

/** The modality that a sample is given whole, so that only the other one is generated; null if there is none. */
export function frozenModality({ conditions }: Pick<DrawableSample, "conditions">): Modality | null {
  if (conditions.some(({ type }) => type === "video_to_audio")) return "video";
  return conditions.some(({ type }) => type === "audio_to_video") ? "audio" : null;
}

/** Samples without a caption, and conditions that lack a file or contradict each other. */
export function checkSamples(config: RunConfig): Finding[] {
  const empty = config.validation.samples.flatMap(({ prompt, conditions_file }, i) => {
    const help = "write `conditions_file:` with a file of `conditions/`";
    const path = ["validation", "samples", i];
    const isEmpty = prompt === null && conditions_file === null;
    return isEmpty ? [finding("LTX6004", path, "a sample needs `conditions_file` or `prompt`", help)] : [];
  });
  return [...empty, ...drawableSamples(config).flatMap((sample) => [...checkSample(sample), ...unused(sample)])];
}

/** Fields that another type of condition would use. */
function unused({ conditions, index }: DrawableSample): Finding[] {
  return conditions.flatMap((condition, i) => {
    const { type } = condition;
    const rule = rules[type];
    const files = rule.needs === "either" ? ["video", "audio", ...(rule.mask === true ? ["mask"] : [])] : rule.needs;
    const known: readonly string[] = ["type", ...files, ...(options[type] ?? [])];
    return Object.keys(condition)
      .filter((key) => !known.includes(key))
      .map((key) => {
        const path = ["validation", "samples", index, "conditions", i, key];
        return warning("LTX6006", path, `\`${key}\` has no effect on a \`${type}\``, "remove it");
      });
  });
}

function checkSample(sample: DrawableSample): Finding[] {
  const place = (i: number): Finding["path"] => ["validation", "samples", sample.index, "conditions", i];
  const each = sample.conditions.flatMap((condition, i) =>
    [missingFile(condition), emptyRegion(condition)].flatMap((what) =>
      what === null ? [] : [finding("LTX6008", place(i), what)],
    ),
  );
  return each.length > 0 ? each : checkFrozen(sample, place);
}

function missingFile(condition: ValidationCondition): string | null {
  const rule = rules[condition.type];
  const given = mediaOf(condition).map(({ key }) => key);
  const needed = rule.needs === "either" ? (rule.mask === true ? ["mask"] : []) : rule.needs;
  const missing = needed.filter((key) => !given.some((name) => name === key));
  if (missing.length > 0) return `a \`${condition.type}\` needs \`${missing.join("` and `")}\``;
  if (rule.needs !== "either") return null;
  const media = given.filter((key) => key === "video" || key === "audio");
  return media.length === 1 ? null : `a \`${condition.type}\` needs exactly one of \`video\` and \`audio\``;
}

function emptyRegion({ type, spatial_region: region }: ValidationCondition): string | null {
  if (type !== "spatial_crop") return null;
  const [top = 0, left = 0, bottom = 0, right = 0] = region ?? [];
  if (region === undefined) return "a `spatial_crop` needs `spatial_region: [y1, x1, y2, x2]`";
  return top >= 0 && left >= 0 && bottom > top && right > left
    ? null
    : `\`spatial_region\` [${region.join(", ")}] is empty: it is y1, x1, y2, x2 in pixels`;
}

/** What is given whole takes no further conditions. */
function checkFrozen(sample: DrawableSample, place: (i: number) => Finding["path"]): Finding[] {
  const frozen = frozenModality(sample);
  if (frozen === null) return [];
  return sample.conditions.flatMap((condition, i) => {
    const isFreezing = condition.type === "video_to_audio" || condition.type === "audio_to_video";
    const about = modalityOf(condition);
    if (isFreezing === (about === frozen)) return [];
    const what = isFreezing
      ? "`video_to_audio` and `audio_to_video` together leave nothing to generate"
      : `the ${frozen} is given whole, so \`${condition.type}\` has nothing to do`;
    return [finding("LTX6008", place(i), what, "remove one of the two")];
  });
}
