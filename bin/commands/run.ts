import { dirname, resolve } from "node:path";
import type { SourceFile } from "../../compiler/source/index.ts";
import { toPlain, type YamlNode } from "../../compiler/1-parse/index.ts";
import { toJson, type Diagnostic } from "../../compiler/diagnostics/index.ts";
import type { OutputPattern, RunConfig } from "../../runtime/config/index.ts";
import type { Step } from "../../runtime/contract.ts";
import {
  lastSaved,
  newestRun,
  openEngine,
  precisionOf,
  QuantizingStopped,
  openRun,
  train,
  type Engine,
  type OpenOptions,
  type TrainEvent,
} from "../../runtime/index.ts";
import { fail, FindingsError, type Finding } from "../../runtime/findings.ts";
import { compileThere } from "../official-trainer/compile-there.ts";
import { trainThere } from "../official-trainer/train-there.ts";
import { expectedOf, foreseenRows, type Foreseen } from "../plan/foreseen.ts";
import { memoryBefore } from "../plan/memory-check.ts";
import { offloadFindings } from "../plan/offload.ts";
import { findBuild } from "../project/builds.ts";
import { forecastStep } from "../project/forecast-step.ts";
import { exitCode, UsageError } from "../shell/exit.ts";
import { readRunConfig } from "../shell/files.ts";
import { toDiagnostics } from "../project/findings.ts";
import { keepSources } from "../run-report/kept-sources.ts";
import { codeOf, printFindings } from "../shell/print-findings.ts";
import { examineRunConfig, type Examined } from "../project/run-config.ts";
import { createRunView, type RunView } from "../run-view/run-view.ts";
import { say, sayJson, type Session } from "../shell/session.ts";
import { shellWord, shownPath } from "../shell/text.ts";
import { guardOf } from "../trust/guard.ts";

const defaultConfig = "train.yaml";

