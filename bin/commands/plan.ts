import { resolve } from "node:path";
import type { RunConfig } from "../../runtime/config/index.ts";
import type { Step } from "../../runtime/contract.ts";
import {
  graphsOf,
  planOf,
  printGraph,
  residentBytes,
  stepSeconds,
  type EngineSpeed,
  type Graph,
  type Plan,
  type Preflight,
} from "../../runtime/index.ts";
import { forecastStep } from "../project/forecast-step.ts";
import { exitCode } from "../shell/exit.ts";
import { readRunConfig } from "../shell/files.ts";
import { bytes, table } from "../shell/text.ts";
import { inspectMachine, type Machine } from "../shell/machine.ts";
import { indented, leftOutRows, speedOfOnnx } from "../plan/outlook.ts";
import { pace, planRows } from "../plan/plan-text.ts";
import { codeOf, printFindings, printReport } from "../shell/print-findings.ts";
import { examineRunConfig } from "../project/run-config.ts";
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

/** The run with other settings, written as in the run config. */
interface Alternative {
  readonly settings: readonly string[];
  readonly plan: Plan;
}

/** Changes that may save memory. An optimizer step trains on as many samples as before. */
function changesOf({
  optimization,
}: RunConfig): { readonly setting: string; readonly config: Partial<RunConfig["optimization"]> }[] {
  const { enable_gradient_checkpointing, optimizer_type, batch_size, gradient_accumulation_steps } = optimization;
  return [
    {
      setting: `enable_gradient_checkpointing: ${!enable_gradient_checkpointing}`,
      config: { enable_gradient_checkpointing: !enable_gradient_checkpointing },
    },
    ...(optimizer_type === "adamw"
      ? [{ setting: "optimizer_type: adamw8bit", config: { optimizer_type: "adamw8bit" as const } }]
      : []),
    ...(batch_size > 1
      ? [
          {
            setting: `batch_size: 1, gradient_accumulation_steps: ${batch_size * gradient_accumulation_steps}`,
            config: { batch_size: 1, gradient_accumulation_steps: batch_size * gradient_accumulation_steps },
          },
        ]
      : []),
  ];
}

/** Each change on its own, and all those that save memory together. */
async function alternativesOf(config: RunConfig, step: Step, examined: Preflight, plan: Plan): Promise<Alternative[]> {
  const changes = changesOf(config);
  const planned = async (chosen: typeof changes): Promise<Alternative> => {
    const optimization = Object.assign(
      {},
      config.optimization,
      ...chosen.map((change) => change.config),
    ) as RunConfig["optimization"];
    return {
      settings: chosen.map(({ setting }) => setting),
      plan: await planOf({ ...config, optimization }, step, examined),
    };
  };
  const single: Alternative[] = [];
  for (const change of changes) single.push(await planned([change]));
  const isSaving = (_: unknown, i: number) => memoryOf(single[i]?.plan ?? plan) < memoryOf(plan);
  const saving = changes.filter(isSaving);
  return saving.length > 1 ? [...single, await planned(saving)] : single;
}

const memoryOf = ({ largest }: Plan): number => residentBytes(largest);

/** Whether the run fits into the free memory, and what to do if not. */
function advice(plan: Plan, alternatives: readonly Alternative[], { memory }: Machine): string {
  const free = `${bytes(memory.free)} of ${bytes(memory.total)} are free`;
  if (memoryOf(plan) <= memory.free) return `It fits: ${free}.`;
  const fitting = alternatives.filter((alternative) => memoryOf(alternative.plan) <= memory.free);
  const [best] = fitting.toSorted((a, b) => a.settings.length - b.settings.length);
  if (best !== undefined) return `It does not fit, ${free}. It would with ${best.settings.join(" and ")}.`;
  return `It does not fit, ${free}, nor would it with these settings: take smaller samples, or a machine with more memory.`;
}

function alternativeRows(alternatives: readonly Alternative[], speed: EngineSpeed | null): string[][] {
  return alternatives.map(({ settings, plan }) => {
    const time = speed === null ? "" : `about ${pace(stepSeconds(plan.commonest, speed))} a step`;
    return [
      settings.length === 1 ? (settings[0] ?? "") : "all of these that save memory",
      `about ${bytes(memoryOf(plan))}`,
      time,
    ];
  });
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

/** `ltxc plan`: the memory and time that a run takes here with the engine onnx, and what would save memory. Exit code 1 if it does not fit. */
export async function plan(session: Session, path: string, options: PlanOptions): Promise<number> {
  const { io } = session;
  const file = await readRunConfig(io, path, "plan");
  const build = resolve(io.cwd, options.build);
  const guard = options.runImports === true ? guardOf(io, session) : null;
  const examined = await examineRunConfig(io, file, (section) => forecastStep(io, section, { build, guard }), {
    withFiles: true,
    ...(options.set === undefined ? {} : { overrides: options.set }),
  });
  const reports = [{ file: examined.file, diagnostics: examined.diagnostics }];
  if (examined.ready === null || examined.preflight === null) {
    printReport(session, reports, session.json ? "json" : "terminal");
    return codeOf(reports);
  }
  if (!session.json) printFindings(session, reports);
  const { config, step, leftOut = [] } = examined.ready;
  if (options.emit === "graph")
    return printGraphs(session, path, await graphsOf(config, step, examined.preflight), leftOut);
  const planned = await planOf(config, step, examined.preflight);
  const alternatives = await alternativesOf(config, step, examined.preflight, planned);
  const [speed, machine] = [await speedOfOnnx(config), await inspectMachine()];
  const fits = memoryOf(planned) <= machine.memory.free;
  const code = fits ? exitCode.ok : exitCode.findings;
  if (session.json) {
    const list = alternatives.map(({ settings, plan: own }) => ({ settings, residentBytes: memoryOf(own), plan: own }));
    sayJson(session, {
      path,
      fits,
      residentBytes: memoryOf(planned),
      secondsPerStep: speed === null ? null : stepSeconds(planned.commonest, speed),
      plan: planned,
      leftOut,
      speed,
      memory: machine.memory,
      alternatives: list,
    });
    return code;
  }
  const colors = paint(session);
  const lines = [
    colors.bold(`${path} on the engine onnx`),
    indented(
      table([
        ...planRows(
          planned,
          { steps: config.optimization.steps, trainingState: config.checkpoints.save_training_state },
          speed,
        ),
        ...leftOutRows(leftOut),
      ]),
    ),
    "",
    colors.bold("With other settings"),
    indented(table(alternativeRows(alternatives, speed))),
    "",
    advice(planned, alternatives, machine),
  ];
  io.out(`${lines.join("\n")}\n`);
  return code;
}
