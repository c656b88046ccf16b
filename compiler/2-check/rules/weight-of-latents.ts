import type { Binding, CheckedLoss, CheckedSource } from "../checked.ts";
import type { Core, Term } from "../core.ts";
import { allNodes, behind, factorsOf } from "../dependencies.ts";
import { spanOf, type Report } from "../report.ts";

type Bindings = ReadonlyMap<string, Binding>;

/** `over masks` with encoded latents, whose numbers are negative as often as not: weights of such a sign reward errors. */
export function weightOfLatents(
  losses: readonly CheckedLoss[],
  sources: readonly CheckedSource[],
  bindings: Bindings,
  report: Report,
): void {
  const latents = new Set(sources.filter(({ kind }) => kind.endsWith("_latents")).map(({ name }) => name));
  const reported = new Set<string>();
  for (const { core } of losses) {
    for (const node of allNodes(core, bindings)) {
      for (const weight of node.op === "maskedMean" ? node.weights.flatMap((each) => factorsOf(each, bindings)) : []) {
        const found = averaged(weight, bindings);
        if (found === null || !latents.has(found.source) || reported.has(found.source)) continue;
        const { source } = found;
        reported.add(source);
        report.warning(
          "LTX5078",
          spanOf(found),
          `\`${source}\` holds latents, which are no weights: half of them are negative`,
          {
            help: `make a mask of them: \`over (mean(tokens(${source}), axis=channel) > 0.5)\``,
          },
        );
      }
    }
  }
}

/** The source that a value is, or is the mean, the sum or an extreme of; null where anything else is done to it. */
function averaged(core: Core, bindings: Bindings): Term<"source"> | null {
  const value = behind(core, bindings);
  if (value.op === "reduce") return averaged(value.arg, bindings);
  return value.op === "source" ? value : null;
}
