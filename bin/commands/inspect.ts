import { collate, openEngine } from "../../runtime/index.ts";
import { colors } from "../shell/color.ts";
import { isOwnPage } from "../../runtime/files/index.ts";
import { exitCode, UsageError } from "../shell/exit.ts";
import { readRunConfig, readSource, strategyPaths } from "../shell/files.ts";
import { onOneLine, type SourceFile } from "../../compiler/source/index.ts";
import { FindingsError } from "../../runtime/findings.ts";
import { reportWithoutLines } from "../project/findings.ts";
import { libraryAt, pathsOf } from "../project/library.ts";
import { strategySource } from "../project/config-strategy.ts";
import { chooseSample, type Chosen } from "../inspect/choose.ts";
import { inspectionOf, type Inspection } from "../inspect/inspection.ts";
import { levelsOf } from "../inspect/levels.ts";
import { stillsFor } from "../inspect/stills.ts";
import { observe } from "../probe/observe.ts";
import { openSubject, type Subject } from "../probe/subject.ts";
import { renderTerminal } from "../inspect/terminal.ts";
import { codeOf, printFindings } from "../shell/print-findings.ts";
import { say, sayJson, type Session } from "../shell/session.ts";
import { writeOutput } from "../shell/write.ts";
import { guardOf } from "../trust/guard.ts";

export interface InspectOptions {
  readonly config?: string;
  readonly sample?: string;
  readonly seed: number;
  readonly html?: string;
  readonly vae?: string;
}

/** The strategy that was named, that of the run config, or the only one of the folder; null if findings were printed instead. */
async function sourceOf(session: Session, named: string | undefined, config?: string): Promise<SourceFile | null> {
  const { io } = session;
  if (named === undefined && config !== undefined) {
    const { source, report } = await strategySource(io, await readRunConfig(io, config, "inspect --config"));
    // Of a usable config all findings are printed later.
    if (source === null) printFindings(session, [report]);
    return source;
  }
  const [first = "", ...others] = await strategyPaths(io, pathsOf(io, named === undefined ? [] : [named]), "inspect");
  const isSample = config !== undefined && !first.endsWith(".strategy");
  const help = isSample
    ? `a sample is named by \`--sample ${onOneLine(first)}\`, and the strategy is that of \`--config\``
    : null;
  if (others.length === 0) return readSource(io, first, help);
  throw new UsageError(
    "there are several strategies in this folder",
    `name one, as in \`ltxc inspect ${first}\`, or a run config: \`ltxc inspect --config train.yaml\``,
  );
}

async function lookAt(subject: Subject, { samples, params, sampler, what }: Chosen, seed: number): Promise<Inspection> {
  const { engine } = await openEngine("cpu");
  const circumstances = { params, sampler, seed, globalStep: 0, progress: 0 };
  const observation = await observe(engine, subject, collate(samples), circumstances);
  const levels = await levelsOf(engine, subject, observation, circumstances);
  return inspectionOf(subject, observation, { sample: what, levels });
}

async function writePage(
  session: Session,
  path: string,
  inspection: Inspection,
  stills: readonly Buffer[],
): Promise<void> {
  const { renderHtml } = await import("../inspect/html.ts");
  const page = renderHtml(inspection, stills);
  const isStdout = await writeOutput(session, { option: "--html", path, isOwn: isOwnPage }, page);
  if (!isStdout) say(session, `wrote ${path}`);
}

/** The frames of the chosen sample; none without a VAE, null if findings about it were printed instead. */
async function decodedStills(
  session: Session,
  { step }: Subject,
  { samples }: Chosen,
  vae: string | undefined,
): Promise<readonly Buffer[] | null> {
  if (vae === undefined) return [];
  try {
    return await stillsFor(step.strategy, samples[0], vae, session.io.cwd);
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    printFindings(session, [reportWithoutLines(vae, error.findings)]);
    return null;
  }
}

/** `ltxc inspect`: shows every value of a strategy's step for one sample, before anything is trained. */
export async function inspect(session: Session, named: string | undefined, options: InspectOptions): Promise<number> {
  const { io } = session;
  if (options.vae !== undefined && (options.html === undefined || options.config === undefined))
    throw new UsageError(
      "`--vae` shows the frames of a run's data on a page",
      "name both, too: `--config train.yaml --html look.html`",
    );
  const source = await sourceOf(session, named, options.config);
  if (source === null) return exitCode.findings;
  const { subject, file, diagnostics } = await openSubject(
    libraryAt(io.cwd, source.path),
    source,
    guardOf(io, session),
  );
  const reports = [{ file, diagnostics }];
  printFindings(session, reports);
  if (subject === null) return codeOf(reports);
  const chosen = await chooseSample(session, subject.step, options);
  if (chosen === null) return exitCode.findings;
  const stills = await decodedStills(session, subject, chosen, options.vae);
  if (stills === null) return exitCode.findings;
  const inspection = await lookAt(subject, chosen, options.seed);
  if (session.json) sayJson(session, { version: 1, ...inspection });
  else if (options.html === undefined)
    io.out(renderTerminal(inspection, io.columns.out ?? 100, colors(session.color.out)));
  if (options.html !== undefined) await writePage(session, options.html, inspection, stills);
  return exitCode.ok;
}
