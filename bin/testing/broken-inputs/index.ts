/** Inputs that a run stops at, of all kinds, and inputs that it warns of. */
import type { BrokenInput } from "./broken-input.ts";
import { brokenData } from "./data.ts";
import { brokenFolders } from "./folders.ts";
import { brokenModels } from "./model.ts";
import { brokenSettings } from "./settings.ts";
import { brokenWeights } from "./weights.ts";

export { soundProject } from "./broken-input.ts";
export { toldApart, unforeseen } from "./foreseen.ts";
export { warnedInputs } from "./warned.ts";

export const brokenInputs: Readonly<Record<string, readonly BrokenInput[]>> = {
  data: brokenData,
  "base model": brokenModels,
  "weights to begin with": brokenWeights,
  "settings and strategy": brokenSettings,
  "output folder": brokenFolders,
};
