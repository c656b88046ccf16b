import type { Binding } from "../checked.ts";
import type { Core, ModalityName } from "../core.ts";
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
    if (!isSameForEveryKey(core, name)) continue;
    report.warning("LTX5022", attention.value.span, "this is the same for every key, so it hides nothing", {
      help: "turn one side to the keys: `frame_index >= key(frame_index)`",
    });
  }
}

/** Whether what is written for `attention` has no keys in it; `all` and `true` are meant so. */
export function isSameForEveryKey(attention: Core, name: ModalityName): boolean {
  const broadcast = attention.op === "map" && attention.fn === "float" ? attention.args[0] : attention;
  const written = broadcast?.op === "broadcast" ? broadcast.arg : broadcast;
  return written !== undefined && written.op !== "literal" && !written.type.axes.includes(`key:${name}`);
}
