/** The official strategy `flexible` as the text of a `.strategy` file with the same meaning, which users can change. */
import { jsonText } from "../../compiler/source/index.ts";
import type { FlexibleCondition, FlexibleModality, StrategyConfig } from "../../runtime/config/index.ts";
import { describe, type Modality } from "./description.ts";

interface Source {
  readonly name: string;
  readonly directory: string;
  readonly kind: string;
}

/** A modality and the sources of its conditions. */
interface Part {
  readonly modality: Modality;
  /** Conditions that keep a part of a generated modality clean, each with the source of its mask. */
  readonly kept: readonly Sourced[];
  readonly references: readonly Sourced[];
  readonly sources: readonly Source[];
}

interface Sourced {
  readonly condition: FlexibleCondition;
  /** Null where the condition reads no file. */
  readonly source: Source | null;
}

/** Name of the target's latents by modality. */
const targets = { video: "latents", audio: "audio_latents" } as const;

/** The text for a section that the run config's schema accepted; conditions without effect are left out. */
export function flexibleText(section: StrategyConfig, name: string): string {
  const parts = (["video", "audio"] as const).flatMap((name) => {
    const modality = section[name] as FlexibleModality | null;
    return modality === null ? [] : [partOf({ ...modality, name })];
  });
  const sources = [
    ...parts.map(({ modality }) => target(modality)),
    { name: "conditions", directory: "conditions", kind: "text_embeddings" },
    ...parts.flatMap((part) => part.sources),
  ];
  const blocks = [
    [`strategy: ${name}`, ...paragraph("description", describe(parts.map(({ modality }) => modality)))],
    ["sources:", ...sources.map(sourceLine)],
    ...parts.map((part) => modalityBlock(part, parts)),
    ["loss:", ...parts.filter(({ modality }) => modality.is_generated).map(lossLine)],
  ];
  return `${blocks.map((block) => block.join("\n")).join("\n\n")}\n`;
}

const target = ({ name, latents_dir }: Modality): Source => ({
  name: targets[name],
  directory: latents_dir,
  kind: `${name}_latents`,
});

/** Each reference has its own source; masks of the same directory share one. */
function partOf(modality: Modality): Part {
  const sources: Source[] = [];
  const prefix = modality.name === "video" ? "" : "audio_";
  const declare = (role: string, directory: string, kind: string): Source => {
    const count = sources.filter((source) => source.kind === kind).length;
    const source = { name: count === 0 ? `${prefix}${role}` : `${prefix}${role}_${count + 1}`, directory, kind };
    sources.push(source);
    return source;
  };
  const sourceFor = (condition: FlexibleCondition): Source | null => {
    if (condition.type === "reference") {
      return declare("reference", condition.latents_dir ?? "", `${modality.name}_latents`);
    }
    if (condition.type !== "mask") return null;
    const [directory, kind] = [condition.mask_dir ?? "", `${modality.name}_mask`];
    const known = sources.find((source) => source.kind === kind && source.directory === directory);
    return known ?? declare("keep_mask", directory, kind);
  };
  const isReference = ({ type }: FlexibleCondition) => type === "reference";
  const withSource = (condition: FlexibleCondition) => ({ condition, source: sourceFor(condition) });
  const kept = modality.is_generated ? modality.conditions.filter((condition) => !isReference(condition)) : [];
  const references = modality.conditions.filter(isReference);
  return { modality, kept: kept.map(withSource), references: references.map(withSource), sources };
}

function sourceLine({ name, directory, kind }: Source): string {
  return `  ${name}: {directory: ${scalar(directory)}, kind: ${kind}}`;
}

function lossLine({ modality: { name }, kept }: Part): string {
  const over = kept.length === 0 ? "" : ` over ${name}.generated`;
  return `  ${name}: mse(${name}.prediction, ${name}.target)${over}`;
}

// --------------------------------------------------------------------------------------------------------- modalities

/** An entry of a list, with a comment for its reader. */
interface Entry {
  readonly text: string;
  readonly comment: string | null;
}

function modalityBlock({ modality, kept, references }: Part, all: readonly Part[]): string[] {
  const { name, is_generated } = modality;
  const ownLevel = name === "audio" && all.every((part) => part.modality.is_generated) && all.length > 1;
  return [
    `${name}:`,
    `  latents: ${targets[name]}`,
    ...(is_generated ? [] : ["  # Given: clean, and without a loss.", "  generate: false"]),
    ...keepLines(kept.map(keepEntry)),
    ...referenceLines(references),
    ...(ownLevel ? ["  # Its noise level is drawn on its own; `sigma: video.sigma` would share the video's."] : []),
  ];
}

function keepLines(entries: readonly Entry[]): string[] {
  const [only] = entries;
  if (only === undefined) return [];
  const said = new Set<string | null>([null]);
  const commented = ({ text, comment }: Entry, head: string, indent: string) => {
    const isNew = !said.has(comment);
    said.add(comment);
    return [...(isNew ? [`${indent}# ${comment}`] : []), `${indent}${head}${text}`];
  };
  if (entries.length === 1) return commented(only, "keep: ", "  ");
  return ["  keep:", ...entries.flatMap((entry) => commented(entry, "- ", "    "))];
}

function keepEntry({ condition, source }: Sourced): Entry {
  const entry = maskOf(condition, source?.name ?? "");
  return { ...entry, text: `${entry.text}${chance(condition)}` };
}

function maskOf({ type, temporal_boundary, spatial_region = [] }: FlexibleCondition, mask: string): Entry {
  switch (type) {
    case "first_frame":
      return { text: type, comment: "A sample of a single frame, an image, is kept as a whole and has no loss." };
    case "spatial_crop":
      return { text: `crop(${spatial_region.join(", ")})`, comment: "y1, x1, y2, x2 in pixels" };
    case "mask":
      return { text: `${mask} > 0.5`, comment: "In its files 1 keeps and 0 generates." };
    default:
      return { text: `${type}(${temporal_boundary})`, comment: null };
  }
}

function referenceLines(references: readonly Sourced[]): string[] {
  if (references.length === 0) return [];
  const entries = references.map(({ condition, source }) => `    - ${source?.name}${chance(condition)}`);
  const order =
    references.length > 1 ? ["  # Each is put in front of what is there, so the last one comes first."] : [];
  return [...order, "  references:", ...entries];
}

/** Empty for a condition that always holds: it needs no draw. */
const chance = ({ probability }: FlexibleCondition): string =>
  probability === 1 ? "" : ` with probability ${probability}`;

// --------------------------------------------------------------------------------------------------------------- YAML

/** Text as a YAML scalar within braces, quoted if necessary. */
function scalar(text: string): string {
  const isPlain = /^[A-Za-z_][\w./-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return isPlain ? text : jsonText(text);
}

/** A key with its text, folded over several lines if it is long. */
function paragraph(key: string, text: string): string[] {
  const width = 120;
  if (key.length + text.length + 2 <= width) return [`${key}: ${text}`];
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + word.length >= width - 2) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return [`${key}: >-`, ...lines.map((line) => `  ${line}`)];
}
