/** What builds for `ltxc inspect` and `ltxc test` calculate beside the step. */
import { familyOf } from "../2-check/axes.ts";
import type { CheckedLoss, CheckedStrategy } from "../2-check/checked.ts";
import { broadcastTo } from "../2-check/combine.ts";
import { childrenOf, literal, tensor, type Core, type Term } from "../2-check/core.ts";
import { allNodes } from "../2-check/dependencies.ts";
import type { ProbedValue, Statement } from "./program.ts";

/** The expectations, and the weights of each loss term over its modality's tokens. */
export function probeStatements({ expectations, losses, bindings }: CheckedStrategy): readonly Statement[] {
  const expected = expectations.flatMap(({ core, share, span }, i) => {
    if (share === null) return [{ key: `expect[${i}]`, core, span }];
    const within = share.within === null ? [] : [{ key: `share[${i}].within`, core: share.within, span: null }];
    return [{ key: `share[${i}]`, core, span }, { key: `share[${i}].about`, core: share.about, span: null }, ...within];
  });
  const weights = losses.flatMap((loss) => {
    const core = weightsOf(loss, bindings);
    return core === null ? [] : [{ key: `weight.${loss.name}`, core, span: null }];
  });
  return [...expected, ...weights];
}

type MaskedMean = Term<"maskedMean">;

/** `f32[batch, token]`: the weights of a term, added up where it averages more than once; null where it averages over no tokens. */
function weightsOf({ core, modality }: CheckedLoss, bindings: CheckedStrategy["bindings"]): Core | null {
  const means = [...allNodes(core, bindings)].filter(
    (node): node is MaskedMean => node.op === "maskedMean" && familyOf(node.error.type.axes) === modality,
  );
  const axes = ["batch", `token:${modality}`];
  const maps = means.map(({ weights }) => combine("mul", weights, axes) ?? literal(1));
  const total = combine("add", maps, axes);
  return total === null ? null : broadcastTo(asNumber(total), axes);
}

function combine(fn: "mul" | "add", cores: readonly Core[], axes: readonly string[]): Core | null {
  if (cores.length === 0) return null;
  return cores
    .map((core) => meanOver(core, axes))
    .reduce((a, b) => {
      const args = [a, b].map((core) => asNumber(broadcastTo(core, axes)));
      return { op: "map", fn, args, type: tensor("f32", axes), span: null };
    });
}

/** The mean over all axes but these: weights may differ between channels. */
function meanOver(core: Core, axes: readonly string[]): Core {
  const others = core.type.axes.filter((axis) => !axes.includes(axis));
  if (others.length === 0) return core;
  const left = core.type.axes.filter((axis) => axes.includes(axis));
  return { op: "reduce", fn: "mean", arg: asNumber(core), axes: others, type: tensor("f32", left), span: null };
}

function asNumber(core: Core): Core {
  if (core.type.dtype === "f32") return core;
  return { op: "map", fn: "float", args: [core], type: tensor("f32", core.type.axes), span: null };
}

/**
 * All named values in the order in which one reads a file: `let`, then video, then audio, then those of passes, then sources that expectations read, then
 * what was added.
 */
export function probedValues(
  bindings: readonly Statement[],
  added: readonly Statement[],
  statementOf: (key: string) => Statement | undefined,
): readonly ProbedValue[] {
  const isCall = ({ op }: Core) => op === "references" || op === "pass" || op === "passInputs";
  const named = bindings.filter(({ core }) => !isCall(core));
  const of = (modality: string) => named.filter(({ key }) => key.startsWith(`${modality}.`));
  const lets = named.filter(({ key }) => !key.includes("."));
  const ofPasses = named.filter(({ key }) => key.includes(".") && !/^(video|audio)\./.test(key));
  const read = new Set(
    added.filter(({ key }) => /^(expect|share)\[/.test(key)).flatMap(({ core }) => [...refsOf(core)]),
  );
  const sources = [...read].filter((key) => key.startsWith("source.")).flatMap((key) => statementOf(key) ?? []);
  const shown = [...lets, ...of("video"), ...of("audio"), ...ofPasses, ...sources, ...added];
  const keys = new Set(shown.map(({ key }) => key));
  return shown.map(({ key, core, span }) => ({
    key,
    type: core.type,
    reads: [...refsOf(core)].filter((name) => keys.has(name)),
    span,
  }));
}

function refsOf(core: Core): Set<string> {
  return new Set([
    ...(core.op === "ref" ? [core.key] : []),
    ...childrenOf(core).flatMap((child) => [...refsOf(child)]),
  ]);
}
