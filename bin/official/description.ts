/** Describes in a sentence what a section of the official strategy `flexible` does. */
import type { FlexibleCondition, FlexibleModality } from "../../runtime/config/index.ts";

type ModalityName = "video" | "audio";

export interface Modality extends FlexibleModality {
  readonly name: ModalityName;
}

/** e.g. "Generate video from text, given its audio and the first frame (50 % of the samples)." */
export function describe(modalities: readonly Modality[]): string {
  const generated = modalities.filter((modality) => modality.is_generated);
  const given = modalities.flatMap((modality) => [
    ...(modality.is_generated ? [] : [`its ${modality.name}`]),
    ...modality.conditions
      .filter(({ type }) => modality.is_generated || type === "reference")
      .map((condition) => `${wordsFor[condition.type](condition, modality.name)}${share(condition)}`),
  ]);
  const what = `Generate ${list(generated.map(({ name }) => name))} from text`;
  return given.length === 0 ? `${what}.` : `${what}, given ${list(given)}.`;
}

const wordsFor: Readonly<
  Record<FlexibleCondition["type"], (condition: FlexibleCondition, of: ModalityName) => string>
> = {
  first_frame: () => "the first frame",
  prefix: (condition, of) => `the first ${extent(condition, of)}`,
  suffix: (condition, of) => `the last ${extent(condition, of)}`,
  spatial_crop: () => "a rectangle of the picture",
  mask: (_, of) => `what a mask marks of the ${of}`,
  reference: (_, of) => (of === "video" ? "a reference video" : "a reference of the audio"),
};

function extent({ temporal_boundary: count = 1 }: FlexibleCondition, of: ModalityName): string {
  const unit = of === "video" ? "latent frame" : "audio step";
  return count === 1 ? unit : `${count} ${unit}s`;
}

function share({ type, probability }: FlexibleCondition): string {
  const percent = Number((probability * 100).toPrecision(6));
  return probability === 1 ? "" : ` (${percent} % of the ${type === "reference" ? "batches" : "samples"})`;
}

const list = (items: readonly string[]): string =>
  items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
