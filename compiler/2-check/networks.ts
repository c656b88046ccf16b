/** Networks whose weights are not trained: what the file says of them. */
import type { FunctionType } from "../1-parse/function-type.ts";
import type { NetworkSyntax } from "../1-parse/syntax.ts";
import { meant } from "../diagnostics/did-you-mean.ts";
import { depths, pixelAxesOf } from "./axes.ts";
import { knownArchitectures, type CheckedNetwork, type KnownArchitecture, type NetworkLayer } from "./checked.ts";
import type { Axis, Core } from "./core.ts";
import { readLayers } from "./network-layers.ts";
import type { Report } from "./report.ts";

export interface ResolvedNetwork {
  readonly name: string;
  readonly architecture: KnownArchitecture | readonly NetworkLayer[];
  readonly window: CheckedNetwork["window"];
  /** As declared, of a network of layers; null where it takes what it is given. */
  readonly type: FunctionType | null;
  /** What its arguments have at each place, as its first call says. */
  input: { readonly axis: Axis; readonly core: Core } | null;
}

export const isLayers = (architecture: ResolvedNetwork["architecture"]): architecture is readonly NetworkLayer[] =>
  typeof architecture !== "string";

/** The networks whose structure is known, by name; all that is wrong with the others is reported. */
export function resolveNetworks(
  networks: readonly NetworkSyntax[],
  report: Report,
): ReadonlyMap<string, ResolvedNetwork> {
  const resolved = networks.flatMap((syntax) => {
    const architecture = architectureOf(syntax, report);
    if (architecture === null) return [];
    const isRight = isLayers(architecture)
      ? isOfLayersRight(syntax, report)
      : isOfKnownRight(syntax, architecture, report);
    if (!isRight) return [];
    const { text: name } = syntax.name;
    const type = isLayers(architecture) ? syntax.type : null;
    return [[name, { name, architecture, window: windowOf(syntax), type, input: null }] as const];
  });
  return new Map(resolved);
}

function architectureOf({ architecture }: NetworkSyntax, report: Report): ResolvedNetwork["architecture"] | null {
  if (architecture === null) return null;
  const { value, span } = architecture;
  if (typeof value !== "string") return value.length === 0 ? null : readLayers(value, span, report);
  const known = knownArchitectures.find((name) => name === value);
  if (known !== undefined) return known;
  report.error("LTX5079", span, `no architecture is called \`${value}\``, {
    ...meant(value, span, knownArchitectures, otherArchitecture(value)),
  });
  return null;
}

/** Layers in one text, and a VAE by another name. */
function otherArchitecture(value: string): string {
  if (/^\s*(conv|linear)\b/i.test(value)) return `layers are a list: \`architecture: [${value}]\``;
  const half = /decod/i.test(value) ? "decoder" : /encod/i.test(value) ? "encoder" : null;
  return half === null ? architectures : `the ${half} of the video VAE is \`ltx_video_${half}\``;
}

const architectures =
  "architectures are `ltx_video_decoder` (latents to pixels), `ltx_video_encoder` (pixels to latents), and lists of layers such as `[linear 64, gelu, linear 16]`";

function windowOf({ window }: NetworkSyntax): CheckedNetwork["window"] {
  return window === null ? null : window.value;
}

/** A network of layers has its weights in a file of its own, and takes each place as it is. */
function isOfLayersRight({ name, from, window, type, isOdd }: NetworkSyntax, report: Report): boolean {
  if (window !== null)
    report.error("LTX5082", window.keySpan, "a network of layers has no `window`", {
      help: "`window` is for `ltx_video_decoder`, whose pixels take much memory; leave it out",
    });
  if (from === null && !isOdd)
    report.error("LTX5081", name.span, `nothing says where the weights of \`${name.text}\` are`, {
      help: `add \`from: ${name.text}.safetensors\`, a file in the data root`,
    });
  return window === null && from !== null && (type === null || isTypeOfLayers(type, report));
}

function isTypeOfLayers({ parameters, result }: FunctionType, report: Report): boolean {
  const [parameter, ...more] = parameters;
  const axes = parameter?.type.axes.map(({ text }) => text) ?? [];
  const made = result.axes.map(({ text }) => text);
  const rest = (all: readonly string[]) =>
    all
      .filter((axis) => !depths.includes(axis))
      .toSorted()
      .join();
  const isRight =
    more.length === 0 &&
    parameter?.type.dtype === "f32" &&
    result.dtype === "f32" &&
    [axes, made].every((all) => all.filter((axis) => depths.includes(axis)).length === 1) &&
    rest(axes) === rest(made);
  if (isRight) return true;
  report.error("LTX5083", parameter?.type.span ?? result.span, "a network of layers has another type", {
    help: "it takes one value and makes its channels into others, at each place: `(x: tokens:video) -> f32[batch, token:video, feature]`",
  });
  return false;
}

/** What a video VAE takes and gives is known. */
function isOfKnownRight(syntax: NetworkSyntax, architecture: KnownArchitecture, report: Report): boolean {
  const { prefix, window, type } = syntax;
  if (prefix !== null)
    report.error("LTX5082", prefix.keySpan, `\`${architecture}\` has no \`prefix\``, {
      help: "its weights are found by their names, in a whole checkpoint or in a file of the video VAE; leave it out",
    });
  if (window !== null && architecture === "ltx_video_encoder")
    report.error("LTX5082", window.keySpan, "an encoder has no `window`", {
      help: "it takes the pixels that it is given: let the decoder that makes them have the `window`",
    });
  if (type !== null && !isSameType(type, architecture)) {
    report.error("LTX5083", type.result.span, `this is not the type of \`${architecture}\``, {
      help: `leave \`type\` out, or write \`${typeOf(architecture)}\``,
    });
    return false;
  }
  return prefix === null && (window === null || architecture === "ltx_video_decoder");
}

/** What a video decoder takes, and what it gives; `of` names another grid than the target's. */
export const latentAxes: readonly Axis[] = ["batch", "channel", "frame", "height", "width"];
export const pictureAxes = (of: string): readonly Axis[] => ["batch", "rgb", ...pixelAxesOf(of)];

const typeOf = (architecture: KnownArchitecture): string => {
  const [latents, pixels] = [`f32[${latentAxes.join(", ")}]`, `f32[${pictureAxes("").join(", ")}]`];
  return architecture === "ltx_video_decoder" ? `(z: ${latents}) -> ${pixels}` : `(x: ${pixels}) -> ${latents}`;
};

function isSameType({ parameters, result }: FunctionType, architecture: KnownArchitecture): boolean {
  const written = ({ dtype, axes }: FunctionType["result"]) => `${dtype}[${axes.map(({ text }) => text).join(", ")}]`;
  const [parameter, ...more] = parameters;
  if (parameter === undefined || more.length > 0) return false;
  const given = written(parameter.type).replace("[batch, token:video, channel]", `[${latentAxes.join(", ")}]`);
  return typeOf(architecture).replace(/^\(\w+: /, "") === `${given}) -> ${written(result)}`;
}
