import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { textOf } from "../bin/project/official-step.ts";
import { compile } from "../compiler/index.ts";
import { resolveParams, resolveStrategySection, strategyOf, type StrategyConfig } from "../runtime/config/index.ts";
import type { SourceInfo, Step } from "../runtime/contract.ts";
import type { Manifest } from "./case.ts";

/** Names in run configs of the reference's strategies, by what their classes' names begin with. */
const strategyNames: Readonly<Record<string, string>> = {
  Inpainting: "inpainting",
  TextToVideo: "text_to_video",
  VideoToVideo: "video_to_video",
  Flexible: "flexible",
};

/** The name in run configs of a strategy, by its class `<Name>Strategy` or that of its config, `<Name>Config` or `<Name>StrategyConfig`. */
export function strategyName(className: string): string {
  const name = strategyNames[className.replace(/(Strategy)?(Config)?$/, "")];
  if (name === undefined) throw new Error(`no strategy stands for ${className}`);
  return name;
}

/** What a case trains, compiled from the strategy that a run config with its settings means. */
export interface CaseStrategy {
  readonly section: StrategyConfig;
  /** The strategy's text, for the built-in ones made of the section. */
  readonly text: string;
  readonly step: Step;
  readonly params: Readonly<Record<string, unknown>>;
  /** The key of a source's files in the case's batches. */
  keyOf(source: SourceInfo): string;
}

export async function strategyOfCase(manifest: Manifest): Promise<CaseStrategy> {
  const { class: trainingClass, config: trainingConfig } = (manifest["strategy"] ?? {}) as Manifest;
  const name = strategyName(manifest["strategy_class"] ?? trainingClass);
  const { section, findings } = resolveStrategySection({
    training_strategy: { ...(manifest["config"] ?? trainingConfig), name },
  });
  if (section === null) throw new Error(findings.map(({ message }) => message).join("; "));
  const text = (await textOf(section)) ?? "";
  const step = await compiledOnce(name, text);
  const { params } = resolveParams(step.strategy, strategyOf(section).params);
  const keys = new Map((manifest["data_sources"] ?? []) as [string, string][]);
  const keyOf = (source: SourceInfo) => keys.get(directoryOf(source, params)) ?? roleOf(source, step);
  return { section, text, step, params, keyOf };
}

function directoryOf({ directory }: SourceInfo, params: CaseStrategy["params"]): string {
  return directory.replace(/\$\{(\w+)\}/g, (_, name: string) => String(params[name]));
}

/** Where a case does not list its sources: the flexible strategy calls the targets by their modality, all else has one name. */
function roleOf({ name, directory }: SourceInfo, { strategy }: Step): string {
  if (strategy.name !== "flexible") return name;
  if (name === strategy.modalities.video?.latents) return "video_latents";
  return name === strategy.modalities.audio?.latents ? "audio_latents" : directory;
}

const compiled = new Map<string, Promise<Step>>();

/** The step of a strategy, by its text. Errors: those of its compilation. */
export function compiledOnce(name: string, text: string): Promise<Step> {
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const step = compileStep(`${name}.strategy`, text);
  compiled.set(text, step);
  return step;
}

/** A module is imported from a file, as a run does, so that a stack trace can point into the strategy. */
async function compileStep(path: string, text: string): Promise<Step> {
  const { program, artifacts, diagnostics } = await compile({ path, text });
  if (program === null) throw new Error(`${path} does not compile: ${diagnostics.map((d) => d.message).join("; ")}`);
  const folder = await mkdtemp(join(tmpdir(), "ltxc-conformance-"));
  try {
    for (const { name, text } of artifacts) await writeFile(join(folder, name), text);
    const module = artifacts.find(({ name }) => name.endsWith(".mjs"))?.name ?? "";
    return (await import(pathToFileURL(join(folder, module)).href)) as Step;
  } finally {
    await rm(folder, { recursive: true });
  }
}
