import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { describeFile, helpForNearby } from "../files/index.ts";
import { otherKind } from "../files/regular-file.ts";
import { fail, type Finding } from "../findings.ts";
import { some } from "../some.ts";
import { loraInFolder } from "../lora-files/in-folder.ts";

const place: Finding["path"] = ["model", "load_checkpoint"];

/** `<output_dir>/checkpoints/lora_weights_step_00250.safetensors`, or `model_weights_…` after a full training: the official trainer's names. */
export function weightsPath(outputDirectory: string, step: number, mode: "lora" | "full" = "lora"): string {
  const kind = mode === "full" ? "model" : "lora";
  return join(outputDirectory, "checkpoints", `${kind}_weights_step_${String(step).padStart(5, "0")}.safetensors`);
}

/**
 * The training state that belongs to a weights file, or null when the file's name has no step. It is a safetensors file under another
 * extension, because the official trainer reads every `*step_*.safetensors` as weights.
 */
export function statePath(weights: string): string | null {
  const digits = stepDigits(weights);
  return digits === null ? null : join(dirname(weights), `training_state_step_${digits}.state`);
}

const stepDigits = (weights: string): string | null => /step_(\d+)/.exec(basename(weights))?.[1] ?? null;

/** The heads that belong to a weights file, or null when its name has no step. Without `step_`, the official trainer does not read it as weights. */
export function headsPath(weights: string): string | null {
  const digits = stepDigits(weights);
  return digits === null ? null : join(dirname(weights), `heads_${digits}.safetensors`);
}

/** The moving average of the weights of a weights file, and of its heads; null when its name has no step. Without `step_`, it is not found in place of the weights. */
export function emaPaths(weights: string): { readonly weights: string; readonly heads: string } | null {
  const digits = stepDigits(weights);
  if (digits === null) return null;
  const kind = basename(weights).startsWith("model") ? "model" : "lora";
  const at = (name: string) => join(dirname(weights), `${name}_ema_${digits}.safetensors`);
  return { weights: at(kind), heads: at("heads") };
}

/** The training state that the official trainer would have written next to the weights. */
export function officialStatePath(weights: string): string | null {
  return statePath(weights)?.replace(/\.state$/, ".pt") ?? null;
}

/** What a file is whose name does not end as that of weights does. */
async function whatElse(path: string): Promise<string> {
  const what = await describeFile(path);
  return what === null || what.startsWith("is a safetensors file")
    ? "does not end in `.safetensors`, as files of weights do"
    : what;
}

/**
 * The weights file that `load_checkpoint` means: the file itself, or the one with the highest step anywhere below a folder, or the LoRA
 * of a folder that PEFT or diffusers saved; null when the folder has no weights.
 * @throws FindingsError LTX6307 when there is no such file or folder, the file is not a .safetensors file, or the folder has weights of other names
 */
export async function findWeights(path: string): Promise<string | null> {
  const info = await stat(path).catch(() => null);
  if (info === null) {
    const help = (await helpForNearby(path)) ?? "write the path of a weights file or of an output folder";
    fail("LTX6307", `${path} does not exist`, help, place);
  }
  if (info.isDirectory()) {
    const files = await readdir(path, { recursive: true });
    return latest(files, path) ?? (await loraInFolder(path)) ?? refuseOthers(files, path);
  }
  const kind = otherKind(info);
  if (kind !== null)
    fail("LTX6170", `${path} is ${kind}, not a file`, "write the path of a weights file or of an output folder", place);
  if (!path.endsWith(".safetensors")) {
    fail(
      "LTX6307",
      `${path} ${await whatElse(path)}`,
      "write the path of a `.safetensors` file with a LoRA or with weights of a full training",
      place,
    );
  }
  return path;
}

/** Weights in a folder whose names have no step are not guessed among, and not passed over: the run would begin from nothing. */
function refuseOthers(files: readonly string[], folder: string): null {
  const isOther = (file: string) => /^(?!heads_\d|(heads|lora|model)_ema_\d)[^/\\]*\.safetensors$/.test(file);
  const others = files.filter(isOther).toSorted();
  if (others.length === 0) return null;
  const message = `${folder} holds no \`*step_*.safetensors\`, but ${some(others)}`;
  return fail("LTX6307", message, `name the file: \`load_checkpoint: ${join(folder, others[0] ?? "")}\``, place);
}

/** Whether a file's name is that of weights after some step, as the official trainer reads them. */
export const isWeights = (file: string): boolean => /step_[^/\\]*\.safetensors$/.test(file);

function latest(files: readonly string[], folder: string): string | null {
  const best = files.filter(isWeights).toSorted((a, b) => stepOf(b) - stepOf(a))[0];
  return best === undefined ? null : join(folder, best);
}

/** The step in the name of a weights file; -1 without one. */
export const stepOf = (file: string): number => Number(/step_(\d+)\.safetensors$/.exec(file)?.[1] ?? -1);
