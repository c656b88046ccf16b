import type { Binding } from "../checked.ts";
import type { ModalityContext } from "../modality.ts";
import type { Report } from "../report.ts";

/**
 * Attention that is the same for all keys: a query then sees everything or nothing, and one that sees nothing ends the run; weights that
 * are the same along a row vanish in the softmax.
 */
export function attentionWithoutKey(
  contexts: readonly ModalityContext[],
  bindings: ReadonlyMap<string, Binding>,
  report: Report,
): void {
  for (const { syntax } of contexts) {
    const { name, attention } = syntax;
    const core = bindings.get(`${name}.attention`)?.core;
    if (attention === null || core === undefined) continue;
    const broadcast = core.op === "map" && core.fn === "float" ? core.args[0] : core;
    const written = broadcast?.op === "broadcast" ? broadcast.arg : broadcast;
    if (written === undefined || written.op === "literal" || written.type.axes.includes(`key:${name}`)) continue;
    report.warning("LTX5022", attention.value.span, "this is the same for every key, so it hides nothing", {
      help: "turn one side to the keys: `frame_index >= key(frame_index)`",
    });
  }
}
