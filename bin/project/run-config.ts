import { dirname, resolve } from "node:path";
import { nodeAt, parseYaml, toPlain, type YamlNode } from "../../compiler/1-parse/index.ts";
import { Bag, type Diagnostic } from "../../compiler/diagnostics/index.ts";
import type { SourceFile } from "../../compiler/source/index.ts";
import {
  isError,
  provisionalConfig,
  resolveConfig,
  resolveParams,
  resolveStrategySection,
  settingOf,
  strategyOf,
  type OutputPattern,
  type RunConfig,
  type StrategyConfig,
} from "../../runtime/config/index.ts";
import type { Step } from "../../runtime/contract.ts";
import { FindingsError, type Finding } from "../../runtime/findings.ts";
import type { Preflight } from "../../runtime/index.ts";
import { toDiagnostics } from "./findings.ts";
import type { Io } from "../shell/io.ts";
import { override } from "./overrides.ts";
import { flexible } from "./official-step.ts";

export interface FoundStep {
  /** Null if there is none that can be used; a finding then says why. */
  readonly step: Step | null;
  readonly findings: readonly Finding[];
  /** The schema of the params of a strategy that cannot be used, where it is known. */
  readonly params?: Readonly<Record<string, unknown>> | null;
  /** The strategy's text, if it was compiled just now and has no build. */
  readonly text?: string;
  /** The folder of the build that was taken. */
  readonly build?: string;
  /** Imported functions that stand-ins replace, as in `edges` of ./edges.ts; absent if all of the strategy is there. */
  readonly leftOut?: readonly string[];
}

const nothing: Files = { findings: [], preflight: null };
const noStep: FoundStep = { step: null, findings: [] };

interface Ready {
  readonly config: RunConfig;
  readonly step: Step;
  readonly text?: string;
  readonly build?: string;
  readonly leftOut?: readonly string[];
  /** The folders of the same runs at other times, where `output_dir` has a placeholder for it. */
  readonly outputs: OutputPattern | null;
}

