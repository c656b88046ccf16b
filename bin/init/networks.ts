/** Files with random weights for the networks of a new project's strategy. */
import { layerTensors, writeRandomTensors } from "../../runtime/index.ts";
import { sizes } from "./clips.ts";
import type { Program } from "./example.ts";
import { textWidths } from "./model-config.ts";
import type { ProjectFile } from "./project-file.ts";

/** How many channels what the networks are given has, by its axis: the model's streams are as wide as their captions. */
const widths: Readonly<Record<string, number>> = {
  channel: sizes.channels,
  "channel:audio": sizes.audioChannels * sizes.mel,
  hidden: textWidths.video,
  "hidden:audio": textWidths.audio,
  rgb: 3,
};

/** A file for each network of layers, where the strategy looks for it; the video VAE is in the model's file. */
export function networkFiles({ networks }: Program): readonly ProjectFile[] {
  return networks.flatMap(({ architecture, from, prefix, input }) => {
    if (typeof architecture === "string" || from === null) return [];
    const tensors = layerTensors(architecture, widths[input] ?? sizes.features);
    const named = tensors.map(({ name, shape }) => ({ name: prefix + name, shape }));
    return [{ path: `data/${from}`, content: (to: string) => writeRandomTensors(to, named) }];
  });
}
