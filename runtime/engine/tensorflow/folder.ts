import { existsSync } from "node:fs";
import { join } from "node:path";
import { dataFolder } from "../data-folder.ts";

/** The npm package that `ltxc install tfjs-node-gpu` adds TensorFlow to. */
export const tensorflowPackage = "@tensorflow/tfjs-node-gpu";

/** Where `ltxc install tfjs-node-gpu` keeps all that it makes. */
export const tensorflowFolder = (): string => dataFolder("tfjs-node-gpu");

/** The addon, where npm's package looks for it. */
export const addonIn = (folder: string): string =>
  join(folder, "node_modules", tensorflowPackage, "lib", "napi-v8", "tfjs_binding.node");

/** A file from which Node resolves the package with the addon; null if it was not built. */
export function builtPackage(folder = tensorflowFolder()): string | null {
  return existsSync(addonIn(folder)) ? join(folder, "package.json") : null;
}
