/** What a run shows while it goes on and when it has ended. */
import { basename } from "node:path";
import type {
  EvaluationEvent,
  FinishedEvent,
  InterruptedEvent,
  StartedEvent,
  StepEvent,
  TrainEvent,
  EngineEvent,
} from "../../runtime/index.ts";
import { colors, control } from "../shell/color.ts";
import { callsText } from "./calls.ts";
import { optimizationText, type AskedFor } from "./optimization.ts";
import { curve, median } from "./curve.ts";
import { duration, shownPath, table } from "../shell/text.ts";
import { plainLine, progressBlock } from "./progress.ts";
import { resumeNote, resumingText, type TrainingStateMode } from "./resuming.ts";
import { createSmoother } from "./smooth.ts";
import { createHistory, summaryCurves, type History } from "./run-summary.ts";
import { paint, say, sayJson, type Session } from "../shell/session.ts";

export interface RunView {
  event(event: TrainEvent): void;
  engine(event: EngineEvent): void;
  /** Prints a line above the progress bar. */
  note(line: string): void;
  /** Removes the progress bar, so that other text can be printed. */
  end(): void;
}

/** What a run view says that no event tells. */
interface Said {
  /** The command with which a stopped run goes on. */
  readonly resume: string;
  /** The memory and time that the run is expected to take, as rows of a table. */
  readonly foreseen: readonly (readonly string[])[];
}

/** Warnings are handed to `onWarning`, which knows the run config's text. */
export function createRunView(
  session: Session,
  { resume, foreseen }: Said,
  onWarning: (event: TrainEvent & { type: "warning" }) => void,
): RunView {
  const history = createHistory();
  const bar = createBar(session);
  let trainingState: TrainingStateMode = "full";
  const shown = (line: string) => bar.above(() => say(session, line));
  const handle = (event: TrainEvent) => {
    switch (event.type) {
      case "started":
        trainingState = event.trainingState;
        return shown([startLine(session, event), ...(foreseen.length === 0 ? [] : [table(foreseen)])].join("\n"));
      case "step":
        history.step(event);
        return bar.step(event);
      case "evaluation":
        history.evaluation(event);
        return shown(evaluationLine(event));
      case "sample":
        return shown(
          `sample ${event.number}/${event.count}${event.isBase === true ? " of the base model" : ""} in ${duration(event.seconds)}: ${shownPath(session.io, event.path)}`,
        );
      case "checkpoint":
        return shown(`saved ${shownPath(session.io, event.path)}`);
      case "warning":
        return bar.above(() => onWarning(event));
      case "finished":
        bar.end();
        return finished(session, event, history);
      case "interrupted":
        bar.end();
        return interrupted(session, event, `${resume}${resumeNote(trainingState)}`);
    }
  };
  return {
    event: (event) => (session.json ? sayJson(session, event) : handle(event)),
    engine: createEngineView(session, bar),
    note: shown,
    end: bar.end,
  };
}

/** The progress: redrawn lines on a terminal, a line from time to time elsewhere, nothing with `--quiet`. */
function createBar({ io, quiet, color }: Session) {
  const columns = io.columns.err;
  const smoothers = new Map<string, (value: number) => number>();
  const smooth = (name: string, value: number, steps: number): number => {
    const smoother = smoothers.get(name) ?? createSmoother(steps);
    smoothers.set(name, smoother);
    return smoother(value);
  };
  const buckets: Record<string, number> = {};
  let first = true;
  let drawn: readonly string[] = [];
  let isStatus = false;
  const clear = () => {
    if (drawn.length === 0) return;
    const up = drawn.length > 1 ? control(`${drawn.length - 1}A`) : "";
    io.err(`${control("G")}${up}${control("J")}`);
  };
  const end = () => {
    clear();
    drawn = [];
  };
  return {
    end,
    step(event: StepEvent): void {
      if (quiet) return;
      const smoothedLoss = smooth("loss", event.loss, event.steps);
      // A step has noise levels in a few ranges only.
      for (const [range, loss] of Object.entries(event.sigmaBuckets)) {
        buckets[range] = smooth(`sigma ${range}`, loss, event.steps);
      }
      const progress = { ...event, smoothedLoss, sigmaBuckets: buckets };
      if (columns === null) {
        const line = plainLine(progress, first);
        if (line !== null) io.err(`${line}\n`);
      } else if (!io.isBehind()) {
        clear();
        isStatus = false;
        drawn = progressBlock(colors(color.err), progress, columns);
        io.err(drawn.join("\n"));
      }
      first = false;
    },
    /** Shows a line instead of the bar until something else is printed; on terminals only. */
    status(text: string | null): void {
      if (quiet || columns === null || (text === null && !isStatus)) return;
      end();
      isStatus = text !== null;
      if (text === null) return;
      drawn = [colors(color.err).dim(text.slice(0, columns - 1))];
      io.err(drawn.join("\n"));
    },
    /** Removes the bar, prints something, and draws the bar again below it. */
    above(print: () => void): void {
      clear();
      print();
      io.err(drawn.join("\n"));
    },
  };
}

