import type { StrategyInfo } from "../contract.ts";
import type { Finding } from "../findings.ts";
import runConfigSchema from "../../schemas/train.schema.json" with { type: "json" };
import { conform, finding } from "./conform.ts";
import type { Schema } from "./schema.ts";
import { withMeaningOf } from "./foreign/in-our-words.ts";
import { didYouMean, suggest } from "../nearest-word.ts";
import type { StrategyConfig } from "./run-config.ts";

export interface StrategyChoice {
  readonly name: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/**
 * Name and parameters of the strategy that a run config asks for. The official `text_to_video` has a switch `with_audio`; here
 * the two are strategies of their own. `flexible` is made for its section and has no parameters.
 */
export function strategyOf({ name, ...params }: StrategyConfig): StrategyChoice {
  if (name === "flexible") return { name, params: {} };
  const { with_audio, audio_latents_dir, ...rest } = params;
  if (name !== "text_to_video" || typeof with_audio !== "boolean") return { name, params };
  if (!with_audio) return { name, params: rest };
  const audio = audio_latents_dir === undefined ? {} : { audio_latents_dir };
  return { name: "text_to_video_with_audio", params: { ...rest, ...audio } };
}

/** The section of an official run config that says the same as `section`, with the parameters that the run used. */
export function toOfficial(section: StrategyConfig, { name, params }: StrategyChoice): StrategyConfig {
  if (name === "flexible") return section;
  return name === "text_to_video_with_audio"
    ? { name: "text_to_video", with_audio: true, ...params }
    : { name, ...params };
}

/** The strategy's parameters with defaults filled in, and a finding for each that is unknown, missing or out of its range. */
export function resolveParams(
  strategy: Pick<StrategyInfo, "name" | "params">,
  params: StrategyChoice["params"],
): { readonly params: Readonly<Record<string, unknown>>; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const schema: Schema = { ...strategy.params, type: "object", additionalProperties: false };
  const resolved = conform(schema, params, ["training_strategy"], findings) as StrategyChoice["params"];
  return { params: resolved, findings: findings.map(asSetting) };
}

/** A finding about an unknown parameter that is a setting of the run config, in other words or at another place. */
function asSetting(found: Finding): Finding {
  if (found.code !== "LTX6001" || found.near !== undefined) return found;
  const { rewrites: _elsewhere, ...said } = withMeaningOf(found, runConfigSchema as Schema);
  return said;
}

/** The finding for a run config that names a strategy which is not among `available`. */
export function unknownStrategy(name: string, available: readonly string[]): Finding {
  const similar = suggest(name, available);
  const known = available.length === 0 ? "no strategy is compiled" : `there are: ${available.join(", ")}`;
  const help =
    namedAsFile(name, available) ?? didYouMean(name, available) ?? `${known}; compile yours with \`ltxc compile\``;
  const near = similar === null ? {} : { near: similar };
  return { ...finding("LTX6010", ["training_strategy", "name"], `there is no strategy \`${name}\``, help), ...near };
}

/** The help for a `name` that is a file's, such as `strategies/inpainting.strategy`; null for other names. */
function namedAsFile(name: string, available: readonly string[]): string | null {
  const bare = /([^/\\]+)\.strategy$/.exec(name)?.[1];
  if (bare === undefined) return null;
  return available.includes(bare)
    ? `write \`${bare}\`: the strategy's name, without its file's ending`
    : "write the name that stands behind `strategy:` in the file, and compile it with `ltxc compile`";
}
