/** Entries of `keep`, `noise_mask` and `references`: a mask, maybe for a share of the samples. */
import type { Item } from "../1-parse/expression/ast.ts";
import { map } from "./combine.ts";
import { poisoned, tensor, type Core } from "./core.ts";
import type { Environment } from "./environment.ts";
import { infer } from "./infer.ts";
import { isPlain } from "./units.ts";

/** `value with probability p`: the mask, for the share `p` of the samples. */
export function inferItem({ value, probability, span }: Item, env: Environment): Core {
  const masks = { ...env, maskWanted: value };
  if (probability === null) return infer(value, masks);
  // The entry's own draw bears the entry's name; draws inside its expression follow.
  const drawn: Core = {
    op: "draw",
    fn: "rand",
    place: env.draws.next(),
    storage: null,
    of: null,
    type: tensor("f32", ["batch"]),
    span: probability.span,
  };
  const mask = infer(value, masks);
  const share = infer(probability, env);
  if (share.op !== "error" && !isPlain(env.report, share, "a probability")) return poisoned(span);
  env.report.outsideUnit(share, "a probability");
  const chosen = map(env.report, "less", [drawn, share], probability.span, "`with probability`");
  return map(env.report, "and", [mask, chosen], span, "`with probability`");
}