/** Preparations that take less than this are not shown, in seconds. */
const LONG = 1;

/** Shows what the engine prepares before it computes. `--json` gets every event but `recording`, people only what takes long or is unexpected. */
function createEngineView(session: Session, bar: ReturnType<typeof createBar>): (event: EngineEvent) => void {
  const elsewhere = new Set<string>();
  const show = (event: EngineEvent) => {
    switch (event.type) {
      case "recording":
        return bar.status("recording what these sizes need …");
      case "recorded": {
        const { operations, isKept, recordSeconds: recorded, startSeconds: started } = event;
        bar.status(null);
        if (recorded + started < LONG) return;
        const verb = isKept ? "read" : "recorded";
        const line = `${verb} ${operations.toLocaleString("en")} operations in ${duration(recorded)}, ready to run after ${duration(started)}`;
        return bar.above(() => say(session, line));
      }
      case "note":
        return bar.above(() => say(session, `note: ${event.message}`));
      case "placed": {
        const isNew = (op: string) => elsewhere.size !== elsewhere.add(op).size;
        const added = Object.entries(event.onCpu).filter(([op]) => isNew(op));
        if (added.length === 0) return;
        const list = added.map(([op, count]) => `${op} ${count}`).join(", ");
        return bar.above(() => say(session, `of ${event.operations} operations some run on the CPU: ${list}`));
      }
    }
  };
  return (event) => {
    if (!session.json) show(event);
    else if (event.type !== "recording") sayJson(session, event);
  };
}

function evaluationLine({ globalStep, loss, sigmas, datasets = {} }: EvaluationEvent): string {
  const parts = sigmas.map((level) => `${level.sigma}: ${level.loss.toFixed(4)}`);
  const sets = Object.entries(datasets).map(([name, value]) => `${name}: ${value.toFixed(4)}`);
  const bySet = sets.length === 0 ? "" : `  by data set  ${sets.join("  ")}`;
  return `evaluation after step ${globalStep}: ${loss.toFixed(4)}${bySet}  by sigma  ${parts.join("  ")}`;
}

function startLine(session: Session, event: StartedEvent): string {
  const { strategy, samples, steps, trainableParameters: numbers, loaded, globalStep } = event;
  const amount = `${steps} steps, ${samples} sample${samples === 1 ? "" : "s"}, ${numbers.toLocaleString("en")} weights`;
  const from = loaded === null ? "" : `\ngoing on after step ${globalStep} from ${shownPath(session.io, loaded)}`;
  const calls = callsText(event.passes);
  const asked: AskedFor | undefined = event.optimization;
  const optimized = optimizationText(asked);
  const { networks = [] } = event;
  const frozen = networks.length === 0 ? null : `networks that are not trained: ${networks.join(", ")}`;
  const each = [calls, frozen, optimized].map((line) => (line === null ? "" : `\n${line}`)).join("");
  const resuming = resumingText(event.trainingState, numbers, asked);
  return `training \`${strategy}\`: ${amount}${each}\n${resuming}${from}`;
}

/** Steps that make up "start" and "end": 20, or fewer where the run is short. */
const windowOf = (count: number): number => Math.max(1, Math.min(20, Math.floor(count / 2)));

function finished(session: Session, { seconds, checkpoint }: FinishedEvent, history: History): void {
  const { bold, cyan, green } = paint(session);
  const { loss } = history;
  const window = windowOf(loss.count);
  const [start, end] = [median(loss.first.slice(0, window)), median(loss.last.slice(-window))];
  const columns = session.io.columns.out ?? 80;
  if (loss.count > 1) {
    say(session);
    say(session, cyan(curve(loss.means(), Math.min(60, columns - 12))));
    say(session);
    const what = `median of the first and the last ${window} steps`;
    say(
      session,
      `loss ${bold(start.toFixed(4))} → ${bold(end.toFixed(4))}, ratio ${bold((end / start).toFixed(2))} (${what})`,
    );
  }
  const small = summaryCurves(history, columns);
  if (small !== "") say(session, `\n${small}\n`);
  say(session, `${loss.count} steps in ${duration(seconds)}`);
  if (!session.quiet) session.io.out("\n");
  session.io.out(
    `${green(basename(checkpoint).startsWith("model") ? "model:" : "LoRA:")} ${shownPath(session.io, checkpoint)}\n`,
  );
}

function interrupted(session: Session, { globalStep, checkpoint }: InterruptedEvent, resume: string): void {
  session.io.out(`stopped after step ${globalStep}, saved ${shownPath(session.io, checkpoint)}\nto go on: ${resume}\n`);
}
