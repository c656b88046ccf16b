import { readTransformerConfig, type ModelType } from "../../../runtime/model/config.ts";
import { transformerLayout } from "../../../runtime/model/layout.ts";
import { matchTargets } from "../../../runtime/model/lora.ts";
import { FindingsError } from "../../../runtime/findings.ts";
import type { Case, Manifest } from "../../case.ts";

/** Which linear layers each list of targets chooses. */
export function replayTargets({ manifest }: Case): string[] {
  return (manifest["items"] as Manifest[]).flatMap((item, i) =>
    replayItem(item).map((reason) => `items[${i}]: ${reason}`),
  );
}

function replayItem(item: Manifest): string[] {
  const type =
    ({ av: "audio-video", video: "video-only", audio: "audio-only" } as Readonly<Record<string, ModelType>>)[
      item["model"]
    ] ?? "audio-video";
  const { config } = readTransformerConfig(item["config"].transformer, type);
  if (config === null) return ["its config is refused"];
  const matched = match(transformerLayout(config), item["target_modules"]);
  const refused = item["matched"].length === 0 || item["matched_non_linear"].length > 0;
  if (matched === null || refused)
    return (matched === null) === refused ? [] : [`should ${refused ? "" : "not "}be refused`];
  const expected = [...item["matched"]].toSorted();
  return matched.toSorted().join() === expected.join()
    ? []
    : [`matches ${matched.join()}, expected ${expected.join()}`];
}

function match(layout: Parameters<typeof matchTargets>[0], targets: readonly string[]): string[] | null {
  try {
    return matchTargets(layout, targets).targets.map(({ module }) => module);
  } catch (error) {
    if (error instanceof FindingsError) return null;
    throw error;
  }
}
