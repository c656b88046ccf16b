import { dirname, resolve } from "node:path";
import { entryOf } from "../../compiler/diagnostics/index.ts";
import { sourceFile } from "../../compiler/source/index.ts";
import { askedFor, type RunConfig } from "../../runtime/config/index.ts";
import {
  memoryTolerance,
  planBytes,
  cardToPlan,
  graphsOf,
  printGraph,
  recordingSeconds,
  runSeconds,
  stepSeconds,
  whyNoSpeed,
  partsOfStep,
  type EngineSpeed,
  type Graph,
  type Plan,
  type PlannedCard,
  type PlannedEngine,
  type Preflight,
} from "../../runtime/index.ts";
import { FindingsError, type Finding } from "../../runtime/findings.ts";
import { forecastStep } from "../project/forecast-step.ts";
import { exitCode } from "../shell/exit.ts";
import { readRunConfig } from "../shell/files.ts";
import { bytes, table } from "../shell/text.ts";
import { inspectMachine } from "../shell/machine.ts";
import {
  alternativeRows,
  alternativesOf,
  alternativeText,
  speedWith,
  tableRows,
  type Alternative,
} from "../plan/alternatives.ts";
import { createMomentLine } from "../shell/moment-line.ts";
import { indented, leftOutRows } from "../plan/outlook.ts";
import { hopeless, roomOf } from "../plan/memory-check.ts";
import { plannedEngine, reckoningFor, reckoningOn, reckoningText, type Reckoning } from "../plan/planned-engine.ts";
import { plansOf, settledWith, type Settled } from "../plan/offload.ts";
import { planRows } from "../plan/plan-text.ts";
import { fittingOf } from "../plan/remedy.ts";
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
  /** The card to plan for, or its memory, in place of this machine. */
  readonly gpu?: string;
  /** Prints all that was tried as one table. */
  readonly table?: true;
}

/** Bytes that the run can have. */
interface Space {
  readonly free: number;
  /** As in "It fits: 3 GiB of 8 GiB are free". */
  readonly text: string;
}

/** That of the card that is planned for, of the machine, or of the GPU that the run would take. */
async function spaceOf(config: RunConfig, engine: PlannedEngine, card: PlannedCard | null): Promise<Space> {
  if (card !== null) return { free: card.bytes, text: `${card.title} has about ${bytes(card.bytes)} for a run` };
  const room = engine.provider === "cuda" ? await roomOf(config, engine) : null;
  if (room !== null) return { free: room.bytes, text: `${room.owner} has ${bytes(room.bytes)}` };
  const { memory } = await inspectMachine();
  return { free: memory.free, text: `${bytes(memory.free)} of ${bytes(memory.total)} are free` };
}

/** Whether the run fits into the memory, and what to do if not. */
function advice({ plan, alternatives, space, speed }: Estimate): string {
  const { text: free } = space;
  if (planBytes(plan) <= space.free) return `It fits: ${free}.`;
  const fitting = fittingOf(alternatives, space.free, speed);
  const [best] = fitting;
  if (best === undefined)
    return `It does not fit, ${free}, nor would it with these settings or with smaller samples: take a machine with more memory.`;
  // Fewer frames and a smaller picture are a choice.
  const others =
    best.smaller === null ? [] : fitting.filter((x) => x !== best && x.settings.length === best.settings.length);
  const or = others.map((other) => `, or with ${alternativeText(other)}`).join("");
  return `It does not fit, ${free}. It would with ${alternativeText(best)}${or}.`;
}

/** The graphs that an optimizer step runs, forward, backward and the update of the weights, as the engine gets them. */
function printGraphs(session: Session, path: string, graphs: readonly Graph[], leftOut: readonly string[]): number {
  const texts = graphs.map(printGraph);
  if (session.json) sayJson(session, { path, graphs: texts, leftOut });
  if (session.json) return exitCode.ok;
  for (const row of leftOutRows(leftOut)) session.io.out(`# ${row.join(": ")}\n`);
  texts.forEach((text, i) => session.io.out(`${i === 0 ? "" : "\n"}# graph ${i + 1} of ${texts.length}\n${text}\n`));
  return exitCode.ok;
}

