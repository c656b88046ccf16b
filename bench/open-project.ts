import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findBuild } from "../bin/project/builds.ts";
import { guardOf } from "../bin/trust/guard.ts";
import { processIo } from "../bin/shell/io.ts";
import { examineRunConfig } from "../bin/project/run-config.ts";
import { sourceFile } from "../compiler/source/source-file.ts";
import type { StrategyConfig } from "../runtime/config/index.ts";
import type { Engine, EngineName, Precision } from "../runtime/engine/engine.ts";
import { openEngine } from "../runtime/engine/index.ts";
import { wantsBfloat16 } from "../runtime/engine/torch/processor.ts";
import { openRun } from "../runtime/opening/open-run.ts";
import type { Run } from "../runtime/training/run-inputs.ts";

interface OpenedProject {
  readonly engine: Engine;
  readonly run: Run;
  close(): Promise<void>;
}

/** Opens the run of a project's train.yaml, on the wasm engine if no other is asked for. Errors: throws where the run config is refused. */
export async function openProject(
  folder: string,
  name: EngineName = "wasm",
  precision: Precision = "float32",
): Promise<OpenedProject> {
  const path = join(folder, "train.yaml");
  const places = { build: join(folder, "build"), cwd: folder, config: folder };
  const find = (section: StrategyConfig) =>
    findBuild(section, places, guardOf({ cwd: folder, env: process.env }, { json: true }));
  const source = sourceFile(path, readFileSync(path, "utf8"));
  const { ready } = await examineRunConfig(processIo(), source, find, { withFiles: false });
  if (ready === null) throw new Error("the project's own run config is refused");
  process.env[wantsBfloat16] = "1";
  const { engine } = await openEngine(name, { precision });
  const { run, close } = await openRun(engine, ready.config, ready.step);
  return { engine, run, close };
}