export interface Examined {
  /** Null if a diagnostic is an error. */
  readonly ready: Ready | null;
  /** The document, for the spans of later findings; null if it is not YAML. */
  readonly root: YamlNode | null;
  /** The run config's file; the settings of the command line are its bases. */
  readonly file: SourceFile;
  /** What was found in its files; null if they were not looked at, or if something is wrong. */
  readonly preflight: Preflight | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** The section by which the strategy is found: for `flexible` it must be valid as a whole, for all others the name is enough. */
function sectionOf(raw: unknown): StrategyConfig | null {
  const { section } = resolveStrategySection(raw);
  const written = (raw as { training_strategy?: unknown } | null)?.training_strategy;
  if (section !== null || typeof written !== "object" || written === null || Array.isArray(written)) return section;
  const { name = "text_to_video" } = written as { name?: unknown };
  return typeof name === "string" && name !== flexible ? { ...written, name } : null;
}

/** Whether a finding is about a setting that was already found wrong: its default was used instead. */
function isBelow(path: Finding["path"], wrong: Finding["path"]): boolean {
  return wrong.length > 0 && wrong.every((part, i) => path[i] === part);
}

/** Whether a finding is about a list of which an entry was already found wrong, and which was looked at without it. */
function isListOf(path: Finding["path"], wrong: Finding["path"]): boolean {
  return typeof wrong.at(-1) === "number" && path.length === wrong.length - 1 && isBelow(wrong, path);
}

interface Files {
  readonly findings: readonly Finding[];
  readonly preflight: Preflight | null;
}

/** Findings about the data, model and output folder of a complete config. */
async function examineFiles(
  config: RunConfig,
  step: Step,
  { isThorough, isProvisional }: { readonly isThorough: boolean; readonly isProvisional: boolean },
): Promise<Files> {
  const { preflight } = await import("../../runtime/index.ts");
  const isOfficial = config.runtime.engine === "ltx-trainer";
  const [engine, examined] = await Promise.all([
    // A plan may be made for another machine.
    foundBy(async () => (isThorough ? tryEngine(config.runtime) : null)),
    foundBy(() => preflight(config, step, { isThorough, isProvisional, isOfficial })),
  ]);
  const { warnings = [], ofLoaded = [] } = examined.result ?? {};
  return { findings: [...examined.findings, ...engine.findings, ...warnings, ...ofLoaded], preflight: examined.result };
}

/** What can be said of the params of a strategy that has errors elsewhere. */
function paramFindings(section: StrategyConfig, params: FoundStep["params"] & unknown): readonly Finding[] {
  const { name, params: written } = strategyOf(section);
  return params === null ? [] : resolveParams({ name, params: params as Step["strategy"]["params"] }, written).findings;
}

/** What can be said of a run config's files and engine without its strategy. */
async function examineWithoutStep(config: RunConfig, isThorough: boolean): Promise<readonly Finding[]> {
  const { checkPlaces } = await import("../../runtime/index.ts");
  const isOfficial = config.runtime.engine === "ltx-trainer";
  const engine = await foundBy(async () => (isThorough ? tryEngine(config.runtime) : null));
  const places = await foundBy(() => checkPlaces(config, isOfficial));
  return [...places.findings, ...engine.findings];
}

/** @throws FindingsError for an engine or a provider that does not work here */
async function tryEngine(runtime: RunConfig["runtime"]): Promise<void> {
  const { openEngine, lookForTorch } = await import("../../runtime/index.ts");
  const { engine: asked, torch } = runtime;
  if (asked === "ltx-trainer") return;
  // A library that comes with a project is a program of the project, and only a run may run that.
  const isNamed = torch !== null && (asked === "torch" || asked === "auto");
  if (isNamed) await lookForTorch(torch);
  if (!isNamed || asked === "auto") await openEngine(asked, { ...runtime, torch: null });
}

/** What `f` gives, or the findings that it throws. */
export async function foundBy<T>(
  f: () => Promise<T>,
): Promise<{ readonly result: T | null; readonly findings: readonly Finding[] }> {
  try {
    return { result: await f(), findings: [] };
  } catch (error) {
    if (error instanceof FindingsError) return { result: null, findings: error.findings };
    throw error;
  }
}

/** Findings about the command line get no fix, since only files are corrected, and are mended there. */
function outside({ text }: SourceFile, root: YamlNode, findings: readonly Finding[]): readonly Finding[] {
  return findings.map(({ rewrites, ...found }) => {
    const { keySpan = { start: 0 } } = nodeAt(root, found.path);
    if (keySpan.start <= text.length) return rewrites === undefined ? found : { ...found, rewrites };
    const to =
      found.code === "LTX6001" && found.near === undefined ? (settingOf(found.path.join("."))?.to ?? null) : null;
    return to === null ? found : { ...found, help: `write \`--set ${to}=…\`` };
  });
}

/** Without the fix, if the finding is about the command line: only files are corrected. */
function withoutFixOutside({ text }: SourceFile, { fix, ...found }: Diagnostic): Diagnostic {
  return fix === undefined || found.span.start > text.length ? found : { ...found, fix };
}

interface ExamineOptions {
  readonly withFiles: boolean;
  /** Whether model and data are looked for where the strategy cannot be used; true if not given. */
  readonly withPlaces?: boolean;
  readonly isThorough?: boolean;
  readonly overrides?: readonly string[];
}

/**
 * Reads a run config and finds its strategy: everything that is wrong with its YAML and its settings, at once. `withFiles` also judges
 * the params, data, model and output folder of a valid config, as opening the run does; `isThorough` also what the run would find
 * later: contents of data, an engine that does not work here. `overrides` are the settings of the command
 * line, as in `optimization.steps=100`.
 */
export async function examineRunConfig(
  io: Io,
  written: SourceFile,
  findStep: (section: StrategyConfig, engine: RunConfig["runtime"]["engine"]) => Promise<FoundStep>,
  { withFiles, withPlaces = true, isThorough = false, overrides = [] }: ExamineOptions,
): Promise<Examined> {
  const bag = new Bag();
  const parsed = parseYaml(written, bag, "1.1");
  if (parsed === null) return { ready: null, root: parsed, file: written, preflight: null, diagnostics: bag.sorted() };
  const { root, file } = override(parsed, written, overrides, bag);
  if (bag.hasErrors) return { ready: null, root, file, preflight: null, diagnostics: bag.sorted() };
  const raw = toPlain(root);
  const options = { configDirectory: dirname(resolve(io.cwd, file.path)) };
  const { config, findings, outputs } = resolveConfig(raw, options);
  // Even if a setting is wrong, the files that the others name are looked at.
  const provisional = config ?? provisionalConfig(raw, findings, options);
  const section = sectionOf(raw);
  const found = section === null ? noStep : await findStep(section, provisional?.runtime.engine ?? "auto");
  const { step, text, build, leftOut } = found;
  const more = async (): Promise<Files> => {
    if (section === null) return nothing;
    if (step === null) {
      const ofParams = paramFindings(section, found.params ?? null);
      const ofFiles = provisional === null || !withPlaces ? [] : await examineWithoutStep(provisional, isThorough);
      return { ...nothing, findings: [...ofParams, ...ofFiles] };
    }
    if (provisional === null)
      return { ...nothing, findings: resolveParams(step.strategy, strategyOf(section).params).findings };
    const isProvisional = config === null;
    return withFiles || isProvisional ? examineFiles(provisional, step, { isThorough, isProvisional }) : nothing;
  };
  const files = await more();
  const isKnown = (path: Finding["path"], wrong: Finding["path"]) => isBelow(path, wrong) || isListOf(path, wrong);
  const isNew = ({ path }: Finding) => !findings.some((wrong) => isError(wrong) && isKnown(path, wrong.path));
  const all = [...findings, ...found.findings, ...files.findings.filter(isNew)];
  const isReady = config !== null && step !== null && !all.some(({ severity }) => severity === "error");
  return {
    preflight: isReady ? files.preflight : null,
    ready: isReady
      ? {
          config,
          step,
          outputs,
          ...(text === undefined ? {} : { text }),
          ...(build === undefined ? {} : { build }),
          ...(leftOut === undefined ? {} : { leftOut }),
        }
      : null,
    root,
    file,
    diagnostics: [
      ...bag.sorted(),
      ...toDiagnostics(written, root, outside(written, root, all)).map((found) => withoutFixOutside(written, found)),
    ].toSorted((a, b) => a.span.start - b.span.start),
  };
}
