import { readTransformerConfig, type ModelType } from "../../../runtime/model/config.ts";
import type { Case, Manifest } from "../../case.ts";

const modelTypes: Readonly<Record<string, ModelType>> = {
  LTXModelConfigurator: "audio-video",
  LTXVideoOnlyModelConfigurator: "video-only",
  LTXAudioOnlyModelConfigurator: "audio-only",
};

/** The model type that a case's or an item's configurator builds. */
export function modelTypeOf({ configurator }: Manifest): ModelType {
  const type = modelTypes[configurator];
  if (type === undefined) throw new Error(`no model is built by ${configurator}`);
  return type;
}

/** Replays configurations that are accepted or refused; of a refusal only its kind counts, that of its first reason. */
export function configErrors({ manifest }: Case): string[] {
  return (manifest["items"] as Manifest[]).flatMap((item) => {
    const { findings } = readTransformerConfig(item["config"].transformer, modelTypeOf(item));
    const [first] = findings;
    const kind = first === undefined ? null : first.code === "LTX6202" ? "KeyError" : "ValueError";
    return kind === item["raises"]
      ? []
      : [`${item["name"]}: ${first?.message ?? "accepted"}, expected ${item["raises"]}`];
  });
}