export interface RunOptions {
  readonly build: string;
  readonly resume?: true;
  /** As `resume`, even if settings, data or strategy have changed since. */
  readonly resumeAnyway?: true;
  /** Begin in a folder of its own next to one with earlier work. */
  readonly new?: true;
  /** Delete the work of an earlier run in the output folder, and begin anew. */
  readonly overwrite?: true;
  /** Settings that replace those of the run config. */
  readonly set?: readonly string[];
  /** What trains, if not ltxc itself. */
  readonly on?: "ltx-trainer";
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

/** The first Ctrl-C, SIGTERM or SIGHUP asks the run to finish its step and save. */
function stopOnInterrupt(session: Session, view: RunView): { readonly signal: AbortSignal; off(): void } {
  const stop = new AbortController();
  const off = session.io.onInterrupt(() => {
    if (stop.signal.aborted) return;
    stop.abort();
    view.note("finishing this step, then saving (Ctrl-C again stops at once)");
  });
  return { signal: stop.signal, off };
}

/**
 * Tells that nothing can be shown any more: on the other output, and among the run's events. The training goes on, since its results are
 * files. Returns whether stdout was lost so far: whoever reads it has not seen how the run ended.
 */
function watchOutputs({ io, json }: Session, warn: (finding: Finding) => void): () => boolean {
  let isLost = false;
  io.onOutputLost(({ name, reason }) => {
    isLost ||= name === "stdout";
    const message = `${name} can not be written any more (${reason}); the training goes on without it`;
    const help = "`ltxc report` shows the run from the metrics in its `output_dir`";
    // Events of `--json` go to stdout, which may be what was lost.
    if (json) io.err(`warning: ${message}\n`);
    warn({ code: "LTX7040", severity: "warning", path: ["output_dir"], message, help });
  });
  return () => isLost;
}

/** Hands findings on as soon as there is somewhere to; keeps them until then. */
function createMailbox() {
  const waiting: Finding[] = [];
  let deliver: ((finding: Finding) => void) | null = null;
  return {
    put: (finding: Finding) => void (deliver === null ? waiting.push(finding) : deliver(finding)),
    open(to: (finding: Finding) => void) {
      deliver = to;
      for (const finding of waiting.splice(0)) to(finding);
    },
  };
}

/** The command that resumes the run in `folder`, quoted for a shell. */
function resumeCommand({ path, options, written, hasPattern }: Asked, folder: string): string {
  const config = path === defaultConfig ? [] : [shellWord(path)];
  // `--new` has chosen another folder than the run config's, and one with a date would not be the newest for ever.
  const own = folder === written && !hasPattern ? [] : [`output_dir=${folder.replaceAll(/[{}]/g, "$&$&")}`];
  const { set = [], on } = options;
  const others = own.length === 0 ? set : set.filter((text) => !/^\s*output_dir\s*=/.test(text));
  const there = on === undefined ? [] : [`--on ${on}`];
  return [
    "ltxc run",
    ...config,
    "--resume",
    ...there,
    ...[...others, ...own].map((text) => `--set ${shellWord(text)}`),
  ].join(" ");
}

/** What the command line asked for. */
interface Asked {
  readonly path: string;
  readonly options: RunOptions;
  /** The run config's `output_dir`, with its placeholders filled in. */
  readonly written: string;
  /** Whether the name of the folder depends on the time. */
  readonly hasPattern: boolean;
}

const onWorkOf = ({ new: isNew, overwrite }: RunOptions): NonNullable<OpenOptions["onWork"]> =>
  isNew === true ? "new" : overwrite === true ? "overwrite" : "refuse";

interface ToTrain {
  readonly config: RunConfig;
  readonly step: Step;
  readonly build?: string;
  readonly text?: string;
  readonly asked: Asked;
}

/** Opens the run, and says what is foreseen of it; null where that is nothing. Errors: as `openRun`. */
async function openForeseen(session: Session, engine: Engine, { config, step, asked }: ToTrain) {
  const before: { foreseen: Foreseen | null } = { foreseen: null };
  const opened = await openRun(engine, config, step, {
    onWork: onWorkOf(asked.options),
    judge: async (own, examined) => {
      const { findings, foreseen } = await memoryBefore({ config: own, step, engine }, examined);
      before.foreseen = foreseen;
      return findings;
    },
    tell: (text) => say(session, text),
    onInterrupt: session.io.onInterrupt,
  });
  return { opened, foreseen: before.foreseen };
}

async function trainWith(
  session: Session,
  { config, step, asked, ...source }: ToTrain,
  reporter: Reporter,
): Promise<number> {
  const mailbox = createMailbox();
  const isUnseen = watchOutputs(session, mailbox.put);
  const { engine, reason } = await openEngine(config.runtime.engine, {
    ...config.runtime,
    precision: precisionOf(config),
  });
  const { opened, foreseen } = await openForeseen(session, engine, { config, step, asked });
  const folder = opened.run.config.output_dir;
  if (folder !== asked.written || asked.hasPattern) say(session, `output folder ${shownPath(session.io, folder)}`);
  if (opened.deleted !== null) say(session, `deleted from ${shownPath(session.io, folder)}: ${opened.deleted}`);
  reporter.findings(opened.warnings);
  const said = { resume: resumeCommand(asked, folder), foreseen: foreseen === null ? [] : foreseenRows(foreseen) };
  const view = createRunView(session, said, ({ finding }) => reporter.findings([finding]));
  engine.watch?.(view.engine);
  if (source.text !== undefined) view.note(`the strategy \`${step.strategy.name}\` is that of ltxc, not of a file`);
  const { signal, off } = stopOnInterrupt(session, view);
  try {
    view.note(`engine ${engine.name}: ${reason}`);
    const onEvent = (event: TrainEvent) => {
      if (event.type === "started") keepSources({ strategy: step.strategy.name, ...source }, folder);
      view.event(event);
    };
    const expected = foreseen === null ? null : expectedOf(foreseen);
    const { type } = await train(opened.run, { onEvent, signal, onBegun: mailbox.open, expected });
    if (type === "interrupted") return exitCode.interrupted;
    return isUnseen() ? exitCode.findings : exitCode.ok;
  } finally {
    view.end();
    // A signal that comes when all is saved must not end the run in another way.
    await opened.close().finally(off);
  }
}

const isResumed = ({ resume, resumeAnyway }: RunOptions): boolean => resume === true || resumeAnyway === true;

/** The run config for `--resume`: it starts from the last whole checkpoint of its own output folder, or of the newest such folder. */
async function resumed(
  written: RunConfig,
  outputs: OutputPattern | null,
  options: RunOptions,
  reporter: Reporter,
): Promise<RunConfig> {
  const output_dir = outputs === null ? written.output_dir : await newestRun(outputs);
  const checkpoint = output_dir === null ? null : await lastSaved(output_dir);
  if (output_dir === null || checkpoint === null) {
    const where = output_dir ?? "no folder that `output_dir` could mean";
    const message = `${where} holds ${output_dir === null ? "a" : "no"} checkpoint to go on from`;
    const help = "run without `--resume` to begin; with `--overwrite` where a run has ended before it saved anything";
    fail("LTX6307", message, help, ["output_dir"]);
  }
  reporter.findings(checkpoint.warnings);
  const resume_anyway = written.runtime.resume_anyway || options.resumeAnyway === true;
  return {
    ...written,
    output_dir,
    model: { ...written.model, load_checkpoint: checkpoint.path },
    runtime: { ...written.runtime, resume_anyway },
  };
}

/** @throws UsageError for options that contradict each other */
function checkOptions(options: RunOptions): void {
  if (options.new === true && options.overwrite === true)
    throw new UsageError("`--new` keeps the earlier work and `--overwrite` deletes it", "give one of them");
  const other = options.new === true ? "--new" : options.overwrite === true ? "--overwrite" : null;
  if (other !== null && isResumed(options))
    throw new UsageError(`\`--resume\` goes on with a run and \`${other}\` begins one`, "give one of them");
}

/** @throws UsageError for what only ltxc's own runs do */
function refuseOnOfficial(options: RunOptions): void {
  const other = options.new === true ? "--new" : options.overwrite === true ? "--overwrite" : null;
  if (other === null) return;
  const help = "name another folder: `--set output_dir=outputs-2`";
  throw new UsageError(`\`${other}\` is only for runs of ltxc's own, not of the official trainer`, help);
}

/** A run on the official trainer, compiled for it first. */
async function trainOnOfficial(
  session: Session,
  { config, step, asked }: ToTrain,
  { file, root }: Pick<Examined, "file" | "root">,
  reporter: Reporter,
): Promise<number> {
  const { io } = session;
  refuseOnOfficial(asked.options);
  const folder = dirname(resolve(io.cwd, file.path));
  const places = { build: resolve(io.cwd, asked.options.build), config: folder };
  const { module, report } = await compileThere(io, config.training_strategy, places);
  const found = report.diagnostics.length > 0 ? [report] : [];
  if (session.json && found.length > 0) sayJson(session, { type: "findings", ...toJson(found) });
  else printFindings(session, found);
  if (module === null || root === null) return codeOf([report]);
  reporter.findings(offloadFindings(config, "ltx-trainer"));
  const said = { resume: resumeCommand(asked, config.output_dir), foreseen: [] };
  const view = createRunView(session, said, ({ finding }) => reporter.findings([finding]));
  try {
    return await trainThere(
      io,
      { config, written: toPlain(root), folder, step, module },
      { isJson: session.json, ...view },
    );
  } finally {
    view.end();
  }
}

/** `ltxc run`: trains as the run config says. */
export async function run(session: Session, path: string, options: RunOptions): Promise<number> {
  const { io } = session;
  checkOptions(options);
  const file = await readRunConfig(io, path, "run");
  const config = dirname(resolve(io.cwd, path));
  const places = { build: resolve(io.cwd, options.build), cwd: io.cwd, config };
  const set = [...(options.set ?? []), ...(options.on === undefined ? [] : [`runtime.engine=${options.on}`])];
  const examined = await examineRunConfig(
    io,
    file,
    (section, engine) => {
      const guard = guardOf(io, session);
      // For the official trainer the strategy is compiled anew in any case.
      return engine === "ltx-trainer"
        ? forecastStep(io, section, { build: places.build, guard, config })
        : findBuild(section, places, guard);
    },
    {
      withFiles: false,
      overrides: set,
    },
  );
  const reporter = reporterOf(session, examined.file, examined.root);
  reporter.diagnostics(examined.diagnostics);
  if (examined.ready === null) return exitCode.findings;
  const { config: written, outputs, ...made } = examined.ready;
  const asked = { path, options, written: written.output_dir, hasPattern: outputs !== null };
  try {
    const config = isResumed(options) ? await resumed(written, outputs, options, reporter) : written;
    const toTrain = { config, ...made, asked };
    return config.runtime.engine === "ltx-trainer"
      ? await trainOnOfficial(session, toTrain, examined, reporter)
      : await trainWith(session, toTrain, reporter);
  } catch (error) {
    if (error instanceof QuantizingStopped) {
      io.err(`${error.message}\n`);
      return exitCode.interrupted;
    }
    if (!(error instanceof FindingsError)) throw error;
    reporter.findings(error.findings);
    return exitCode.findings;
  }
}
