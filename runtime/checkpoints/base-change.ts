/** What a checkpoint says of a base model that was changed since the run has read it. */
import type { Finding } from "../findings.ts";

const path: Finding["path"] = ["model", "model_path"];

/** Of a full training, whose checkpoints are copies of the base with other weights. */
export function withoutBase(base: string, change: string, file: string): Finding {
  const message = `${base} was changed during the run (${change}), so ${file} holds the trained weights alone`;
  const help = "put the file back as it was before you go on; the next checkpoint is then a whole model again";
  return { code: "LTX6162", severity: "error", path, message, help };
}

/** Of a run that trains adapters, and has loaded all that it needs of the base. */
export function besidesBase(base: string, change: string): Finding {
  const message = `${base} was changed during the run (${change}); the run goes on with the weights that it has read`;
  const help = "put the file back as it was before you resume the run; a resume on another base model is refused";
  return { code: "LTX6163", severity: "warning", path, message, help };
}
