/** The tiny model of a new project: random weights in the layout of an official checkpoint. */
import { writeRandomModel } from "../../runtime/index.ts";
import { transformer, vae } from "./model-config.ts";

/**
 * Writes the tiny model.
 * @param changed settings of the architecture that differ from the tiny model's
 */
export function writeModel(path: string, changed: Readonly<Record<string, unknown>> = {}): Promise<void> {
  return writeRandomModel(path, { ...transformer, ...changed }, { vae });
}
