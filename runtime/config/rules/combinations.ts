import type { Finding } from "../../findings.ts";
import { finding } from "../conform.ts";
import { checkAdaptedBlocks } from "./adapted-blocks.ts";
import { checkOfficialStrategy } from "./official.ts";
import { isAddress } from "../paths.ts";
import type { RunConfig } from "../run-config.ts";
import { checkOwnOptimization } from "./own-optimization.ts";
import { checkSamples } from "./samples.ts";

/** Settings that are each valid alone but wrong together. */
export function checkCombinations(config: RunConfig): Finding[] {
  return [
    ...checkModel(config),
    ...checkOfficialStrategy(config),
    ...checkSampler(config),
    ...checkValidation(config),
    ...checkSamples(config),
    ...checkHub(config),
    ...checkOwnOptimization(config),
    ...checkAdaptedBlocks(config),
  ];
}

function checkModel({ model, lora }: RunConfig): Finding[] {
  const findings: Finding[] = [];
  if (isAddress(model.model_path)) {
    const help = "download the file first and write its path";
    findings.push(finding("LTX6009", ["model", "model_path"], `${model.model_path} is an address, not a file`, help));
  }
  if (model.training_mode === "lora" && lora === null) {
    findings.push(finding("LTX6008", ["model"], "training a LoRA needs a section `lora`", "write `lora: {rank: 64}`"));
  }
  return findings;
}

function checkSampler({ flow_matching }: RunConfig): Finding[] {
  if (flow_matching.timestep_sampling_mode !== "uniform") return [];
  const { min_value, max_value } = flow_matching.timestep_sampling_params;
  if (min_value <= max_value) return [];
  const path = ["flow_matching", "timestep_sampling_params"];
  return [finding("LTX6008", path, `\`min_value\` ${min_value} is above \`max_value\` ${max_value}`, "swap them")];
}

function checkValidation({ validation }: RunConfig): Finding[] {
  const findings: Finding[] = [];
  for (const key of ["images", "reference_videos"] as const) {
    const [files, prompts] = [validation[key]?.length, validation.prompts.length];
    if (files === undefined || files === prompts) continue;
    const message = `${files} \`${key}\` for ${prompts} \`prompts\``;
    findings.push(finding("LTX6008", ["validation", key], message, "list one for each prompt, in the same order"));
  }
  if (!validation.generate_audio && !validation.generate_video && validation.samples.length > 0) {
    const help = "set `generate_video` or `generate_audio` to true, or remove the samples";
    findings.push(finding("LTX6008", ["validation"], "samples with neither video nor audio show nothing", help));
  }
  return findings;
}

function checkHub({ hub }: RunConfig): Finding[] {
  if (!hub.push_to_hub || (hub.hub_model_id ?? "") !== "") return [];
  return [finding("LTX6008", ["hub"], "`push_to_hub` needs `hub_model_id`", "write `hub_model_id: owner/name`")];
}
