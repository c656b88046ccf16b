/** Losses of one modality that are weighed by the noise level of the other. */
import type { Binding, CheckedLoss } from "../checked.ts";
import type { Core, ModalityName } from "../core.ts";
import { allNodes, readsOwnPrediction } from "../dependencies.ts";
import type { ModalityContext } from "../modality.ts";
import { spanOf, type Report } from "../report.ts";

type Bindings = ReadonlyMap<string, Binding>;

const isLevel = (key: string, modality: ModalityName): boolean =>
  key === `${modality}.sigma` || key === `${modality}.timesteps`;

/** `min(snr(audio.sigma), 5) * mse(video.prediction, video.target)`: how noisy the video is, its own level says. */
export function levelOfOther(
  losses: readonly CheckedLoss[],
  contexts: readonly ModalityContext[],
  bindings: Bindings,
  report: Report,
): void {
  const names = contexts.map(({ syntax }) => syntax.name);
  for (const { core } of losses) {
    const predicted = names.filter((name) => readsOwnPrediction(core, bindings, name));
    const [own] = predicted;
    const other = names.find((name) => name !== own);
    if (own === undefined || other === undefined || predicted.length > 1 || isShared(own, other, bindings)) continue;
    const levels = levelsIn(core, bindings);
    const found = levels.find(({ key }) => isLevel(key, other));
    if (found === undefined || levels.some(({ key }) => isLevel(key, own))) continue;
    report.warning("LTX5099", found.span, `a loss of \`${own}\` reads the noise level of \`${other}\``, {
      help: `the two are drawn apart: write \`${own}.sigma\`, or give both one level by \`sigma: ${own}.sigma\` under \`${other}:\``,
    });
  }
}

/** Levels that an expression names itself, or by way of a \`let\`; not those that make up its fields. */
function levelsIn(core: Core, bindings: Bindings) {
  const isField = (node: Core) => node.op === "ref" && node.key.includes(".");
  return [...allNodes(core, bindings, isField)].flatMap((node) =>
    node.op === "ref" && isField(node) ? [{ key: node.key, span: spanOf(node) }] : [],
  );
}

function isShared(a: ModalityName, b: ModalityName, bindings: Bindings): boolean {
  const reads = (own: ModalityName, other: ModalityName) => {
    const core = bindings.get(`${own}.sigma`)?.core;
    if (core === undefined) return false;
    const others = new Set(allNodes(bindings.get(`${other}.sigma`)?.core ?? [], bindings));
    for (const node of allNodes(core, bindings))
      if (
        (node.op === "ref" && node.key === `${other}.sigma`) ||
        ((node.op === "sampled" || node.op === "draw") && others.has(node))
      )
        return true;
    return false;
  };
  return reads(a, b) || reads(b, a);
}