/** All that `ltxc plan` says. */
interface Estimate extends Reckoning, Settled {
  readonly path: string;
  readonly leftOut: readonly string[];
  readonly alternatives: readonly Alternative[];
  readonly space: Space;
  /** The card that is planned for; null for this machine. */
  readonly card: PlannedCard | null;
  /** Whether all that was tried is printed as one table. */
  readonly isTable: boolean;
}

const fits = ({ plan, space }: Estimate): boolean => planBytes(plan) <= space.free;

const secondsOf = ({ commonest }: Plan, speed: EngineSpeed | null): number | null =>
  speed === null ? null : stepSeconds(commonest, speed);

function toJson(estimate: Estimate): object {
  const { path, config, engine, insteadOf, leftOut, plan, alternatives, speed, space, card } = estimate;
  const { steps } = config.optimization;
  return {
    path,
    engine,
    insteadOf,
    fits: fits(estimate),
    offload: config.runtime.offload,
    residentBytes: planBytes(plan),
    memoryTolerance: memoryTolerance(engine),
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
    memory: { free: space.free },
    gpu: card === null ? null : { title: card.title, bytes: card.bytes },
    alternatives: alternatives.map(({ plan: own, ...one }) => ({
      settings: one.settings,
      smaller: one.smaller,
      engine: one.engine,
      offload: one.isStreamed ? "blocks" : "none",
      fits: planBytes(own) <= space.free,
      residentBytes: planBytes(own),
      secondsPerStep: secondsOf(own, speedWith({ ...one, plan: own }, speed)),
      plan: own,
    })),
  };
}

function textOf(session: Session, estimate: Estimate): string {
  const { path, config, leftOut, plan, alternatives, speed, space, card, isTable } = estimate;
  const colors = paint(session);
  const run = {
    steps: config.optimization.steps,
    trainingState: config.checkpoints.save_training_state,
    optimization: askedFor(config.runtime),
  };
  const others =
    alternatives.length === 0
      ? "  none of those that are tried saves memory"
      : indented(table(alternativeRows(alternatives, speed)));
  const whole = indented(table(tableRows(estimate, alternatives, { speed, most: space.free })));
  const where = card === null ? "" : `, for ${card.title}${otherThanWritten(config)}`;
  const lines = [
    colors.bold(`${path} on ${reckoningText(estimate)}${where}`),
    indented(
      table([
        ...offloadRows(estimate),
        ...planRows(plan, run, speed),
        ...noSpeedRows(estimate),
        toleranceRow(estimate),
        ...leftOutRows(leftOut),
      ]),
    ),
    "",
    colors.bold(isTable ? "As it is and with other settings" : "With other settings"),
    isTable ? whole : others,
    "",
    advice(estimate),
  ];
  return `${lines.join("\n")}\n`;
}

/** What the run config says that no card computes with. */
function otherThanWritten({ runtime: { engine, provider } }: RunConfig): string {
  const other = [
    ...(["auto", "onnx", "torch"].includes(engine) ? [] : [`engine: ${engine}`]),
    ...(["auto", "cuda"].includes(provider) ? [] : [`provider: ${provider}`]),
  ];
  if (other.length === 0) return "";
  return `; the run config says \`${other.join("` and `")}\`, with which a run would not compute so`;
}

/** How far runs were from the memory of their plans. */
function toleranceRow({ engine }: Estimate): string[] {
  const tolerance = memoryTolerance(engine);
  const text =
    tolerance === null
      ? "memory is computed; it was not compared with runs on a GPU yet"
      : `memory within ${100 * tolerance} % in runs that were measured; saving a checkpoint is not counted`;
  return ["accuracy", text];
}

