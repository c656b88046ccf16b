/** What to write where a value has the shape that another format gives it. */
import type { YamlNode } from "../1-parse/tree.ts";
import { entryOf } from "../1-parse/tree.ts";

const kinds = "kinds are `video_latents`, `audio_latents`, `text_embeddings`, `video_mask`, `audio_mask` and `tensor`";

/** What to add where a key is missing, or null. */
export function missingAdvice([section, name]: readonly string[], key: string): string | null {
  if (section === "sources" && key === "kind") return `add \`kind:\`, e.g. \`kind: video_latents\`; ${kinds}`;
  if (section === "weights" && key === "like")
    return "add `like:` with the source of the captions, whose tokens are as wide: `like: conditions`";
  if (section === "weights" && key === "axes") return "add `axes: [text: 8, hidden]`, for eight tokens";
  if (section === "networks" && key === "architecture")
    return "add `architecture: ltx_video_decoder`, or a list of layers: `architecture: [conv 32, relu, conv 16]`";
  if (section === "sources" && key === "directory") return `add \`directory: ${name}\`, a folder below the data root`;
  return null;
}

/** What to write where a number is too large or too small, or null. */
export function rangeAdvice([section, , key]: readonly string[]): string | null {
  return section === "datasets" && key === "share"
    ? "a share is a part of every batch, such as 0.5; one data set has none and gets what is left"
    : null;
}

/** What is written for a value that this format writes in one line, or null. `root`: the whole strategy. */
export function shapeAdvice(path: readonly string[], node: YamlNode, root: YamlNode): string | null {
  const [section = "", name = "", ...more] = path;
  if (node.kind === "sequence" && name === "" && Object.hasOwn(sampleOf, section)) return namedEntries(section, node);
  const assigned = node.kind === "scalar" && name === "" ? /^\s*(\w+)\s*:?=\s*(.+)$/.exec(node.text) : null;
  if (assigned !== null) return `a name is followed by a colon: write \`${assigned[1]}: ${assigned[2]}\``;
  if (section === "loss") return lossAdvice(path, node);
  if (section === "expect") return expectedAdvice(node);
  if (section === "outputs" && more[0] === "tap" && node.kind === "scalar" && /^-?\d+$/.test(node.text))
    return `write \`block ${node.text}\``;
  if (section === "sources" && more[0] === "range" && node.kind === "scalar") return "write a list: `[0, 1]`";
  if (section === "weights") return weightsAdvice(more[0] ?? "");
  if (section === "networks" && more.length === 1) return networkAdvice(more[0] ?? "");
  if (section === "sources" && name !== "" && more.length === 0 && isText(node))
    return `write \`${name}: {directory: ${node.text}, kind: …}\`; ${kinds}`;
  if (section === "params" && name !== "" && more.length === 0 && node.kind === "scalar")
    return `write \`${name}: {type: ${typeOf(node.value)}, default: ${node.text}}\``;
  if ((section === "video" || section === "audio") && name === "")
    return `write \`latents:\` below it, with the name of a source of kind \`${section}_latents\``;
  if (section !== "video" && section !== "audio") return null;
  if (name === "references" && isText(node)) return referencesAdvice(section, node.text, root);
  return (name === "references" && more.length === 0 ? referenceList(node) : null) ?? entryAdvice(name, node);
}

/** A reference needs a source of its own. */
function referencesAdvice(modality: string, text: string, root: YamlNode): string {
  const target = textOf(entryOf(entryOf(root, modality)?.value, "latents")?.value);
  if (text !== target) return `write a list: \`references: [${text}]\``;
  return `\`${text}\` is the target itself. Declare one more source, \`ref: {directory: …, kind: ${modality}_latents}\`, and write \`references: [ref]\``;
}

/** What an entry of a section may be, where the file itself does not say it. */
const sampleOf: Readonly<Record<string, string>> = {
  let: "…",
  params: "{type: number, default: 1}",
  sources: "{directory: …, kind: …}",
  datasets: "{root: …, share: 0.5}",
  passes: "{adapters: false}",
  outputs: "{tap: block 12, modality: video}",
  weights: "{axes: [text: 8, hidden], like: conditions}",
  networks: "{architecture: ltx_video_decoder}",
  imports: '{from: ./name.ts, type: "(a: tokens:video) -> f32[batch]"}',
};

