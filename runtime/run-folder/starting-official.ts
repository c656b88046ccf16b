/** Whether a run of the official trainer may begin in its folder. */
import { existsSync } from "node:fs";
import { findWeights, officialStatePath, statePath, stepOf } from "../checkpoints/checkpoint-files.ts";
import type { RunConfig } from "../config/run-config.ts";
import type { Finding } from "../findings.ts";
import { description, workIn, type FolderWork } from "./contents.ts";
import { isWithin, nextTo } from "./starting.ts";

/**
 * As `startingOver`. The official trainer goes on with its own training states alone, and otherwise numbers what it saves from step 0:
 * over the work of any other run, also one of ltxc's own.
 */
export async function startingOfficial(config: RunConfig): Promise<Finding | null> {
  const { output_dir: folder, model } = config;
  const work = await workIn(folder);
  if (work === null) return null;
  const loaded = model.load_checkpoint;
  const weights = loaded !== null && (await isWithin(loaded, folder)) ? await findWeights(loaded) : null;
  return weights === null ? besidesOther(work) : goingOn(config, weights, work);
}

function besidesOther(work: FolderWork): Finding {
  const message = `${work.folder} holds ${description(work)}`;
  const help = `train in another folder: \`--set output_dir=${nextTo(work.folder)}\`; \`--resume\` goes on with a run of the official trainer`;
  return { code: "LTX6341", severity: "error", path: ["output_dir"], message, help };
}

function goingOn({ checkpoints }: RunConfig, weights: string, work: FolderWork): Finding | null {
  const goesOn = !checkpoints.no_resume && existsSync(officialStatePath(weights) ?? "");
  const later = work.weights.find(({ step }) => step > stepOf(weights));
  if (goesOn && later === undefined) return null;
  const isOurs = existsSync(statePath(weights) ?? "");
  const why = checkpoints.no_resume
    ? "`checkpoints.no_resume` is set"
    : `it does not ${isOurs ? "read the training state of ltxc" : "find a training state of its own next to them"}`;
  const what = goesOn
    ? `the official trainer would go on at step ${stepOf(weights)} and save over ${later?.path}`
    : `the official trainer would begin at step 0 with these weights (${why}), and ${work.folder} holds ${description(work)}`;
  const own = isOurs ? "; `ltxc run --resume` without `--on` goes on with it" : "";
  const help = `train in a folder of its own: \`--set output_dir=${nextTo(work.folder)} --set model.load_checkpoint=${weights}\`${own}`;
  const path = ["model", "load_checkpoint"];
  return { code: "LTX6344", severity: "error", path, message: `${weights}: ${what}`, help };
}
