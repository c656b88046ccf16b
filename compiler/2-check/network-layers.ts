/** The layers of a network of the strategy's own: `[linear 64, gelu, conv 16 1x3x3]`. */
import type { Name } from "../1-parse/expression/ast.ts";
import { didYouMean } from "../../runtime/nearest-word.ts";
import type { Span } from "../source/span.ts";
import { activations, type NetworkLayer } from "./checked.ts";
import type { Report } from "./report.ts";

const layerNames = ["linear", "conv", "layer_norm", ...activations];

/** Null where a layer is wrong, which is reported. */
export function readLayers(layers: readonly Name[], span: Span, report: Report): readonly NetworkLayer[] | null {
  const read = layers.map((layer) => readLayer(layer, report));
  const known = read.filter((layer) => layer !== null);
  if (known.length < layers.length) return null;
  const hasConv = known.some(({ kind }) => kind === "conv");
  const alongLast = layers.find((_, i) => known[i]?.kind === "linear" || known[i]?.kind === "layer_norm");
  if (hasConv && alongLast !== undefined) {
    report.error("LTX5080", alongLast.span, `\`${alongLast.text}\` stands among convolutions`, {
      help: "a layer that looks at one place alone is a convolution of one cell there: `conv 64 1x1x1`",
    });
    return null;
  }
  if (known.some(({ kind }) => kind === "linear" || kind === "conv")) return known;
  report.error("LTX5079", span, "none of these layers has weights", {
    help: "write what the network is made of, e.g. `architecture: [linear 64, gelu, linear 16]`",
  });
  return null;
}

function readLayer({ text, span }: Name, report: Report): NetworkLayer | null {
  const [kind = "", ...numbers] = text.trim().split(/\s+/);
  const [features, kernel] = numbers;
  const activation = activations.find((name) => name === kind);
  if (numbers.length === 0 && (activation !== undefined || kind === "layer_norm"))
    return { kind: activation ?? "layer_norm" };
  if (kind === "linear" && numbers.length === 1 && isWidth(features)) return { kind, features: Number(features) };
  const sizes = kernelOf(kernel);
  if (kind === "conv" && numbers.length <= 2 && isWidth(features) && sizes !== null)
    return { kind, features: Number(features), kernel: sizes };
  const isKnown = layerNames.includes(kind);
  const message = isKnown ? `\`${text}\` is no such layer` : `\`${kind}\` is no layer`;
  const near = isKnown ? null : (layerOfTorch(text) ?? didYouMean(kind, layerNames));
  report.error("LTX5079", span, message, { help: near ?? usage });
  return null;
}

/** `Conv3d(32)`, `nn.Linear 64` and `ReLU()`. */
function layerOfTorch(text: string): string | null {
  if (/^(?:nn\.)?(?:dropout|identity)/i.test(text.trim()))
    return "leave it out, and count the tensors of the file without it: `2.weight` in place of `3.weight`";
  const [, name = "", features] = /^(?:nn\.)?([A-Za-z]+)(?:[123]d)?\s*\(?\s*(\d+)?\s*\)?$/.exec(text.trim()) ?? [];
  const kind = layerNames.find((each) => each.replace("_", "") === name.toLowerCase());
  const isSized = kind === "linear" || kind === "conv";
  if (kind === undefined || isSized !== (features !== undefined)) return null;
  return `write \`${isSized ? `${kind} ${features}` : kind}\``;
}

const usage = `layers are \`linear 64\`, \`conv 16\` or \`conv 16 1x3x3\` (frames, rows and columns, each odd), \`layer_norm\`, ${activations.map((name) => `\`${name}\``).join(", ")}`;

/** Wider layers than any that is published. */
const mostFeatures = 1 << 16;
const mostCells = 15;

const isWidth = (text: string | undefined): boolean =>
  text !== undefined && /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= mostFeatures;

/** `1x3x3`; three each where none is written. */
function kernelOf(text = "3x3x3"): readonly [number, number, number] | null {
  const sizes = /^(\d+)x(\d+)x(\d+)$/.exec(text)?.slice(1).map(Number);
  const [t = 0, h = 0, w = 0] = sizes ?? [];
  return [t, h, w].every((size) => size % 2 === 1 && size <= mostCells) ? [t, h, w] : null;
}
