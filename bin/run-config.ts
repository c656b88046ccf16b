import { dirname, resolve } from "node:path";
import { parseYaml } from "../compiler/1-parse/yaml.ts";
import { toPlain, type YamlNode } from "../compiler/1-parse/tree.ts";
import { Bag } from "../compiler/diagnostics/bag.ts";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic.ts";
import type { SourceFile } from "../compiler/source/source-file.ts";
import {
  provisionalConfig,
  resolveConfig,
  resolveParams,
  resolveStrategySection,
  strategyOf,
  type RunConfig,
  type StrategyConfig,
} from "../runtime/config/index.ts";
import type { Finding, Step } from "../runtime/contract.ts";
import { FindingsError } from "../runtime/findings.ts";
import { toDiagnostics } from "./findings.ts";
import type { Io } from "./io.ts";
import { override } from "./overrides.ts";
import { flexible } from "./official/step.ts";

export interface FoundStep {
  /** Null where there is none that can be used; then a finding says why. */
  readonly step: Step | null;
  readonly findings: readonly Finding[];
  /** What a strategy was compiled from that no build is of. */
  readonly text?: string;
}

const noStep: FoundStep = { step: null, findings: [] };

export interface Examined {
  /** Null where a diagnostic is an error. */
  readonly ready: { readonly config: RunConfig; readonly step: Step; readonly text?: string } | null;
  /** The document, to find the places of later findings in; null where it is no YAML. */
  readonly root: YamlNode | null;
  /** The run config's file, with what the command line sets beside it. */
  readonly file: SourceFile;
  readonly diagnostics: readonly Diagnostic[];
}

/** The section as the strategy is to be found by: `flexible` must be whole for that, of the others the name is enough. */
function sectionOf(raw: unknown): StrategyConfig | null {
  const { section } = resolveStrategySection(raw);
  const written = (raw as { training_strategy?: unknown } | null)?.training_strategy;
  if (section !== null || typeof written !== "object" || written === null || Array.isArray(written)) return section;
  const { name = "text_to_video" } = written as { name?: unknown };
  return typeof name === "string" && name !== flexible ? { ...written, name } : null;
}

/** Whether a finding is about a setting of which another one has been said already: its default stood in. */
function isBelow(path: Finding["path"], wrong: Finding["path"]): boolean {
  return wrong.length > 0 && wrong.every((part, i) => path[i] === part);
}

/** What the data, model and output folders of a complete config have to say. */
async function fileFindings(config: RunConfig, step: Step): Promise<readonly Finding[]> {
  const { preflight } = await import("../runtime/training/open-run.ts");
  try {
    return (await preflight(config, step)).warnings;
  } catch (error) {
    if (error instanceof FindingsError) return error.findings;
    throw error;
  }
}

/** Nothing corrects the command line. */
function withoutFixOutside({ text }: SourceFile, { fix, ...found }: Diagnostic): Diagnostic {
  return fix === undefined || found.span.start > text.length ? found : { ...found, fix };
}

/**
 * Reads a run config and finds its strategy: everything that is wrong with its YAML and its settings, at once. `withFiles` also judges
 * the params, data, model and output folder that a right config names, as opening the run does. `overrides` are the settings that the
 * command line gives, as in `optimization.steps=100`.
 */
export async function examineRunConfig(
  io: Io,
  written: SourceFile,
  findStep: (section: StrategyConfig) => Promise<FoundStep>,
  { withFiles, overrides = [] }: { readonly withFiles: boolean; readonly overrides?: readonly string[] },
): Promise<Examined> {
  const bag = new Bag();
  const parsed = parseYaml(written, bag);
  if (parsed === null) return { ready: null, root: parsed, file: written, diagnostics: bag.sorted() };
  const { root, file } = override(parsed, written, overrides, bag);
  if (bag.hasErrors) return { ready: null, root, file, diagnostics: bag.sorted() };
  const raw = toPlain(root);
  const options = { configDirectory: dirname(resolve(io.cwd, file.path)) };
  const { config, findings } = resolveConfig(raw, options);
  // A wrong setting does not keep the files from being looked at, which the others name.
  const provisional = config ?? provisionalConfig(raw, findings, options);
  const section = sectionOf(raw);
  const found = section === null ? noStep : await findStep(section);
  const { step, text } = found;
  const more = async () => {
    if (step === null || section === null) return [];
    if (provisional === null) return resolveParams(step.strategy, strategyOf(section).params).findings;
    return withFiles || config === null ? fileFindings(provisional, step) : [];
  };
  const isNew = ({ path }: Finding) => !findings.some((wrong) => isBelow(path, wrong.path));
  const all = [...findings, ...found.findings, ...(await more()).filter(isNew)];
  const isReady = config !== null && step !== null && !all.some(({ severity }) => severity === "error");
  return {
    ready: isReady ? { config, step, ...(text === undefined ? {} : { text }) } : null,
    root,
    file,
    diagnostics: [
      ...bag.sorted(),
      ...toDiagnostics(root, all).map((found) => withoutFixOutside(written, found)),
    ].toSorted((a, b) => a.span.start - b.span.start),
  };
}
