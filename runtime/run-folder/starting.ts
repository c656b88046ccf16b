/** Whether a run may begin in its folder: work that lies there is never mixed with that of another run. */
import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { lastSaved } from "../checkpoints/last-saved.ts";
import { resumePointAt, type ResumePoint } from "../checkpoints/resume.ts";
import type { RunConfig } from "../config/run-config.ts";
import { fail, FindingsError, type Finding } from "../findings.ts";
import type { Fingerprint } from "../training/fingerprint.ts";
import { description, weightsIn, workIn, type FolderWork } from "./contents.ts";

const place: Finding["path"] = ["output_dir"];

/**
 * A finding if the run would begin anew in a folder with work of an earlier one; null if it goes on with what lies there, or if nothing
 * does.
 * @param now null where settings are wrong: then it is not said what has changed since, nor whether the earlier run can go on
 * @param point what the run goes on from
 */
export async function startingOver(
  config: RunConfig,
  now: Fingerprint | null,
  point: ResumePoint | null,
): Promise<Finding | null> {
  const work = await workIn(config.output_dir);
  const { load_checkpoint: loaded } = config.model;
  if (work === null) return null;
  if (loaded !== null && (await isWithin(loaded, config.output_dir))) {
    return point !== null || work.weights.length === 0 ? null : withoutState(config, loaded, work);
  }
  const last = now === null ? null : await lastSaved(config.output_dir, false).catch(noneWhole);
  const ours = last === null || now === null ? null : await resumePointAt(last.path, now);
  const message = `${config.output_dir} holds ${description(work)}${differences(ours)}`;
  return { code: "LTX6341", severity: "error", path: place, message, help: advice(config, work, ours) };
}

/** Then there is nothing to go on with. */
function noneWhole(error: unknown): null {
  if (error instanceof FindingsError) return null;
  throw error;
}

/** Whether `path` is `folder` or lies in it, also where it is a link to elsewhere; links on the way are followed. */
export async function isWithin(path: string, folder: string): Promise<boolean> {
  if (path.startsWith(`${folder}${sep}`)) return true;
  const [inner, outer] = await Promise.all([path, folder].map((each) => realpath(each).catch(() => each)));
  return inner === outer || `${inner}`.startsWith(`${outer}${sep}`);
}

function differences(point: ResumePoint | null): string {
  const [first, ...more] = point?.changes ?? [];
  if (first === undefined) return "";
  const others = more.length === 0 ? "" : `, and ${more.length} more of its settings differ`;
  if (first.files !== undefined) return `; ${first.name} have other contents now${others}`;
  return `; ${first.name} was ${first.before} there and is now ${first.now}${others}`;
}

function advice(config: RunConfig, work: FolderWork, point: ResumePoint | null): string {
  const { steps } = config.optimization;
  const isSame = point !== null && point.changes.length === 0;
  const goOn = "`ltxc run --resume` goes on with it";
  const longer = `to train it longer, write more than ${point?.step} \`optimization.steps\` and \`ltxc run --resume\``;
  const resume = isSame ? [point.step < steps ? goOn : longer] : [];
  const other = `\`ltxc run --new\` trains in ${nextTo(work.folder)}`;
  return [...resume, other, "`ltxc run --overwrite` deletes it and begins anew"].join("; ");
}

/** Going on without a training state would begin at step 0 and write over the checkpoints one by one. */
function withoutState(config: RunConfig, loaded: string, work: FolderWork): Finding {
  const why = config.checkpoints.no_resume ? "`checkpoints.no_resume` is set" : "no training state lies next to them";
  const message = `${loaded}: ${why}, so the run would begin at step 0 with these weights, and ${config.output_dir} holds ${description(work)}`;
  const help = `train in a folder of its own: \`ltxc run --new --set model.load_checkpoint=${loaded}\``;
  return { code: "LTX6344", severity: "error", path: ["model", "load_checkpoint"], message, help };
}

/**
 * Before a run begins to write: nothing that another run saved may lie where this one will save.
 * @throws FindingsError LTX6344
 */
export async function checkNothingLater({ output_dir, ...config }: RunConfig, id: string, step: number): Promise<void> {
  const weights = await weightsIn(output_dir);
  const later = weights.find((saved) => saved.step > step && (step === 0 || saved.metadata?.["ltxc.run"] !== id));
  if (later === undefined) return;
  const message = `the run ${step === 0 ? "begins" : "goes on"} at step ${step}, and ${later.path} was saved at step ${later.step} by another run or with other settings: it would be overwritten`;
  const from = config.model.load_checkpoint;
  const help = `train in a folder of its own: \`ltxc run --new${from === null ? "" : ` --set model.load_checkpoint=${from}`}\``;
  fail("LTX6344", message, help, ["model", "load_checkpoint"]);
}

/** The `number`-th folder next to a run's folder: `outputs-2`, `outputs-3`, … */
export const sibling = (folder: string, number: number): string =>
  number === 1 ? folder : join(dirname(folder), `${basename(folder)}-${number}`);

/** The first folder next to a run's that is not there yet. */
export function nextTo(folder: string): string {
  for (let number = 2; ; number++) if (!existsSync(sibling(folder, number))) return sibling(folder, number);
}
