import { resolve } from "node:path";
import type { SourceFile } from "../../compiler/source/index.ts";
import type { YamlNode } from "../../compiler/1-parse/index.ts";
import { toJson, type Diagnostic } from "../../compiler/diagnostics/index.ts";
import type { RunConfig } from "../../runtime/config/index.ts";
import type { Step } from "../../runtime/contract.ts";
import { lastSaved, openEngine, openRun, train, type TrainEvent } from "../../runtime/index.ts";
import { fail, FindingsError, type Finding } from "../../runtime/findings.ts";
import { findBuild } from "../project/builds.ts";
import { exitCode } from "../shell/exit.ts";
import { readRunConfig } from "../shell/files.ts";
import { toDiagnostics } from "../project/findings.ts";
import { keepSources } from "../run-report/kept-sources.ts";
import { printFindings } from "../shell/print-findings.ts";
import { examineRunConfig } from "../project/run-config.ts";
import { createRunView, type RunView } from "../run-view/run-view.ts";
import { sayJson, type Session } from "../shell/session.ts";
import { shellWord } from "../shell/text.ts";

const defaultConfig = "train.yaml";

export interface RunOptions {
  readonly build: string;
  readonly resume?: true;
  /** As `resume`, even if settings, data or strategy have changed since. */
  readonly resumeAnyway?: true;
  /** Settings that replace those of the run config. */
  readonly set?: readonly string[];
}

/** Prints findings, each at its place in the run config. */
interface Reporter {
  readonly diagnostics: (diagnostics: readonly Diagnostic[]) => void;
  readonly findings: (findings: readonly Finding[]) => void;
}

function reporterOf(session: Session, file: SourceFile, root: YamlNode | null): Reporter {
  const diagnostics = (found: readonly Diagnostic[]) => {
    if (found.length === 0) return;
    const reports = [{ file, diagnostics: found }];
    if (session.json) sayJson(session, { type: "findings", ...toJson(reports) });
    else printFindings(session, reports);
  };
  return { diagnostics, findings: (found) => root !== null && diagnostics(toDiagnostics(file, root, found)) };
}

/** The first Ctrl-C asks the run to finish its step and save; a second one ends the process at once, as usual. */
function stopOnInterrupt(session: Session, view: RunView): { readonly signal: AbortSignal; off(): void } {
  const stop = new AbortController();
  const off = session.io.onInterrupt(() => {
    off();
    stop.abort();
    view.note("finishing this step, then saving (Ctrl-C again stops at once)");
  });
  return { signal: stop.signal, off };
}

/** The command that resumes a run, quoted for a shell. */
function resumeCommand(path: string, { set = [] }: RunOptions): string {
  const config = path === defaultConfig ? [] : [shellWord(path)];
  return ["ltxc run", ...config, "--resume", ...set.map((text) => `--set ${shellWord(text)}`)].join(" ");
}

async function trainWith(
  session: Session,
  { config, step, resume, ...source }: { config: RunConfig; step: Step; resume: string; build: string; text?: string },
  reporter: Reporter,
): Promise<number> {
  const { engine, reason } = await openEngine(config.runtime.engine, config.runtime);
  const opened = await openRun(engine, config, step);
  reporter.findings(opened.warnings);
  const view = createRunView(session, resume, ({ finding }) => reporter.findings([finding]));
  engine.watch?.(view.engine);
  view.note(`engine ${engine.name}: ${reason}`);
  const { signal, off } = stopOnInterrupt(session, view);
  try {
    const onEvent = (event: TrainEvent) => {
      if (event.type === "started") keepSources({ strategy: step.strategy.name, ...source }, config.output_dir);
      view.event(event);
    };
    const { type } = await train(opened.run, { onEvent, signal });
    return type === "interrupted" ? exitCode.interrupted : exitCode.ok;
  } finally {
    off();
    view.end();
    await opened.close();
  }
}

const isResumed = ({ resume, resumeAnyway }: RunOptions): boolean => resume === true || resumeAnyway === true;

/** The run config for `--resume`: it starts from the newest checkpoint of its own output folder. */
async function resumed(config: RunConfig, options: RunOptions): Promise<RunConfig> {
  const checkpoint = await lastSaved(config.output_dir);
  if (checkpoint === null) {
    fail("LTX6307", `${config.output_dir} holds no checkpoint to go on from`, "run without `--resume` to begin", [
      "output_dir",
    ]);
  }
  const resume_anyway = config.runtime.resume_anyway || options.resumeAnyway === true;
  return {
    ...config,
    model: { ...config.model, load_checkpoint: checkpoint },
    runtime: { ...config.runtime, resume_anyway },
  };
}

/** `ltxc run`: trains as the run config says. */
export async function run(session: Session, path: string, options: RunOptions): Promise<number> {
  const { io } = session;
  const file = await readRunConfig(io, path, "run");
  const build = resolve(io.cwd, options.build);
  const examined = await examineRunConfig(io, file, (section) => findBuild(section, build, io.cwd), {
    withFiles: false,
    ...(options.set === undefined ? {} : { overrides: options.set }),
  });
  const reporter = reporterOf(session, examined.file, examined.root);
  reporter.diagnostics(examined.diagnostics);
  if (examined.ready === null) return exitCode.findings;
  const { config, ...made } = examined.ready;
  try {
    const chosen = isResumed(options) ? await resumed(config, options) : config;
    return await trainWith(session, { config: chosen, ...made, build, resume: resumeCommand(path, options) }, reporter);
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    reporter.findings(error.findings);
    return exitCode.findings;
  }
}
