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
  const conformed = conform(schema, raw, [], findings);
  if (findings.some(isError)) {
    const all = [...inOurWords(findings, raw, schema), ...besides(raw, findings, { configDirectory, now })];
    return { config: null, findings: all, outputs: null };
  }
  return judge(conformed, { raw, findings, configDirectory, now });
}

const schema = runConfigSchema as Schema;

interface ToJudge extends Required<Surroundings> {
  readonly raw: unknown;
  /** Those about single settings; others are added to them. */
  readonly findings: Finding[];
}

/** Judges settings together, of which each for itself is right. */
function judge(conformed: unknown, { raw, findings, configDirectory, now }: ToJudge): ResolvedConfig {
  const migrated = migrate(conformed as RunConfig, raw, findings);
  const written = withEngine(withVariants(migrated, findings));
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

/**
 * What there is to say of a run config besides settings that are unknown or have no right value. Where one has, what others are judged
 * together with is not known, so only warnings are said; nor is anything said of settings that were meant.
 */
function besides(raw: unknown, wrong: readonly Finding[], surroundings: Required<Surroundings>): readonly Finding[] {
  const errors = wrong.filter(isError);
  const findings: Finding[] = [];
  const whole = madeWhole(raw, errors);
  const conformed = conform(schema, whole, [], findings);
  if (findings.some(isError)) return [];
  judge(conformed, { raw: whole, findings, ...surroundings });
  const isOnlyUnknown = errors.every(({ code, missing }) => code === "LTX6001" || missing !== undefined);
  const unsure = errors.map(({ code, path, near, missing }) =>
    missing !== undefined
      ? [...path, missing]
      : code === "LTX6001" && near !== undefined
        ? [...path.slice(0, -1), near]
        : path,
  );
  const isUnsure = (path: Finding["path"]) => unsure.some((start) => start.every((part, i) => path[i] === part));
  const known = new Set(wrong.map(({ code, path }) => JSON.stringify([code, path])));
  return findings.filter(
    (found) =>
      (isOnlyUnknown || !isError(found)) &&
      !isUnsure(found.path) &&
      !known.has(JSON.stringify([found.code, found.path])),
  );
}

/** Without what is wrong, and with something in the place of texts that are missing. */
function madeWhole(raw: unknown, errors: readonly Finding[]): unknown {
  const whole = withoutWrong(
    raw,
    errors.filter(({ missing }) => missing === undefined),
  );
  for (const { path, missing } of errors) {
    const parent = path.reduce((at: unknown, key) => (isFields(at) ? at[key] : undefined), whole);
    if (missing !== undefined && isFields(parent)) (parent as Record<string, unknown>)[missing] = "missing";
  }
  return whole;
}

/** With quantized weights, `auto` is the only engine that computes with them. */
function withEngine(config: RunConfig): RunConfig {
  const { runtime, acceleration } = config;
  if (runtime.engine !== "auto" || acceleration.quantization === null) return config;
  return { ...config, runtime: { ...runtime, engine: "torch" } };
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
  return resolveConfig(withoutWrong(raw, findings.filter(isError)), options).config;
}

function withoutWrong(raw: unknown, errors: readonly Finding[]): unknown {
  const pruned: unknown = structuredClone(raw);
  for (const { path } of errors) leaveOut(pruned, path);
  return pruned;
}

/** Takes out of plain data what stands at `path`; of a list with a wrong item nothing is left. */
function leaveOut(data: unknown, [key, ...rest]: Finding["path"]): void {
  if (key === undefined || typeof data !== "object" || data === null || !Object.hasOwn(data, key)) return;
  if (rest.length > 0) leaveOut((data as Record<string, unknown>)[key], rest);
  else if (Array.isArray(data)) data.length = 0;
  else delete (data as Record<string, unknown>)[key];
}

export const isError = ({ severity }: Finding): boolean => severity === "error";
