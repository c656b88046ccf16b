/**
 * Errors of all tokens that are added up, or of which the largest is taken, without `over`: kept tokens count among them. The loss
 * functions, which take `over`, are judged by `loss-over-kept.ts`, and what cannot be told from the text by `ltxc test`.
 */
import type { Binding, CheckedLoss } from "../checked.ts";
import { childrenOf, type Core, type ModalityName } from "../core.ts";
import { allNodes, behind } from "../dependencies.ts";
import type { ModalityContext } from "../modality.ts";
import { spanOf, type Report } from "../report.ts";
import { differenceOf } from "./odd-reductions.ts";

type Bindings = ReadonlyMap<string, Binding>;

interface Reduced {
  /** The whole reduction. */
  readonly node: Core;
  readonly fn: string;
  readonly arg: Core;
}

/** Warns of reductions over the tokens of a modality that keeps some, where no mask or weight has to do with what is reduced. */
export function reducedOverKept(
  losses: readonly CheckedLoss[],
  contexts: readonly ModalityContext[],
  bindings: Bindings,
  report: Report,
): void {
  for (const { syntax } of contexts) {
    const keep = bindings.get(`${syntax.name}.keep`);
    if (keep === undefined || (syntax.keep === null && syntax.noiseMask === null)) continue;
    const seen = new Set<Core>();
    for (const { core } of losses) {
      for (const node of allNodes(core, bindings, ({ op }) => op === "stopGradient")) {
        const reduced = reductionOf(node, syntax.name);
        if (reduced === null || seen.has(node) || !isBare(reduced.arg, syntax.name, bindings)) continue;
        seen.add(node);
        report.warning("LTX5042", spanOf(node), "tokens that are kept clean count here, too", {
          labels: [{ span: keep.span ?? syntax.keySpan, message: "these tokens are kept" }],
          help: `write ${withoutKept(reduced, syntax.name, bindings, report)}`,
        });
      }
    }
  }
}

function reductionOf(node: Core, name: ModalityName): Reduced | null {
  if (node.op !== "reduce" && node.op !== "quantile") return null;
  if (!node.axes.includes(`token:${name}`)) return null;
  return { node, fn: node.op === "quantile" ? "quantile" : node.fn, arg: node.arg };
}

function withoutKept({ node, fn, arg }: Reduced, name: ModalityName, bindings: Bindings, report: Report): string {
  const generated = `${name}.generated`;
  const error = fn === "mean" ? differenceOf(behind(arg, bindings)) : null;
  const [a, b] = error?.args.map(({ span }) => report.textAt(span) ?? "…") ?? [];
  if (error !== null && a !== undefined && b !== undefined) return `\`${error.loss}(${a}, ${b}) over ${generated}\``;
  const text = textWithin(node, arg, report);
  if (text === null) return `\`float(${generated}) *\` in front of what \`${fn}(…)\` is given`;
  return `\`${/^[\w.]+(\([^()]*\))?$/.test(text) ? text : `(${text})`} * float(${generated})\` inside \`${fn}(…)\``;
}

/** The text of an argument, which may be written elsewhere: in a `let`, where it has other names. */
function textWithin(node: Core, arg: Core, report: Report): string | null {
  const [outer, inner] = [spanOf(node), spanOf(arg)];
  return inner.start < outer.start || inner.end > outer.end ? null : (report.textAt(arg.span) ?? null);
}

/** Fields of a modality that are 0 on kept tokens, or that take their values back. */
const zeroOnKept = ["timesteps", "denoised"];

/** Whether a value follows from what is predicted for every token alike: no mask, no weight and no data of its own goes into it. */
function isBare(value: Core, name: ModalityName, bindings: Bindings): boolean {
  let predicts = false;
  const seen = new Set<string>();
  const left = [value];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (node.op === "prediction" && node.modality === name) predicts = true;
    if (isChoice(node) || isZeroOnKept(node, name)) return false;
    if (node.op === "stopGradient") continue;
    if (node.op !== "ref") left.push(...childrenOf(node));
    else if (!seen.has(node.key)) {
      seen.add(node.key);
      // What the fields of a modality are made of, masks among it, is the business of the fields.
      const isField = node.key.includes(".") && !node.key.endsWith(".prediction");
      const target = isField ? undefined : bindings.get(node.key);
      if (target !== undefined) left.push(target.core);
    }
  }
  return predicts;
}

/** A mask, a comparison, data besides the latents, or a function that nothing is known of. */
function isChoice(node: Core): boolean {
  return node.type.dtype === "bool" || node.op === "source" || node.op === "import" || node.op === "output";
}

const isZeroOnKept = (node: Core, name: ModalityName): boolean =>
  node.op === "ref" && zeroOnKept.some((field) => node.key === `${name}.${field}`);
