/** What to write where a value has the shape that another format gives it. */
import type { YamlNode } from "../1-parse/tree.ts";
import { entryOf } from "../1-parse/tree.ts";

/** What is written for a value that this format writes in one line, or null. */
export function shapeAdvice(path: readonly string[], node: YamlNode): string | null {
  const [section = "", name = "", ...more] = path;
  if (section === "loss") return lossAdvice(path, node);
  if (section === "sources" && name !== "" && more.length === 0 && isText(node))
    return `write \`${name}: {directory: ${node.text}, kind: …}\`; kinds are \`video_latents\`, \`audio_latents\`, \`text_embeddings\`, \`video_mask\`, \`audio_mask\` and \`tensor\``;
  if (section === "params" && name !== "" && more.length === 0 && node.kind === "scalar")
    return `write \`${name}: {type: ${typeOf(node.value)}, default: ${node.text}}\``;
  if ((section === "video" || section === "audio") && name === "")
    return `write \`latents:\` below it, with the name of a source of kind \`${section}_latents\``;
  return section === "video" || section === "audio" ? entryAdvice(name, node) : null;
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
  const mask = textOf(node.entries.find(({ key }) => !["probability", "p"].includes(key))?.value);
  return probability === null || mask === null ? null : `write \`${mask} with probability ${probability}\``;
}

const isText = (node: YamlNode): node is Extract<YamlNode, { kind: "scalar" }> =>
  node.kind === "scalar" && typeof node.value === "string" && /^[\w./${}-]+$/.test(node.text);

const textOf = (node: YamlNode | undefined): string | null => (node?.kind === "scalar" ? node.text : null);

function typeOf(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value === "boolean" ? "boolean" : "string";
}
