import { optimizers } from "./adamw.ts";
import { attentions } from "./attention.ts";
import { elementwise } from "./elementwise.ts";
import { layout } from "./layout.ts";
import type { Operator } from "./lowering.ts";
import { layers } from "./layers.ts";
import { norms } from "./norms.ts";
import { numeric } from "./numeric.ts";
import { rotations } from "./rotate.ts";

/** What each operator of a graph becomes, by its name. Identity and After are missing: their output is another name of their operand. */
export const operators: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    ...elementwise,
    ...layout,
    ...numeric,
    ...attentions,
    ...layers,
    ...norms,
    ...rotations,
    ...optimizers,
  }),
);
