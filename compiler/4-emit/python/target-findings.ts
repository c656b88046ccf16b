/** What the official trainer cannot do, and what it does otherwise than one might expect. */
import { entryOf, type YamlNode } from "../../1-parse/tree.ts";
import type { Program } from "../../3-lower/program.ts";
import type { Bag } from "../../diagnostics/bag.ts";
import type { Span } from "../../source/span.ts";

/** Strategies of the official trainer whose names a strategy may have, too, and what else follows from the name. */
const official: Readonly<Record<string, string>> = {
  text_to_video: "",
  video_to_video: ", and applies the checks of `validation` that belong to its own",
};

/** Findings of the target `ltx-trainer` alone. `tree`: the strategy with what it inherits. */
export function reportTarget(program: Program, tree: YamlNode | null, bag: Bag): void {
  const place = (...path: readonly string[]): Span => spanAt(tree, path);
  reportPasses(program, place, bag);
  reportTexts(program, place, bag);
  reportWeights(program, place, bag);
  reportNetworks(program, place, bag);
  reportOptional(program, place, bag);
  reportDatasets(program, place, bag);
  if (program.params.some(({ name }) => name === "name")) {
    const message = "the official trainer keeps the strategy's own name under `name`";
    bag.error("LTX6603", place("params", "name"), message, { help: "give the parameter another name" });
  }
  for (const { name, kind, directory, shared } of program.sources) {
    if (shared) continue;
    const certain = directory.replace(/\$\{[^}]*\}/g, "");
    if (kind.endsWith("_latents") || !/latent/i.test(certain)) continue;
    const message = `in the files of a directory with \`latent\` in its name the official trainer expects an entry \`latents\`, which those of a ${kind} have not`;
    bag.error("LTX6604", place("sources", name, "directory"), message, { help: "rename the directory" });
  }
  const more = official[program.name];
  if (more === undefined) return;
  const message = `the official trainer has a strategy \`${program.name}\` of its own; with \`ltxc_${program.name}.py\` it trains this one instead${more}`;
  bag.warning("LTX6605", place("strategy"), message, { help: "give this one another name if they differ" });
}

/** It trains one set of weights, and keeps no mean of them. */
function reportPasses({ passes }: Program, place: (...path: readonly string[]) => Span, bag: Bag): void {
  for (const { name, weights } of passes) {
    if (weights !== "ema") continue;
    const message = `the official trainer keeps no moving mean of the weights, which the pass \`${name}\` would call the model with`;
    bag.error("LTX6630", place("passes", name, "adapters"), message, {
      help: "train with `ltxc run`, or take `adapters: false`, the model without the LoRA",
    });
  }
}

/** Its data set must have the texts that its connectors read. */
function reportTexts({ sources }: Program, place: (...path: readonly string[]) => Span, bag: Bag): void {
  const texts = sources.filter(({ kind }) => kind === "text_embeddings");
  const [first] = texts;
  if (first === undefined || texts.some(({ shared }) => !shared)) return;
  const message = `the official trainer reads texts from a directory, with a file for each sample, and all texts here are single files`;
  bag.error("LTX6641", place("sources", first.name, "file"), message, {
    help: `put a copy of the file for each sample into a directory, and name that for \`${first.name}\``,
  });
}

/** Inputs of a step are prepared there without a gradient. */
function reportWeights({ weights }: Program, place: (...path: readonly string[]) => Span, bag: Bag): void {
  for (const { name } of weights) {
    const message = `modules for the official trainer prepare what the model is given without a gradient, so \`${name}\` would not be trained`;
    bag.error("LTX6389", place("weights", name), message, { help: "train with `ltxc run`" });
  }
}

/** A module for it is one file, without the weights and the code of other networks. */
function reportNetworks({ networks }: Program, place: (...path: readonly string[]) => Span, bag: Bag): void {
  for (const { name } of networks) {
    const message = `modules for the official trainer hold no other networks, so nothing computes \`${name}\` there`;
    bag.error("LTX6616", place("networks", name), message, { help: "train with `ltxc run`" });
  }
}

/** Its data set has samples with a file in every directory, and leaves all others out. */
function reportOptional({ sources }: Program, place: (...path: readonly string[]) => Span, bag: Bag): void {
  for (const { name, optional } of sources) {
    if (!optional) continue;
    const message = `the official trainer leaves out samples without a file of \`${name}\`, so it cannot be optional there`;
    bag.error("LTX6389", place("sources", name, "optional"), message, { help: "train with `ltxc run`" });
  }
}

/** Its batches are of one data set. */
function reportDatasets({ datasets }: Program, place: (...path: readonly string[]) => Span, bag: Bag): void {
  if (datasets.length === 0) return;
  const message = "the official trainer reads one data set, and mixes no others into its batches";
  bag.error("LTX6389", place("datasets"), message, { help: "train with `ltxc run`" });
}

/** Of the value there, or of the nearest key above it that the file has. */
function spanAt(tree: YamlNode | null, path: readonly string[]): Span {
  let span: Span = { start: 0, end: 0 };
  let node = tree;
  for (const key of path) {
    const entry = entryOf(node, key);
    if (entry === null) return span;
    span = entry.value.kind === "scalar" ? entry.value.span : entry.keySpan;
    node = entry.value;
  }
  return span;
}
