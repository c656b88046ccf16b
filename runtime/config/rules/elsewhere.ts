import type { Finding } from "../../findings.ts";
import { blocksElsewhere } from "./adapted-blocks.ts";
import { optimizationElsewhere } from "./own-optimization.ts";

/** LTX6252 and LTX6397 where a run config, as it was written, asks for what the official trainer would train without. */
export const checkElsewhere = (written: unknown): Finding[] => [
  ...optimizationElsewhere(written),
  ...blocksElsewhere(written),
];
