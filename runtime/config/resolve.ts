import type { Finding } from "../findings.ts";
import runConfigSchema from "../../schemas/train.schema.json" with { type: "json" };
import { checkCombinations } from "./rules/combinations.ts";
import { conform, isFields } from "./conform.ts";
import type { Schema } from "./schema.ts";
import { inOurWords } from "./foreign/in-our-words.ts";
import { migrate } from "./migrate.ts";
import {
  anyTime,
  checkOutputFolder,
  outputPattern,
  timeOf,
  withOutputFolder,
  type OutputPattern,
} from "./output-folder.ts";
import { withAbsolutePaths } from "./paths.ts";
import { checkFlexible } from "./rules/official.ts";
import { checkOutputPlace } from "./rules/output.ts";
import type { RunConfig, StrategyConfig } from "./run-config.ts";
import { checkRanges } from "./rules/ranges.ts";
import { checkSupport } from "./rules/support.ts";
import { withVariants } from "./variants.ts";

export interface ResolvedConfig {
  /** Null when a finding is an error. */
  readonly config: RunConfig | null;
  readonly findings: readonly Finding[];
  /** The folders of runs that began at another time, where `output_dir` has a placeholder for it; null where it has none. */
  readonly outputs: OutputPattern | null;
}

interface Surroundings {
  /** Where relative paths start. */
  readonly configDirectory: string;
  /** For the placeholders `{date}` and `{time}` of `output_dir`; default: now. */
  readonly now?: Date;
}

/**
 * Makes a run config of plain data, as read from YAML: defaults are filled in, old keys become new ones, relative paths start at
 * the config file's folder, placeholders of `output_dir` are filled in. Nothing on the disk is looked at. All mistakes are found at once; combinations of settings are judged
 * when each setting for itself is right.
 */
export function resolveConfig(raw: unknown, { configDirectory, now = new Date() }: Surroundings): ResolvedConfig {
  const findings: Finding[] = [];
  const schema = runConfigSchema as Schema;
  const conformed = conform(schema, raw, [], findings);
  if (findings.some(isError)) return { config: null, findings: inOurWords(findings, raw, schema), outputs: null };
  const migrated = migrate(conformed as RunConfig, raw, findings);
  const written = withVariants(migrated, findings);
  const at = (time: typeof anyTime) => withAbsolutePaths(withOutputFolder(written, time), configDirectory);
  const config = at(timeOf(now));
  const ofPlace = checkOutputPlace(written, process.platform);
  findings.push(
    ...checkCombinations(config),
    ...checkSupport(config),
    ...checkRanges(config),
    ...(ofPlace.length > 0 ? ofPlace : checkOutputFolder(written)),
  );
  if (findings.some(isError)) return { config: null, findings, outputs: null };
  return { config, findings, outputs: outputPattern(at(anyTime).output_dir) };
}

/** Of a run config the strategy's section alone, however wrong the rest may be; null when a finding about it is an error. */
export function resolveStrategySection(raw: unknown): {
  readonly section: StrategyConfig | null;
  readonly findings: readonly Finding[];
} {
  const findings: Finding[] = [];
  const schema: Schema | undefined = (runConfigSchema as Schema).properties?.["training_strategy"];
  const written = isFields(raw) ? (raw["training_strategy"] ?? schema?.default) : schema?.default;
  const section = conform(schema ?? {}, written, ["training_strategy"], findings) as StrategyConfig;
  if (findings.length === 0 && section.name === "flexible") findings.push(...checkFlexible(section));
  return { section: findings.some(isError) ? null : section, findings };
}

/**
 * The same config with the settings left out that findings point at, so that their defaults stand in: enough to look at the files that
 * the right settings name. Null where that leaves no whole config, for example without a model path.
 */
export function provisionalConfig(raw: unknown, findings: readonly Finding[], options: Surroundings): RunConfig | null {
  const pruned: unknown = structuredClone(raw);
  for (const { path } of findings.filter(isError)) leaveOut(pruned, path);
  return resolveConfig(pruned, options).config;
}

/** Takes out of plain data what stands at `path`; of a list with a wrong item nothing is left. */
function leaveOut(data: unknown, [key, ...rest]: Finding["path"]): void {
  if (key === undefined || typeof data !== "object" || data === null || !Object.hasOwn(data, key)) return;
  if (rest.length > 0) leaveOut((data as Record<string, unknown>)[key], rest);
  else if (Array.isArray(data)) data.length = 0;
  else delete (data as Record<string, unknown>)[key];
}

export const isError = ({ severity }: Finding): boolean => severity === "error";
