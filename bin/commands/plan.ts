import { dirname, resolve } from "node:path";
import type { RunConfig } from "../../runtime/config/index.ts";
import {
  graphsOf,
  planOf,
  printGraph,
  recordingSeconds,
  runSeconds,
  speedOf,
  stepSeconds,
  partsOfStep,
  type MeasuredSpeed,
  type Graph,
  type Plan,
  type Preflight,
} from "../../runtime/index.ts";
import { FindingsError, type Finding } from "../../runtime/findings.ts";
import { forecastStep } from "../project/forecast-step.ts";
import { exitCode } from "../shell/exit.ts";
import { readRunConfig } from "../shell/files.ts";
import { bytes, table } from "../shell/text.ts";
import { inspectMachine, type Machine } from "../shell/machine.ts";
import { alternativeRows, alternativesOf, memoryOf, type Alternative } from "../plan/alternatives.ts";
import { indented, leftOutRows } from "../plan/outlook.ts";
import { hopeless } from "../plan/memory-check.ts";
import { planRows } from "../plan/plan-text.ts";
import { codeOf, printFindings, printReport } from "../shell/print-findings.ts";
import { toDiagnostics } from "../project/findings.ts";
import { examineRunConfig, foundBy, type Examined } from "../project/run-config.ts";
import { paint, sayJson, type Session } from "../shell/session.ts";
import { guardOf } from "../trust/guard.ts";

export interface PlanOptions {
  readonly build: string;
  /** Runs imported functions, and builds without a .strategy file, to know what they take. */
  readonly runImports?: true;
  /** Prints the graphs of a step instead of the plan. */
  readonly emit?: "graph";
  /** Settings that replace those of the run config. */
  readonly set?: readonly string[];
}

/** Whether the run fits into the free memory, and what to do if not. */
function advice(plan: Plan, alternatives: readonly Alternative[], { memory }: Machine): string {
  const free = `${bytes(memory.free)} of ${bytes(memory.total)} are free`;
  if (memoryOf(plan) <= memory.free) return `It fits: ${free}.`;
  const fitting = alternatives.filter((alternative) => memoryOf(alternative.plan) <= memory.free);
  const [best] = fitting.toSorted((a, b) => a.settings.length - b.settings.length);
  if (best !== undefined) return `It does not fit, ${free}. It would with ${best.settings.join(" and ")}.`;
  return `It does not fit, ${free}, nor would it with these settings: take smaller samples, or a machine with more memory.`;
}

/** The graphs that an optimizer step runs, forward, backward and the update of the weights, as ONNX Runtime gets them. */
function printGraphs(session: Session, path: string, graphs: readonly Graph[], leftOut: readonly string[]): number {
  const texts = graphs.map(printGraph);
  if (session.json) sayJson(session, { path, graphs: texts, leftOut });
  if (session.json) return exitCode.ok;
  for (const row of leftOutRows(leftOut)) session.io.out(`# ${row.join(": ")}\n`);
  texts.forEach((text, i) => session.io.out(`${i === 0 ? "" : "\n"}# graph ${i + 1} of ${texts.length}\n${text}\n`));
  return exitCode.ok;
}

/** All that `ltxc plan` says. */
interface Estimate {
  readonly path: string;
  readonly config: RunConfig;
  readonly leftOut: readonly string[];
  readonly plan: Plan;
  readonly alternatives: readonly Alternative[];
  readonly speed: MeasuredSpeed | null;
  readonly machine: Machine;
}

const fits = ({ plan, machine }: Estimate): boolean => memoryOf(plan) <= machine.memory.free;