/** Why no time is told, of a card. */
function noSpeedRows({ card, engine }: Estimate): string[][] {
  const why = card === null ? null : whyNoSpeed(card, engine.precision);
  return why === null ? [] : [["speed", why]];
}

/** What `auto` has chosen. */
function offloadRows(estimate: Estimate): string[][] {
  if (!estimate.isChosen) return [];
  const why = fits(estimate) ? "the run does not fit otherwise" : "that takes less memory, though still too much";
  return [["offload", `weights of blocks wait on the host until they are needed: ${why}`]];
}

/** The card of `--gpu`; where there is none of that name, the finding is printed. */
function cardOf(session: Session, { gpu }: PlanOptions): { readonly card: PlannedCard | null } | null {
  if (gpu === undefined) return { card: null };
  const found = cardToPlan(gpu);
  if (!("help" in found)) return { card: found };
  const { code, slug } = entryOf("LTX6391");
  const span = { start: 0, end: gpu.length };
  const diagnostic = {
    code,
    slug,
    severity: "error",
    message: found.message,
    help: found.help,
    span,
    labels: [],
  } as const;
  const reports = [{ file: sourceFile("--gpu", gpu), diagnostics: [diagnostic] }];
  printReport(session, reports, session.json ? "json" : "terminal");
  return null;
}

/** `ltxc plan`: the memory and time that a run takes here or on a named card, and what would save memory. Exit code 1 if it does not fit. */
export async function plan(session: Session, path: string, options: PlanOptions): Promise<number> {
  const { io } = session;
  const file = await readRunConfig(io, path, "plan");
  const asked = cardOf(session, options);
  if (asked === null) return exitCode.findings;
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
  const line = createMomentLine(session);
  const tell = (text: string) => line.show(() => `reckoning ${text}`);
  const made =
    ready === null || preflight === null
      ? null
      : await foundBy(() => forecast(ready, preflight, path, { ...options, ...asked, tell }));
  line.clear();
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

interface ForecastOptions extends Pick<PlanOptions, "emit" | "table"> {
  readonly card: PlannedCard | null;
  /** Is told what is reckoned next. */
  readonly tell: (text: string) => void;
}

/** Errors: FindingsError where the run could not take a step, or where what it trains is hopelessly large. */
async function forecast(
  { config: written, step, leftOut = [] }: NonNullable<Examined["ready"]>,
  examined: Preflight,
  path: string,
  { emit, card, table: asTable, tell }: ForecastOptions,
): Promise<Forecast> {
  const isTable = asTable === true;
  const tooMuch = await hopeless(
    written,
    examined,
    card === null ? undefined : { bytes: card.bytes, owner: card.title },
  );
  if (tooMuch.length > 0) throw new FindingsError(tooMuch);
  if (emit === "graph") {
    const { engine } = card === null ? await plannedEngine(written) : reckoningOn(card, written);
    return { path, graphs: await graphsOf(written, step, examined, { engine }), leftOut };
  }
  const reckoning = card === null ? await reckoningFor(written) : reckoningOn(card, written);
  const { engine } = reckoning;
  const space = await spaceOf(written, engine, card);
  tell("the run as it is");
  const make = plansOf(step, examined);
  const settled = await settledWith(make, written, engine, space.free);
  const search = { engine, most: space.free, isTable, make, tell: (text: string) => tell(`it with ${text}`) };
  const alternatives = await alternativesOf(written, step, examined, search);
  return { ...reckoning, path, leftOut, ...settled, alternatives, space, card, isTable };
}

function print(session: Session, made: Forecast): number {
  if ("graphs" in made) return printGraphs(session, made.path, made.graphs, made.leftOut);
  if (session.json) sayJson(session, toJson(made));
  else session.io.out(textOf(session, made));
  return fits(made) ? exitCode.ok : exitCode.findings;
}