/** `- inpaint: …`, `- name: inpaint` or `- inpaint` instead of `inpaint: …` */
function namedEntries(section: string, { items }: Extract<YamlNode, { kind: "sequence" }>): string {
  const [item] = items;
  const [first] = item?.kind === "mapping" ? item.entries : [];
  const named = textOf(entryOf(item, "name")?.value) ?? (item?.kind === "scalar" ? item.text : null);
  const name = named ?? first?.key ?? "name";
  const isWritten = named === null && first?.value.kind === "scalar";
  const value = isWritten && first.value.kind === "scalar" ? first.value.text : (sampleOf[section] ?? "…");
  return `leave \`- \` out: each entry is a name and a value, \`${name}: ${value}\``;
}

function weightsAdvice(key: string): string | null {
  return key === "axes" ? "write `axes: [text: 8, hidden]`, for eight tokens" : null;
}

function networkAdvice(key: string): string | null {
  return key === "window" ? "write `window: {frames: 2, height: 8, width: 8}`, in latent cells" : null;
}

/** One reference, or references by their names, where a list of them should be. */
function referenceList(node: YamlNode): string | null {
  if (node.kind !== "mapping") return null;
  if (entryOf(node, "source") !== null) return "write it behind `- `: references are a list";
  const [first] = node.entries;
  const rest = first?.value.kind === "mapping" ? first.value.entries : [];
  const more = rest.map(({ key, value }) => `, ${key}: ${textOf(value) ?? "…"}`).join("");
  return first === undefined
    ? null
    : `references are a list: write \`- {source: ${first.key}${more}}\` on a line of its own`;
}

/** `{value: mean(video.sigma), about: 0.5}` */
function expectedAdvice(node: YamlNode): string | null {
  if (node.kind !== "mapping") return null;
  const about = textOf(entryOf(node, "about")?.value);
  const within = textOf(entryOf(node, "within")?.value);
  const [value] = node.entries.filter(({ key }) => key !== "about" && key !== "within");
  const written = textOf(value?.value);
  if (about !== null && written !== null)
    return `write \`${written} about ${about}${within === null ? "" : ` within ${within}`}\``;
  return node.entries.length === 1 && value !== undefined && written !== null
    ? `write \`- ${value.key} about ${written}\` on a line of its own`
    : null;
}

function lossAdvice([, term]: readonly string[], node: YamlNode): string | null {
  if (term !== undefined)
    return node.kind === "scalar" ? null : `write the term itself: \`${term}: mse(video.prediction, video.target)\``;
  return node.kind === "sequence"
    ? "give each term a name: `video: mse(video.prediction, video.target)`, without `- `"
    : null;
}

function entryAdvice(key: string, node: YamlNode): string | null {
  if (node.kind === "sequence" && key === "sigma" && node.items.length === 2) {
    const [low, high] = node.items.map((item) => (item.kind === "scalar" ? item.text : ""));
    return `write \`uniform(${low}, ${high})\` for levels between the two`;
  }
  if (node.kind !== "mapping") return null;
  const probability = textOf(entryOf(node, "probability")?.value ?? entryOf(node, "p")?.value);
  const [only] = ["references", "keep", "noise_mask", "text"].includes(key) ? node.entries : [];
  if (
    only !== undefined &&
    node.entries.length === 1 &&
    only.value.kind === "scalar" &&
    typeof only.value.value === "number"
  )
    return `write \`- ${only.key} with probability ${only.value.text}\` on a line of its own below \`${key}:\``;
  const mask = textOf(node.entries.find(({ key }) => !["probability", "p"].includes(key))?.value);
  return probability === null || mask === null ? null : `write \`${mask} with probability ${probability}\``;
}

const isText = (node: YamlNode): node is Extract<YamlNode, { kind: "scalar" }> =>
  node.kind === "scalar" && typeof node.value === "string" && /^[\w./${}-]+$/.test(node.text);

const textOf = (node: YamlNode | null | undefined): string | null => (node?.kind === "scalar" ? node.text : null);

function typeOf(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value === "boolean" ? "boolean" : "string";
}
