/** The tiny model of a new project: random weights in the layout of an official checkpoint. */
import { vaeTensors, writeRandomModel } from "../../runtime/index.ts";
import type { Program } from "./example.ts";
import { transformer, vae, wholeVae } from "./model-config.ts";

/**
 * Writes the tiny model.
 * @param changed settings of the architecture that differ from the tiny model's
 */
export function writeModel(path: string, changed: Readonly<Record<string, unknown>> = {}): Promise<void> {
  return writeRandomModel(path, { ...transformer, ...changed }, { vae });
}

/** The same with a tiny video VAE where a network of the strategy's is one. */
export function writeModelFor({ networks }: Program): (path: string) => Promise<void> {
  if (!networks.some(({ architecture }) => typeof architecture === "string")) return (path) => writeModel(path);
  const tensors = vaeTensors(wholeVae).map(({ name, shape }) => ({ name: `vae.${name}`, shape }));
  return (path) => writeRandomModel(path, transformer, { vae: wholeVae }, tensors);
}
