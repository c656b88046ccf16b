import type { ModalityContext } from "../modality.ts";
import type { Report } from "../report.ts";

/** References keep the frames per second of their own files: with others for the target their times would drift apart. */
export function fpsWithReferences({ syntax, latents }: ModalityContext, report: Report): void {
  const { fps, references } = syntax;
  if (fps === null || references === null) return;
  const { value } = fps;
  const isOwn = value.kind === "member" && value.object.kind === "name" && value.object.name === latents;
  if (isOwn) return;
  report.error("LTX5023", fps.keySpan, "with `references`, the frames per second are those of the files", {
    labels: [{ span: references.keySpan, message: "these keep their own" }],
    help: "remove `fps`; a file without frames per second counts as 24",
  });
}
