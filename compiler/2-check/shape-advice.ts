/** What to write where a value has the shape that another format gives it. */
import type { YamlNode } from "../1-parse/tree.ts";
import { entryOf } from "../1-parse/tree.ts";

const kinds = "kinds are `video_latents`, `audio_latents`, `text_embeddings`, `video_mask`, `audio_mask` and `tensor`";

/** What to add where a key is missing, or null. */
export function missingAdvice([section, name]: readonly string[], key: string): string | null {
  if (section === "sources" && key === "kind") return `add \`kind:\`, e.g. \`kind: video_latents\`; ${kinds}`;
  if (section === "sources" && key === "directory") return `add \`directory: ${name}\`, a folder below the data root`;
  return null;
}

/** What is written for a value that this format writes in one line, or null. `root`: the whole strategy. */
export function shapeAdvice(path: readonly string[], node: YamlNode, root: YamlNode): string | null {
  const [section = "", name = "", ...more] = path;
  if (node.kind === "sequence" && name === "" && ["let", "params", "sources", "outputs", "imports"].includes(section))
    return namedEntries(node);
  const assigned = node.kind === "scalar" && name === "" ? /^\s*(\w+)\s*:?=\s*(.+)$/.exec(node.text) : null;
  if (assigned !== null) return `a name is followed by a colon: write \`${assigned[1]}: ${assigned[2]}\``;
  if (section === "loss") return lossAdvice(path, node);
  if (section === "sources" && name !== "" && more.length === 0 && isText(node))
    return `write \`${name}: {directory: ${node.text}, kind: …}\`; ${kinds}`;
  if (section === "params" && name !== "" && more.length === 0 && node.kind === "scalar")
    return `write \`${name}: {type: ${typeOf(node.value)}, default: ${node.text}}\``;
  if ((section === "video" || section === "audio") && name === "")
    return `write \`latents:\` below it, with the name of a source of kind \`${section}_latents\``;
  if (section !== "video" && section !== "audio") return null;
  return name === "references" && isText(node) ? referencesAdvice(section, node.text, root) : entryAdvice(name, node);
}

/** A reference needs a source of its own. */
function referencesAdvice(modality: string, text: string, root: YamlNode): string {
  const target = textOf(entryOf(entryOf(root, modality)?.value, "latents")?.value);
  if (text !== target) return `write a list: \`references: [${text}]\``;
  return `\`${text}\` is the target itself. Declare one more source, \`ref: {directory: …, kind: ${modality}_latents}\`, and write \`references: [ref]\``;
}

/** `- inpaint: …` instead of `inpaint: …` */
function namedEntries(node: Extract<YamlNode, { kind: "sequence" }>): string {
  const [first] = node.items.flatMap((item) => (item.kind === "mapping" ? item.entries : []));
  const value = first?.value.kind === "scalar" ? first.value.text : "…";
  return `leave \`- \` out: each entry is a name and a value, \`${first?.key ?? "name"}: ${value}\``;
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
