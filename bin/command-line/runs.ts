/** Commands about runs: their arguments, options and examples. */
import { Option } from "commander";
import type { ParityOptions } from "../commands/parity.ts";
import type { PlanOptions } from "../commands/plan.ts";
import type { ReportOptions } from "../commands/report.ts";
import type { RunOptions } from "../commands/run.ts";
import type { Declaring } from "./declaring.ts";
import { setOption, wholeNumber } from "./options.ts";

export function declarePlan({ command, session, done }: Declaring): void {
  command("plan", "Estimate the memory and time that a run takes, and what would make it fit.", [
    ["ltxc plan", "of train.yaml, on this machine"],
    ["ltxc plan --gpu 4090", 'on a card that is not here; also by its memory: --gpu "24 GB"'],
    ["ltxc plan --gpu a100-40 --table", "with all settings and sizes that would save memory"],
    ["ltxc plan --set optimization.batch_size=4", "with a setting other than the run config's"],
    ["ltxc plan --run-imports", "with what imported functions take, which run for that"],
    ["ltxc plan --emit graph > step.txt", "every operation of a training step, forward and backward"],
  ])
    .argument("[config]", "the run config", "train.yaml")
    .option(
      "--gpu <card>",
      'plan for a card that need not be here: a name, such as 4090, h100 or a100-40, or its memory, such as "24 GB"',
    )
    .option("--table", "one table of all that was tried: settings, their combinations, fewer frames, a smaller picture")
    .addOption(setOption())
    .option(
      "--build <dir>",
      "the folder of the compiled strategies: where to look for a strategy that is not here",
      "build",
    )
    .option(
      "--run-imports",
      "run imported functions, which are left out otherwise; nothing of the project runs without it",
    )
    .addOption(
      new Option(
        "--emit <what>",
        "print the optimized graphs that one step runs, in place of the plan; nothing is computed",
      ).choices(["graph"]),
    )
    .action(async (config: string, options: PlanOptions) => {
      const { plan } = await import("../commands/plan.ts");
      done(await plan(session(), config, options));
    });
}

export function declareRun({ command, session, done }: Declaring): void {
  command(
    "run",
    "Train a LoRA, or all weights, as a run config says. Ctrl-C, SIGTERM or a closed terminal finish the step, save and tell how to go on; Ctrl-C twice stops at once.",
    [
      ["ltxc run", "train.yaml of this folder"],
      ["ltxc run --resume", "go on where it was stopped"],
      ["ltxc run --new", "keep what an earlier run left: train in outputs-2, outputs-3, …"],
      ["ltxc run configs/long.yaml", "another run config"],
      ["ltxc run --set seed=7 --set lora.rank=16", "other settings than it has"],
      ["ltxc run --on ltx-trainer --set runtime.processes=8", "on eight GPUs, by the official trainer"],
      ["ltxc run --json > metrics.jsonl", "events as JSON lines"],
    ],
  )
    .argument("[config]", "the run config", "train.yaml")
    .option("--resume", "go on from the newest checkpoint in the run's output folder")
    .option("--resume-anyway", "the same with other settings, data or strategy than were trained with so far")
    .option("--new", "begin in a new folder next to the output folder, if that one holds the work of an earlier run")
    .option("--overwrite", "begin anew: delete what ltxc wrote into the output folder, and say what")
    .addOption(setOption())
    .option("--build <dir>", "the folder of the compiled strategies", "build")
    .addOption(
      new Option(
        "--on <trainer>",
        "train on the official trainer, on one GPU or many; as `engine: ltx-trainer` below `runtime`",
      ).choices(["ltx-trainer"]),
    )
    .action(async (config: string, options: RunOptions) => {
      const { run } = await import("../commands/run.ts");
      done(await run(session(), config, options));
    });
}

export function declareParity({ command, session, done }: Declaring): void {
  command(
    "parity",
    "Train a few steps with ltxc and with the official trainer, and compare their losses. Both start from the same weights and take the same samples, on the CPU and in float32; losses that differ by more than 1e-4 end with exit code 1.",
    [
      ["ltxc parity train.yaml --steps 20", "is it the same training? The official packages must be installed"],
      ["ltxc parity --set runtime.ltx_trainer=../LTX-2", "with the official trainer of that checkout or environment"],
      ["ltxc parity --set runtime.processes=2", "two processes there, twice the accumulation here"],
      ["ltxc parity --out parity-2", "keep both runs in another folder"],
    ],
  )
    .argument("[config]", "the run config", "train.yaml")
    .addOption(new Option("--steps <n>", "how many steps to compare").argParser(wholeNumber).default(20))
    .addOption(setOption())
    .option("--out <dir>", "the folder in which both runs and the result are kept", "parity")
    .option("--overwrite", "replace the comparison that is in that folder")
    .option("--build <dir>", "the folder of the compiled strategies", "build")
    .action(async (config: string, options: ParityOptions) => {
      const { parity } = await import("../commands/parity.ts");
      done(await parity(session(), config, options));
    });
}

export function declareReport({ command, session, done }: Declaring): void {
  command(
    "report",
    "Make one HTML page of a run: curves, evaluation, samples, checkpoints, config, strategy, machine.",
    [
      ["ltxc report", "of the run of train.yaml, as report.html in its output folder"],
      ["ltxc report outputs/long --out long.html", "of another run, elsewhere"],
    ],
  )
    .argument("[run]", "the run's `output_dir`, or its run config (default: train.yaml, or else outputs)")
    .option(
      "--out <file>",
      "where the page goes, in place of an older page only; `-` is stdout (default: report.html in the run's folder)",
    )
    .action(async (run: string | undefined, options: ReportOptions) => {
      const { report } = await import("../commands/report.ts");
      done(await report(session(), run, options));
    });
}
