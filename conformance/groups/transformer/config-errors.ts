import { readTransformerConfig, type ModelType } from "../../../runtime/model/config.ts";
import type { Manifest } from "../../case.ts";
import { declared } from "../../checks.ts";
import { keys } from "../../known.ts";

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
export const configErrors = declared(
  { manifest: { items: keys("name", "configurator", "config", "raises", "message"), tolerance: {} } },
  ({ manifest }, checks) => {
    for (const item of manifest["items"] as Manifest[]) {
      const [first] = readTransformerConfig(item["config"].transformer, modelTypeOf(item)).findings;
      const kind = first === undefined ? null : first.code === "LTX6202" ? "KeyError" : "ValueError";
      if (kind === item["raises"]) continue;
      checks.fail(`${item["name"]}: ${first?.message ?? "accepted"}, expected ${item["raises"]}`);
    }
  },
);
