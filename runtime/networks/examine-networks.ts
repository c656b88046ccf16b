/** Whether the files of a strategy's networks hold what their architectures ask for, by their headers alone. */
import type { NetworkInfo, NetworkLayer, Shape } from "../contract.ts";
import { judgeFile } from "../files/kinds/index.ts";
import { openSafetensors, type SafetensorsFile } from "../files/safetensors/index.ts";
import { fail, FindingsError, together } from "../findings.ts";
import { examineDecoder, examineEncoder } from "../media/vae/video-vae.ts";
import type { StreamConfig, TransformerConfig } from "../model/config.ts";
import type { Part } from "../model/weights.ts";
import { some } from "../some.ts";
import type { FoundNetwork } from "./find-networks.ts";
import { weightShapes, widthAfter } from "./layers.ts";

/** Opens each network's file and looks whether it fits. Errors: FindingsError with everything that is wrong, those of `examineNetwork`. */
export async function checkNetworks(networks: readonly FoundNetwork[], model: TransformerConfig): Promise<void> {
  await together(
    networks.map((network) => () => withFile(network, async (file) => examineNetwork(file, network, model))),
  );
}

/** Errors: FindingsError LTX6180 to LTX6230 for a file of another kind. */
export async function withFile<T>(
  { info, path, place }: FoundNetwork,
  use: (file: SafetensorsFile) => Promise<T>,
): Promise<T> {
  const unfit = await judgeFile(path, typeof info.architecture === "string" ? "video-vae" : "network", place);
  if (unfit !== null) throw new FindingsError([unfit]);
  const file = await openSafetensors(path);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/**
 * The parts of the file that the network reads.
 * Errors: FindingsError LTX6833 (tensors that are missing or of other shapes), LTX6834 (a width that the model does not have), LTX6835 (a VAE that
 * draws noise), LTX6204 to LTX6206, LTX6208 and LTX6801 to LTX6803 as for other uses of a VAE.
 */
export function examineNetwork(
  file: SafetensorsFile,
  network: FoundNetwork,
  model: TransformerConfig,
): readonly Part[] {
  const { architecture } = network.info;
  if (typeof architecture !== "string")
    return [{ prefix: "", parameters: examineLayers(file, network, architecture, model) }];
  const { parts, channels } = examineVae(file, network, architecture);
  const wanted = model.video?.inChannels;
  if (wanted === undefined || channels === wanted) return parts;
  const message = `the network \`${network.info.name}\`: the video VAE in ${file.path} has latents of ${channels} channels, and the model of ${wanted}`;
  return fail("LTX6834", message, "name the file of the video VAE that belongs to the checkpoint", network.place);
}

function examineVae(file: SafetensorsFile, { info, place }: FoundNetwork, architecture: string) {
  if (architecture === "ltx_video_encoder") {
    const { config, parts } = examineEncoder(file, place);
    return { parts, channels: config.latentChannels };
  }
  const { config, parts } = examineDecoder(file, place);
  if (config.isTimestepConditioned || config.blocks.some(({ injectsNoise }) => injectsNoise)) {
    const message = `the network \`${info.name}\`: the decoder in ${file.path} draws noise while it decodes, so a loss of its pixels would be that of the noise, too`;
    fail("LTX6835", message, "take the video VAE of a published LTX-2, whose decoder draws none", place);
  }
  return { parts, channels: config.latentChannels };
}

function examineLayers(
  file: SafetensorsFile,
  network: FoundNetwork,
  layers: readonly NetworkLayer[],
  model: TransformerConfig,
): Part["parameters"] {
  const { info, place } = network;
  const { prefix = "" } = info;
  const nameOf = (i: number, kind: string) => `${prefix}${i}.${kind}`;
  const first = layers.findIndex((layer) => weightShapes(layer, 1) !== null && layer.kind !== "layer_norm");
  const stored = file.tensors.get(nameOf(first, "weight"))?.shape;
  if (stored === undefined) return lacking(file, network, nameOf(first, "weight"));
  let width = stored[1] ?? 0;
  const wanted = widthOf(info.input, model);
  if (wanted !== null && width !== wanted) {
    const message = `the network \`${info.name}\` is given values over \`${info.input}\`, which has ${wanted} here, and ${nameOf(first, "weight")} in ${file.path} takes ${width}`;
    fail(
      "LTX6834",
      message,
      "name a file whose network was trained on such values, or give the network what it was trained on",
      place,
    );
  }
  const read: { name: string; shape: Shape }[] = [];
  const wrong: string[] = [];
  for (const [i, layer] of layers.entries()) {
    const shapes = weightShapes(layer, width);
    width = widthAfter(layer, width);
    if (shapes === null) continue;
    const found = {
      weight: file.tensors.get(nameOf(i, "weight"))?.shape,
      bias: file.tensors.get(nameOf(i, "bias"))?.shape,
    };
    // A norm may have neither.
    if (found.weight === undefined && layer.kind !== "layer_norm") return lacking(file, network, nameOf(i, "weight"));
    for (const [kind, fitting] of [
      ["weight", shapes],
      ["bias", [[width]]],
    ] as const) {
      const shape = found[kind];
      if (shape === undefined) continue;
      const isFit = fitting.some((each) => each.join() === shape.join());
      if (!isFit) wrong.push(`${nameOf(i, kind)} is ${show(shape)} instead of ${show(fitting[0] ?? [])}`);
      read.push({ name: nameOf(i, kind), shape });
    }
  }
  if (wrong.length > 0) {
    const message = `the network \`${info.name}\`: ${file.path} has tensors of other shapes than its layers: ${some(wrong)}`;
    fail("LTX6833", message, "compare the layers of the strategy with those that were trained", place);
  }
  return read.map(({ name, shape }) => ({ name, shape, stream: "video", linear: null }));
}

const show = (shape: Shape): string => `[${shape.join(", ")}]`;

/** The layers that the file has, by the beginnings of their names. */
function lacking(file: SafetensorsFile, { info, place }: FoundNetwork, name: string): never {
  const ends = /(?:^|\.)\d+\.weight$/;
  const own = name.slice((info.prefix ?? "").length);
  const other = otherPrefix(file, info, own);
  const weights = [...file.tensors.keys()].filter((each) => ends.test(each));
  const help =
    other !== undefined
      ? `its names begin with \`${other}\`: write \`prefix: ${other}\` in the strategy`
      : `layers are counted from 0, activations among them, as in PyTorch's \`nn.Sequential\`; the file has ${some(weights.length > 0 ? weights : [...file.tensors.keys()])}`;
  return fail("LTX6833", `the network \`${info.name}\`: ${file.path} has no tensor ${name}`, help, place);
}

/** What the names of all layers begin with in the file, other than the strategy says. */
function otherPrefix({ tensors }: SafetensorsFile, { architecture }: NetworkInfo, first: string): string | undefined {
  const layers = typeof architecture === "string" ? [] : architecture;
  const weights = layers.flatMap((layer, i) => ("features" in layer ? [`${i}.weight`] : []));
  const begins = [...tensors.keys()].flatMap((each) =>
    each.endsWith(`.${first}`) ? [each.slice(0, -first.length)] : [],
  );
  return begins.find((prefix) => weights.every((name) => tensors.has(prefix + name)));
}

/** How long an axis of channels is in this model; null for one that only the data knows. */
function widthOf(input: string, { video, audio }: TransformerConfig): number | null {
  const [axis, modality = "video"] = input.split(":");
  const stream: StreamConfig | null = modality === "audio" ? audio : video;
  if (axis === "rgb") return 3;
  return axis === "channel" ? (stream?.inChannels ?? null) : axis === "hidden" ? (stream?.width ?? null) : null;
}
