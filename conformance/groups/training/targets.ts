import { readTransformerConfig, type ModelType } from "../../../runtime/model/config.ts";
import { transformerLayout } from "../../../runtime/model/parameters.ts";
import { matchTargets } from "../../../runtime/model/lora.ts";
import { FindingsError } from "../../../runtime/findings.ts";
import type { Manifest } from "../../case.ts";
import { declared, type Checks } from "../../checks.ts";
import { keys } from "../../known.ts";

/** Which linear layers each list of targets chooses. */
export const replayTargets = declared(
  {
    manifest: {
      items: keys("model", "config", "target_modules", "matched", "matched_non_linear", "all_linear_modules"),
      tolerance: {},
    },
  },
  ({ manifest }, checks) => {
    (manifest["items"] as Manifest[]).forEach((item, i) => replayItem(item, checks, `items[${i}]`));
  },
);

const modelTypes: Readonly<Record<string, ModelType>> = { av: "audio-video", video: "video-only", audio: "audio-only" };

function replayItem(item: Manifest, checks: Checks, label: string): void {
  const type = modelTypes[item["model"]];
  if (type === undefined) throw new Error(`${label}: no model is called ${item["model"]}`);
  const { config } = readTransformerConfig(item["config"].transformer, type);
  if (config === null) return checks.fail(`${label}: its config is refused`);
  const layout = transformerLayout(config);
  const linears = layout.flatMap(({ linear, name }) => (linear !== null && name.endsWith(".weight") ? [linear] : []));
  checks.same(`${label}: linear layers`, linears.toSorted(), item["all_linear_modules"].toSorted());
  const matched = match(layout, item["target_modules"]);
  const refused = item["matched"].length === 0 || item["matched_non_linear"].length > 0;
  if ((matched === null) !== refused) return checks.fail(`${label}: should ${refused ? "" : "not "}be refused`);
  if (matched !== null) checks.same(`${label}: matched layers`, matched.toSorted(), item["matched"].toSorted());
}

function match(layout: Parameters<typeof matchTargets>[0], targets: readonly string[]): string[] | null {
  try {
    return matchTargets(layout, { target_modules: targets }).targets.map(({ module }) => module);
  } catch (error) {
    if (error instanceof FindingsError) return null;
    throw error;
  }
}
