import type { Finding } from "../contract.ts";
import runConfigSchema from "../../schemas/train.schema.json" with { type: "json" };
import { checkCombinations } from "./combinations.ts";
import { conform, type Schema } from "./conform.ts";
import { migrate } from "./migrate.ts";
import { withAbsolutePaths } from "./paths.ts";
import type { RunConfig } from "./run-config.ts";
import { checkSupport } from "./support.ts";
import { withVariants } from "./variants.ts";

export interface ResolvedConfig {
  /** Null when a finding is an error. */
  readonly config: RunConfig | null;
  readonly findings: readonly Finding[];
}

/**
 * Makes a run config of plain data, as read from YAML: defaults are filled in, old keys become new ones, relative paths start at
 * the config file's folder. Nothing on the disk is looked at. All mistakes are found at once; combinations of settings are judged
 * when each setting for itself is right.
 */
export function resolveConfig(raw: unknown, { configDirectory }: { readonly configDirectory: string }): ResolvedConfig {
  const findings: Finding[] = [];
  const conformed = conform(runConfigSchema as Schema, raw, [], findings);
  if (findings.some(isError)) return { config: null, findings };
  const migrated = migrate(conformed as RunConfig, raw, findings);
  const config = withAbsolutePaths(withVariants(migrated, findings), configDirectory);
  findings.push(...checkCombinations(config), ...checkSupport(config));
  return { config: findings.some(isError) ? null : config, findings };
}

export const isError = ({ severity }: Finding): boolean => severity === "error";