function toJson(estimate: Estimate): object {
  const { path, config, leftOut, plan, alternatives, speed, machine } = estimate;
  const { steps } = config.optimization;
  return {
    path,
    fits: fits(estimate),
    residentBytes: memoryOf(plan),
    ...(speed === null
      ? { secondsPerStep: null, secondsOfStep: null, runSeconds: null }
      : {
          secondsPerStep: stepSeconds(plan.commonest, speed),
          secondsOfStep: partsOfStep(plan.commonest, speed),
          runSeconds: runSeconds(plan, steps, speed),
        }),
    recordingSeconds: recordingSeconds(plan),
    steps,
    plan,
    leftOut,
    speed,
    memory: machine.memory,
    alternatives: alternatives.map(({ settings, plan: own }) => ({
      settings,
      residentBytes: memoryOf(own),
      plan: own,
    })),
  };
}

function textOf(session: Session, { path, config, leftOut, plan, alternatives, speed, machine }: Estimate): string {
  const colors = paint(session);
  const run = { steps: config.optimization.steps, trainingState: config.checkpoints.save_training_state };
  const others =
    alternatives.length === 0
      ? "  none of those that are tried saves memory"
      : indented(table(alternativeRows(alternatives, speed)));
  const lines = [
    colors.bold(`${path} on the engine onnx`),
    indented(table([...planRows(plan, run, speed), ...leftOutRows(leftOut)])),
    "",
    colors.bold("With other settings"),
    others,
    "",
    advice(plan, alternatives, machine),
  ];
  return `${lines.join("\n")}\n`;
}

/** `ltxc plan`: the memory and time that a run takes here with the engine onnx, and what would save memory. Exit code 1 if it does not fit. */
export async function plan(session: Session, path: string, options: PlanOptions): Promise<number> {
  const { io } = session;
  const file = await readRunConfig(io, path, "plan");
  const build = resolve(io.cwd, options.build);
  const guard = options.runImports === true ? guardOf(io, session) : null;
  const config = dirname(resolve(io.cwd, path));
  const examined = await examineRunConfig(io, file, (section) => forecastStep(io, section, { build, guard, config }), {
    withFiles: true,
    ...(options.set === undefined ? {} : { overrides: options.set }),
  });
  const { ready, preflight, root } = examined;
  const told = (findings: readonly Finding[]) => {
    const ofPlan = root === null ? [] : toDiagnostics(examined.file, root, findings);
    return [{ file: examined.file, diagnostics: [...examined.diagnostics, ...ofPlan] }];
  };
  const made =
    ready === null || preflight === null ? null : await foundBy(() => forecast(ready, preflight, path, options));
  const reports = told(made?.findings ?? []);
  if (made === null || made.result === null) {
    printReport(session, reports, session.json ? "json" : "terminal");
    return codeOf(reports);
  }
  if (!session.json) printFindings(session, reports);
  return print(session, made.result);
}

/** Graphs to print, or what a run takes. */
type Forecast =
  Estimate | { readonly path: string; readonly graphs: readonly Graph[]; readonly leftOut: readonly string[] };

/** Errors: FindingsError where the run could not take a step, or where what it trains is hopelessly large. */
async function forecast(
  { config, step, leftOut = [] }: NonNullable<Examined["ready"]>,
  examined: Preflight,
  path: string,
  { emit }: PlanOptions,
): Promise<Forecast> {
  const tooMuch = await hopeless(config, examined);
  if (tooMuch.length > 0) throw new FindingsError(tooMuch);
  if (emit === "graph") return { path, graphs: await graphsOf(config, step, examined), leftOut };
  const plan = await planOf(config, step, examined);
  return {
    path,
    config,
    leftOut,
    plan,
    alternatives: await alternativesOf(config, step, examined, plan),
    speed: await speedOf("onnx", { provider: config.runtime.provider }),
    machine: await inspectMachine(),
  };
}

function print(session: Session, made: Forecast): number {
  if ("graphs" in made) return printGraphs(session, made.path, made.graphs, made.leftOut);
  if (session.json) sayJson(session, toJson(made));
  else session.io.out(textOf(session, made));
  return fits(made) ? exitCode.ok : exitCode.findings;
}
