import type { CheckedLoss } from "../checked.ts";
import type { Core } from "../core.ts";
import { allNodes, behind } from "../dependencies.ts";
import type { Binding } from "../checked.ts";
import { spanOf, type Report } from "../report.ts";

type Bindings = ReadonlyMap<string, Binding>;

/** What a prediction may be mistaken for: fields of the modality that are not what it should be. */
const others = new Set(["clean", "noise", "noisy"]);

/**
 * The prediction compared with another field than `target`, or with its negative. The file says itself what the prediction should be, by
 * `target` or by leaving it at the velocity; a loss that asks for something else contradicts it.
 */
export function notItsTarget(losses: readonly CheckedLoss[], bindings: Bindings, report: Report): void {
  for (const { core } of losses) {
    for (const node of allNodes(core, bindings)) {
      if (node.op !== "map" || node.fn !== "sub" || node.args.length !== 2) continue;
      const [a, b] = node.args as readonly [Core, Core];
      const wrong = mistaken(a, b, bindings) ?? mistaken(b, a, bindings);
      if (wrong !== null) tell(wrong, report);
    }
  }
}

interface Mistaken {
  readonly core: Core;
  readonly modality: string;
  readonly what: string;
}

function mistaken(prediction: Core, other: Core, bindings: Bindings): Mistaken | null {
  const [modality = "", field] = prediction.op === "ref" ? prediction.key.split(".") : [];
  if (field !== "prediction") return null;
  if (other.op === "ref") {
    const [owner, name = ""] = other.key.split(".");
    return owner === modality && others.has(name) ? { core: other, modality, what: `\`${modality}.${name}\`` } : null;
  }
  // The clean tokens under the name of their source; that they are the target, the file may say.
  const [source, clean, target] = [other, ...fieldsOf(modality, bindings)].map((core) => sourceOf(core, bindings));
  if (source !== null && source === clean && source !== target)
    return { core: other, modality, what: `\`${source}\`, the clean tokens` };
  const negated = other.op === "map" && other.fn === "neg" ? other.args[0] : undefined;
  const isTarget = negated?.op === "ref" && negated.key === `${modality}.target`;
  return isTarget ? { core: other, modality, what: `the negative of \`${modality}.target\`` } : null;
}

const fieldsOf = (modality: string, bindings: Bindings): readonly (Core | undefined)[] =>
  ["clean", "target"].map((field) => bindings.get(`${modality}.${field}`)?.core);

/** The source that a value is, behind names and changes of layout; null for anything else. */
function sourceOf(core: Core | undefined, bindings: Bindings): string | null {
  const found = core === undefined ? null : behind(core, bindings);
  return found?.op === "source" ? found.source : null;
}

function tell({ core, modality, what }: Mistaken, report: Report): void {
  const message = `the prediction is compared with ${what}, but \`${modality}.target\` says what it should be`;
  report.warning("LTX5021", spanOf(core), message, {
    help: `compare it with \`${modality}.target\`; if the model shall predict something else, write that under \`target\``,
  });
}
