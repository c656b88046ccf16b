/** Two things of one kind that have changed places, or that share what they cannot share. */
import type { Binding, CheckedSource } from "../checked.ts";
import type { Core } from "../core.ts";
import { allNodes } from "../dependencies.ts";
import type { ModalityContext } from "../modality.ts";
import type { Report } from "../report.ts";

type Bindings = ReadonlyMap<string, Binding>;

/** `prefix(count)` of video and of audio with one `count`: it counts latent frames in one and latent steps in the other. */
export function framesAndSteps(contexts: readonly ModalityContext[], bindings: Bindings, report: Report): void {
  const [video, audio] = (["video", "audio"] as const).map((name) => {
    const core = bindings.get(`${name}.keep`)?.core;
    return core === undefined ? new Map<string, Core>() : counts(core, bindings);
  });
  const audioSyntax = contexts.find(({ syntax }) => syntax.name === "audio")?.syntax;
  for (const [name, core] of audio ?? []) {
    const other = video?.get(name);
    const span = core.span ?? (audioSyntax?.keep ?? audioSyntax?.noiseMask)?.span;
    if (other === undefined || span === undefined) continue;
    const labels = other.span === null ? [] : [{ span: other.span, message: "here it counts latent frames of video" }];
    report.warning(
      "LTX5045",
      span,
      `\`${name}\` counts latent steps of audio here, which are much shorter than frames`,
      {
        labels,
        help: `give audio a parameter of its own, or compare times: \`time < 1\` is the first second of either`,
      },
    );
  }
}

/** Parameters that a mask compares with the index of a frame or step. */
function counts(core: Core, bindings: Bindings): Map<string, Core> {
  const found = new Map<string, Core>();
  for (const node of allNodes(core, bindings)) {
    if (node.op !== "map" || (node.fn !== "less" && node.fn !== "lessEqual")) continue;
    const [index, limit] = node.args;
    const isIndex = index !== undefined && [...allNodes(index, bindings)].some(isIndexOf);
    if (isIndex && limit?.op === "param") found.set(limit.name, node);
  }
  return found;
}

const isIndexOf = (node: Core): boolean =>
  node.op === "coordinate" && (node.coordinate === "frame_index" || node.coordinate === "step_index");

/** A target whose files are called references, next to a reference whose files are the plain latents. */
export function targetIsReference(
  contexts: readonly ModalityContext[],
  sources: readonly CheckedSource[],
  report: Report,
): void {
  const directoryOf = (name: string) => sources.find((source) => source.name === name)?.directory ?? "";
  for (const { syntax, latents, references } of contexts) {
    if (syntax.latents === null || !/(^|_)(reference|ref|control|condition)/.test(directoryOf(latents))) continue;
    const plain = references.find(({ source }) => /^(audio_|video_|target_)?latents$/.test(directoryOf(source)));
    if (plain === undefined) continue;
    report.warning(
      "LTX5046",
      syntax.latents.value.span,
      `\`${latents}\` is what the model learns to generate, and \`${plain.source}\` its reference`,
      {
        labels: [{ span: plain.item.span, message: "the reference" }],
        help: `if they have changed places, write \`latents: ${plain.source}\` and list \`${latents}\` in \`references\``,
      },
    );
  }
}
