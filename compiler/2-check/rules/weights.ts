/** Weights that explode, or that have no effect. */
import type { Binding, CheckedLoss } from "../checked.ts";
import { sizeOf, type Core, type Term } from "../core.ts";
import { allNodes, behind, factorsOf, structureOf } from "../dependencies.ts";
import type { ModalityContext } from "../modality.ts";
import { spanOf, type Report } from "../report.ts";

type Bindings = ReadonlyMap<string, Binding>;

/** `snr(sigma)` as the only factor of a loss: a million near sigma 0, so that a few samples decide every step. */
export function unboundedWeight(losses: readonly CheckedLoss[], bindings: Bindings, report: Report): void {
  for (const { core } of losses) {
    for (const node of [...allNodes(core, bindings)].filter(isTop)) {
      const factors = factorsOf(node, bindings);
      const snr = factors.find((factor) => snrArgument(behind(factor, bindings), bindings) !== null);
      const loss = factors.find((factor) => behind(factor, bindings).op === "maskedMean");
      const others = factors.filter((factor) => factor !== snr && factor !== loss);
      if (snr === undefined || loss === undefined || others.some((other) => !isConstant(behind(other, bindings))))
        continue;
      if (readsDenoised(behind(loss, bindings), bindings)) continue;
      const written = behind(snr, bindings);
      const text = report.textAt(written.span) ?? "snr(sigma)";
      report.warning("LTX5035", spanOf(written), "this weight has no bound: near sigma 0 it is about 1,000,000", {
        help: `cap it: \`min(${text}, 5)\``,
      });
    }
  }
}

const isTop = (core: Core): boolean => core.op === "map" && core.fn === "mul";
const isConstant = ({ type }: Core): boolean => type.stage === "host" || type.stage === "step";

/** The error of the clean estimate is already small where sigma is. */
function readsDenoised(loss: Core, bindings: Bindings): boolean {
  return loss.op === "maskedMean" && [...allNodes(loss.error, bindings)].some(isDenoised);
}

const isDenoised = (node: Core): boolean => node.op === "ref" && node.key.endsWith(".denoised");

/** `s` of `((1 - s) / max(s, 1e-3))^2`, as `snr(s)` is written out; null for anything else. */
function snrArgument(core: Core, bindings: Bindings): Core | null {
  const [ratio] = core.op === "map" && core.fn === "square" ? core.args : [];
  const [top, bottom] = ratio?.op === "map" && ratio.fn === "div" ? ratio.args : [];
  const [one, sigma] = top?.op === "map" && top.fn === "sub" ? top.args : [];
  const isRatio = bottom?.op === "map" && bottom.fn === "maximum";
  return isRatio && one?.op === "literal" && sigma !== undefined && ratio?.span === core.span
    ? resolved(sigma, bindings)
    : null;
}

const resolved = (core: Core, bindings: Bindings): Core =>
  core.op === "ref" && core.key.includes(".") ? core : behind(core, bindings);

/** `snr(timesteps)` and `1 / timesteps` where tokens are kept: their timestep is 0, so they outweigh all others. */
export function weightOfKept(
  losses: readonly CheckedLoss[],
  contexts: readonly ModalityContext[],
  bindings: Bindings,
  report: Report,
): void {
  const keys = new Set(
    contexts.flatMap(({ syntax }) =>
      syntax.keep === null && syntax.noiseMask === null ? [] : [`${syntax.name}.timesteps`],
    ),
  );
  const isKept = (core: Core | null | undefined): core is Term<"ref"> => core?.op === "ref" && keys.has(core.key);
  const reported = new Set<Core>();
  for (const { core } of losses) {
    for (const node of allNodes(core, bindings)) {
      const divisor = node.op === "map" && node.fn === "div" ? node.args[1] : undefined;
      const at = snrArgument(node, bindings) ?? (node.span !== null && divisor?.span != null ? divisor : null);
      if (!isKept(at) || reported.has(at) || node.span === null) continue;
      reported.add(at);
      const own = at.key.replace("timesteps", "sigma");
      report.warning("LTX5035", node.span, `kept tokens have timestep 0, where this is largest`, {
        help: `write \`${own}\`, the noise level of the sample`,
      });
    }
  }
}

/** `over (importance * score)`: a factor of the whole sample is divided out again. */
export function cancelledByOver(losses: readonly CheckedLoss[], bindings: Bindings, report: Report): void {
  for (const { core } of losses) {
    for (const node of allNodes(core, bindings)) {
      if (node.op !== "maskedMean") continue;
      for (const weight of node.weights) {
        const factors = factorsOf(weight, bindings);
        const perSample = factors.find((factor) => isOfSample(behind(factor, bindings)));
        if (perSample === undefined || factors.length < 2) continue;
        const text = report.textAt(perSample.span) ?? "w";
        report.warning(
          "LTX5036",
          perSample.span ?? spanOf(weight),
          `\`${text}\` is one number for each sample, which \`over\` divides out`,
          {
            help: `put it in front: \`${text} * mse(a, b) over …\``,
          },
        );
      }
    }
  }
}

/** A number for each sample; 0 and 1 of a mask are not meant, since a sample with 0 has no loss. */
function isOfSample(core: Core): boolean {
  const { axes, stage } = core.type;
  const isSwitch = core.op === "map" && (core.fn === "float" || core.fn === "where");
  return stage === "device" && axes.length === 1 && axes[0] === "batch" && !isSwitch;
}

/** Comparing large values at every depth would take as long as the square of their size. */
const maxCompared = 100;

/** `w * error / w`: what multiplies is divided out again. */
export function cancelledFactors(losses: readonly CheckedLoss[], bindings: Bindings, report: Report): void {
  for (const node of allNodes(
    losses.map(({ core }) => core),
    bindings,
  )) {
    const [top, bottom] = node.op === "map" && node.fn === "div" && node.span !== null ? node.args : [];
    if (top === undefined || bottom === undefined || bottom.op === "literal" || sizeOf(bottom) > maxCompared) continue;
    const divisor = structureOf(bottom);
    const same = [top, ...factorsOf(top, bindings)].find(
      (factor) => sizeOf(factor) === sizeOf(bottom) && structureOf(factor) === divisor,
    );
    if (same === undefined) continue;
    const text = report.textAt(spanOf(bottom)) ?? "the divisor";
    report.warning("LTX5100", spanOf(bottom), `\`${text}\` multiplies and divides, so it has no effect`, {
      help: "leave out one of the two",
    });
  }
}
