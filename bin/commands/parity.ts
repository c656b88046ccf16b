import { dirname, resolve } from "node:path";
import { toPlain } from "../../compiler/1-parse/index.ts";
import { toJson, type FileReport } from "../../compiler/diagnostics/index.ts";
import { FindingsError, type Finding } from "../../runtime/findings.ts";
import { preflight } from "../../runtime/index.ts";
import { compileThere } from "../official-trainer/compile-there.ts";
import { findInstallation, type Installation } from "../official-trainer/installation.ts";
import { needsTextEncoder } from "../official-trainer/train-there.ts";
import { compare, type Comparison } from "../parity/compare.ts";
import { openFolder, writeResult } from "../parity/folder.ts";
import { changesOf, settingsHere } from "../parity/settings.ts";
import { findingOf, tableOf, worstLine } from "../parity/text.ts";
import { trainHere, type Shown } from "../parity/train-here.ts";
import { trainThere } from "../parity/train-there.ts";
import { toDiagnostics } from "../project/findings.ts";
import { forecastStep } from "../project/forecast-step.ts";
import { examineRunConfig, type Examined } from "../project/run-config.ts";
import { exitCode, UsageError } from "../shell/exit.ts";
import { readRunConfig } from "../shell/files.ts";
import type { Io } from "../shell/io.ts";
import { codeOf, printFindings } from "../shell/print-findings.ts";
import { paint, say, sayJson, type Session } from "../shell/session.ts";
import { shownPath } from "../shell/text.ts";
import { guardOf } from "../trust/guard.ts";

export interface ParityOptions {
  readonly steps: number;
  readonly out: string;
  /** Replace an earlier comparison in its folder. */
  readonly overwrite?: true;
  readonly set?: readonly string[];
  readonly build: string;
}

/** Everything that was found; printed at once for people, at the end for programs. */
function createReporter(session: Session, { file, root }: Pick<Examined, "file" | "root">) {
  const all: FileReport[] = [];
  const reports = (added: readonly FileReport[]) => {
    const found = added.filter(({ diagnostics }) => diagnostics.length > 0);
    all.push(...found);
    if (!session.json) printFindings(session, found);
  };
  return {
    reports,
    findings: (found: readonly Finding[]) =>
      root !== null && reports([{ file, diagnostics: toDiagnostics(file, root, found) }]),
    /** Ends the command: prints the JSON, and gives the exit code. */
    end(more: Readonly<Record<string, unknown>> = {}): number {
      if (session.json) sayJson(session, { ...toJson(all), ...more });
      return codeOf(all);
    },
  };
}

type Reporter = ReturnType<typeof createReporter>;

/** About five lines for each side. */
function shownTo(session: Session, steps: number, { findings }: Reporter): Shown {
  const every = Math.max(1, Math.ceil(steps / 4));
  return {
    note: (line) => say(session, line),
    step(who, step, loss) {
      const isShown = !session.quiet && !session.json && (step === 1 || step % every === 0);
      if (isShown) session.io.err(`${who} step ${step}/${steps}  loss ${loss.toFixed(4)}\n`);
    },
    warn: findings,
  };
}

/** `ltxc parity`: trains on both trainers from the same weights, and compares the losses. */
export async function parity(session: Session, path: string, options: ParityOptions): Promise<number> {
  const { io } = session;
  if (options.steps < 1) throw new UsageError("`--steps` is 1 or more", "leave it out for 20");
  const file = await readRunConfig(io, path, "parity");
  const base = dirname(resolve(io.cwd, path));
  const places = { build: resolve(io.cwd, options.build), guard: guardOf(io, session), config: base };
  const examined = await examineRunConfig(io, file, (section) => forecastStep(io, section, places), {
    withFiles: false,
    overrides: options.set ?? [],
  });
  const reporter = createReporter(session, examined);
  reporter.reports([{ file: examined.file, diagnostics: examined.diagnostics }]);
  if (examined.ready === null) return reporter.end();
  try {
    return await compareBoth(session, options, { ...examined, base }, reporter);
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    reporter.findings(error.findings);
    return reporter.end();
  }
}

async function compareBoth(
  session: Session,
  { steps, out, overwrite, build }: ParityOptions,
  { ready, root, base }: Examined & { readonly base: string },
  reporter: Reporter,
): Promise<number> {
  const { io } = session;
  if (ready === null || root === null) return reporter.end();
  const { config, step } = ready;
  const installation = await installationFor(session, config);
  const places = { build: resolve(io.cwd, build), config: base };
  const { module, report } = await compileThere(io, config.training_strategy, places);
  reporter.reports([report]);
  if (module === null) return reporter.end();
  // All that can be wrong with data and model, before anything is made or replaced.
  const looked = settingsHere(config, { steps, outputs: resolve(io.cwd, out, "ltxc"), start: null });
  const { dataset } = (await preflight(looked, step, { onWork: "overwrite" })).data;
  const samples = dataset.samples.map(({ name }) => name);
  const folder = await openFolder(io, out, overwrite === true);
  const shown = shownTo(session, steps, reporter);
  const changes = changesOf(config);
  if (changes.length > 0) shown.note(`as the run config says, but ${changes.join(", ")}`);
  const written = toPlain(root);
  const both = { config, written, base, step, module, installation, folder, samples, steps };
  const compared = await trainBoth(io, both, shown);
  if (compared !== null) return tell(session, compared, folder, reporter);
  say(session, `stopped; what was trained is in ${shownPath(io, folder)}`);
  reporter.end({ isFinished: false, folder });
  return exitCode.interrupted;
}

type Both = Parameters<typeof trainHere>[0] & Omit<Parameters<typeof trainThere>[1], "losses" | "start">;

/** Null where it was stopped. */
async function trainBoth(io: Io, both: Both, shown: Shown): Promise<Comparison | null> {
  const stop = new AbortController();
  const off = io.onInterrupt(() => {
    stop.abort();
    shown.note("ending (Ctrl-C again stops at once)");
  });
  try {
    const here = await trainHere(both, shown, stop.signal);
    if (here === null) return null;
    const there = await trainThere(io, { ...both, ...here }, shown, stop.signal);
    return there === null ? null : compare(here.losses, there);
  } finally {
    off();
  }
}

/** @throws FindingsError LTX6608 where there is none, LTX6611 */
async function installationFor(
  { io }: Session,
  { runtime, model }: Parameters<typeof changesOf>[0],
): Promise<Installation> {
  const found = await findInstallation(io, runtime.ltx_trainer);
  const obstacles = ["code" in found ? found : null, needsTextEncoder(model)].flatMap((finding) => finding ?? []);
  if ("code" in found || obstacles.length > 0) throw new FindingsError(obstacles);
  return found;
}

/** Prints the result and keeps it. */
async function tell(session: Session, compared: Comparison, folder: string, reporter: Reporter): Promise<number> {
  const { bold, green } = paint(session);
  const result = { isFinished: true, ...compared, folder };
  await writeResult(folder, result);
  say(session, `\n${tableOf(compared)}\n`);
  if (!session.json) session.io.out(`${bold(worstLine(compared))}\n`);
  say(session, `both runs are in ${shownPath(session.io, folder)}`);
  const finding = findingOf(compared);
  if (finding !== null) reporter.findings([finding]);
  else if (!session.json) session.io.out(`${green("the two train alike")}\n`);
  return reporter.end(result);
}
