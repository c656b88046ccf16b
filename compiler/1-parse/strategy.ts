import type { Bag } from "../diagnostics/bag.ts";
import type { SourceFile } from "../source/source-file.ts";
import type { Span } from "../source/span.ts";
import { parseFunctionType } from "./function-type.ts";
import { inherit, type Library } from "./inherit.ts";
import type { AxisName, Expected, Expression, Item, Name, ReferenceItem } from "./expression/ast.ts";
import { parseBinder, parseExpected, parseExpression, parseItem } from "./expression/parse.ts";
import type * as syntax from "./syntax.ts";
import { strayNames } from "./stray-names.ts";
import { parseTemplate } from "./template.ts";
import { entryOf, toPlain, type YamlEntry, type YamlNode, type YamlScalar } from "./tree.ts";
import { parseYaml } from "./yaml.ts";

export interface ParsedStrategy {
  /** For the check of the structure. */
  readonly tree: YamlNode;
  readonly syntax: syntax.StrategySyntax;
}

/** Reads a strategy file. Null where its YAML is broken; wrong shapes pass in silence, since the schema check reports them. */
export function parseStrategy(file: SourceFile, bag: Bag): ParsedStrategy | null {
  const tree = parseYaml(file, bag);
  return tree === null ? null : { tree, syntax: readStrategy(tree, bag) };
}

/** The same with what the strategy inherits; `file` has its bases, also where one of them is broken. */
export function parseInherited(
  file: SourceFile,
  library: Library,
  bag: Bag,
): { readonly file: SourceFile; readonly parsed: ParsedStrategy | null } {
  const own = parseYaml(file, bag);
  if (own === null) return { file, parsed: null };
  const { tree, file: whole } = inherit(own, file, library, bag);
  return { file: whole, parsed: tree === null ? null : { tree, syntax: readStrategy(tree, bag) } };
}

function readStrategy(tree: YamlNode, bag: Bag): syntax.StrategySyntax {
  const entries = entriesOf(tree);
  const section = (key: string) => entriesOf(entryOf(tree, key)?.value);
  const expect = entryOf(tree, "expect")?.value;
  return {
    name: nameValue(entryOf(tree, "strategy")),
    language: located(entryOf(tree, "language"), "number"),
    description: located(entryOf(tree, "description"), "string"),
    extends: located(entryOf(tree, "extends"), "string"),
    params: section("params").map(param),
    sources: section("sources").map((entry) => source(entry, bag)),
    datasets: section("datasets").map((entry) => dataset(entry, bag)),
    lets: section("let").flatMap((entry) => letEntry(entry, bag)),
    video: modality("video", entryOf(tree, "video"), bag),
    audio: modality("audio", entryOf(tree, "audio"), bag),
    passes: section("passes").map((entry) => pass(entry, bag)),
    losses: losses(entryOf(tree, "loss"), bag),
    outputs: section("outputs").map((entry) => output(entry, bag)),
    weights: section("weights").map((entry) => weight(entry, bag)),
    networks: section("networks").map((entry) => network(entry, bag)),
    imports: section("imports").map((entry) => importEntry(entry, bag)),
    metadata: section("metadata").flatMap((entry) => metadata(entry, bag)),
    expect: expect?.kind === "sequence" ? expect.items.map((entry) => expected(entry, bag)) : [],
    strayNames: strayNames(entries),
    keySpans: new Map(entries.map(({ key, keySpan }) => [key, keySpan])),
    span: tree.span,
  };
}

/** An expression in place of the terms is one that could not be read: the schema check says how to name it. */
function losses(entry: YamlEntry | null, bag: Bag): syntax.LossSyntax[] {
  if (entry !== null && entry.value.kind === "scalar" && typeof entry.value.value === "string")
    return [{ name: keyName(entry), value: { kind: "error", span: entry.value.span } }];
  return entriesOf(entry?.value).map((term) => ({ name: keyName(term), value: expression(term.value, bag) }));
}

function entriesOf(node: YamlNode | undefined): readonly YamlEntry[] {
  return node?.kind === "mapping" ? node.entries : [];
}

function keyName({ key, keySpan }: YamlEntry): Name {
  return { text: key, span: keySpan };
}

function nameValue(entry: YamlEntry | null): Name | null {
  const text = located(entry, "string");
  return text === null ? null : { text: text.value, span: text.span };
}

interface Primitives {
  readonly string: string;
  readonly number: number;
  readonly boolean: boolean;
}

function located<K extends keyof Primitives>(entry: YamlEntry | null, type: K): syntax.Located<Primitives[K]> | null {
  if (entry === null || entry.value.kind !== "scalar" || !isOf(entry.value.value, type)) return null;
  return { value: entry.value.value, keySpan: entry.keySpan, span: entry.value.span };
}

function isOf<K extends keyof Primitives>(value: unknown, type: K): value is Primitives[K] {
  return typeof value === type;
}

// ---------------------------------------------------------------------------------------------------------------- sections

function param(entry: YamlEntry): syntax.ParamSyntax {
  const schema = entry.value.kind === "mapping" ? (toPlain(entry.value) as Record<string, unknown>) : {};
  return { name: keyName(entry), schema, node: entry.value };
}

function source(entry: YamlEntry, bag: Bag): syntax.SourceSyntax {
  const { value } = entry;
  const template = (key: string) => {
    const node = entryOf(value, key)?.value;
    return isText(node) ? parseTemplate(node, bag) : null;
  };
  return {
    name: keyName(entry),
    kind: nameValue(entryOf(value, "kind")),
    directory: template("directory"),
    file: template("file"),
    key: located(entryOf(value, "key"), "string"),
    axes: axes(entryOf(value, "axes")),
    range: range(entryOf(value, "range")),
    like: nameValue(entryOf(value, "like")),
    optional: located(entryOf(value, "optional"), "boolean"),
    isOdd: isOddSource(value),
    span: value.span,
  };
}

const keysOfSource = ["directory", "file", "kind", "key", "axes", "range", "like", "optional"];

function isOddSource(node: YamlNode): boolean {
  const optional = entryOf(node, "optional");
  return hasOther(node, keysOfSource) || (optional !== null && located(optional, "boolean") === null);
}

const isNoText = (entry: YamlEntry | null): boolean => entry !== null && located(entry, "string") === null;

const hasOther = (node: YamlNode, known: readonly string[]): boolean =>
  entriesOf(node).some(({ key }) => !known.includes(key));

function dataset(entry: YamlEntry, bag: Bag): syntax.DatasetSyntax {
  const { value } = entry;
  const [root, share] = ["root", "share"].map((key) => entryOf(value, key));
  const without = entryOf(value, "without")?.value;
  const items = without?.kind === "sequence" ? without.items : [];
  return {
    name: keyName(entry),
    root: isText(root?.value) ? parseTemplate(root.value, bag) : null,
    share: located(share ?? null, "number") ?? located(share ?? null, "string"),
    without: items.flatMap((item) => (isText(item) ? [{ text: item.text, span: item.span }] : [])),
    isOdd: hasOther(value, ["root", "share", "without"]),
    span: value.span,
  };
}

function isText(node: YamlNode | undefined): node is YamlScalar {
  return node?.kind === "scalar" && typeof node.value === "string";
}

function axes(entry: YamlEntry | null): syntax.Located<readonly AxisName[]> | null {
  if (entry === null || entry.value.kind !== "sequence") return null;
  const value = entry.value.items.filter(isText).map(({ text, span }) => ({ text, span }));
  return { value, keySpan: entry.keySpan, span: entry.value.span };
}

/** Two numbers; null where anything else stands. */
function range(entry: YamlEntry | null): syntax.Located<readonly [number, number]> | null {
  if (entry === null || entry.value.kind !== "sequence") return null;
  const [low, high, ...more] = entry.value.items.map((node) => (node.kind === "scalar" ? node.value : null));
  if (typeof low !== "number" || typeof high !== "number" || more.length > 0) return null;
  return { value: [low, high], keySpan: entry.keySpan, span: entry.value.span };
}

function letEntry({ keyNode, value }: YamlEntry, bag: Bag): syntax.LetSyntax[] {
  if (value.kind === "scalar" && value.broken) return [];
  const binder = parseBinder(keyNode.text, keyNode.mapOffset, bag);
  const parsed = expression(value, bag);
  return binder === null ? [] : [{ binder, value: parsed }];
}

function output(entry: YamlEntry, bag: Bag): syntax.OutputSyntax {
  const text = (key: string) => located(entryOf(entry.value, key), "string");
  return {
    name: keyName(entry),
    tap: text("tap"),
    modality: text("modality"),
    linear: nameValue(entryOf(entry.value, "linear")),
    features: located(entryOf(entry.value, "features"), "number"),
    given: givenIn([entryOf(entry.value, "tap")?.value, entryOf(entry.value, "features")?.value], bag),
    activation: text("activation"),
  };
}

function givenIn(nodes: readonly (YamlNode | undefined)[], bag: Bag): Expression | null {
  const parts = nodes.filter(isText).flatMap((node) => parseTemplate(node, bag).parts);
  return parts.flatMap((part) => (part.kind === "expression" ? [part.value] : []))[0] ?? null;
}

function weight(entry: YamlEntry, bag: Bag): syntax.WeightSyntax {
  const [axes, init] = ["axes", "init"].map((key) => entryOf(entry.value, key));
  const items = axes?.value.kind === "sequence" ? axes.value.items : null;
  return {
    name: keyName(entry),
    axes:
      !axes || items === null ? null : { value: items.map(sizedAxis), keySpan: axes.keySpan, span: axes.value.span },
    like: nameValue(entryOf(entry.value, "like")),
    init: init ? expression(init.value, bag) : null,
  };
}

/** `hidden`, or `text: 8`, which YAML reads as a mapping. */
function sizedAxis(node: YamlNode): { readonly name: string; readonly length: number | null } {
  const [entry] = entriesOf(node);
  if (entry === undefined) return { name: node.kind === "scalar" ? node.text : "", length: null };
  const { value } = entry;
  return { name: entry.key, length: value.kind === "scalar" && typeof value.value === "number" ? value.value : null };
}

function network(entry: YamlEntry, bag: Bag): syntax.NetworkSyntax {
  const [from, type] = ["from", "type"].map((key) => entryOf(entry.value, key)?.value);
  return {
    name: keyName(entry),
    architecture: architecture(entryOf(entry.value, "architecture")),
    from: isText(from) ? parseTemplate(from, bag) : null,
    prefix: located(entryOf(entry.value, "prefix"), "string"),
    window: numbers(entryOf(entry.value, "window")),
    type: isText(type) ? parseFunctionType(type, bag) : null,
    isOdd: hasOther(entry.value, ["architecture", "from", "prefix", "window", "type"]),
  };
}

function architecture(entry: YamlEntry | null): syntax.NetworkSyntax["architecture"] {
  if (entry === null || entry.value.kind !== "sequence") return located(entry, "string");
  const value = entry.value.items.filter(isText).map(({ text, span }) => ({ text, span }));
  return { value, keySpan: entry.keySpan, span: entry.value.span };
}

function numbers(entry: YamlEntry | null): syntax.NetworkSyntax["window"] {
  if (entry === null) return null;
  const all = entriesOf(entry.value).flatMap(({ key, value }) =>
    value.kind === "scalar" && typeof value.value === "number" ? [[key, value.value] as const] : [],
  );
  return { value: Object.fromEntries(all), keySpan: entry.keySpan, span: entry.value.span };
}

function importEntry(entry: YamlEntry, bag: Bag): syntax.ImportSyntax {
  const type = entryOf(entry.value, "type")?.value;
  return {
    name: keyName(entry),
    from: located(entryOf(entry.value, "from"), "string"),
    python: located(entryOf(entry.value, "python"), "string"),
    type: isText(type) ? parseFunctionType(type, bag) : null,
  };
}

function metadata(entry: YamlEntry, bag: Bag): syntax.MetadataSyntax[] {
  const { value } = entry;
  return value.kind === "scalar" ? [{ name: keyName(entry), value: parseTemplate(value, bag) }] : [];
}

// -------------------------------------------------------------------------------------------------------------- modalities

function modality(name: "video" | "audio", entry: YamlEntry | null, bag: Bag): syntax.ModalitySyntax | null {
  if (entry === null) return null;
  const { keySpan, value } = entry;
  const one = (key: string) => expressionEntry(entryOf(value, key), bag);
  const many = (key: string) => itemsEntry(entryOf(value, key), bag);
  return {
    name,
    keySpan,
    span: value.span,
    latents: one("latents"),
    text: many("text"),
    generate: located(entryOf(value, "generate"), "boolean"),
    fps: one("fps"),
    sigma: one("sigma"),
    noise: one("noise"),
    noisy: one("noisy"),
    target: one("target"),
    denoised: one("denoised"),
    attention: one("attention"),
    keyframes: one("keyframes"),
    keep: many("keep"),
    noiseMask: many("noise_mask"),
    references: references(entryOf(value, "references"), bag),
  };
}

function pass(entry: YamlEntry, bag: Bag): syntax.PassSyntax {
  const { value } = entry;
  const adapters = entryOf(value, "adapters");
  return {
    name: keyName(entry),
    adapters: located(adapters, "boolean") ?? located(adapters, "string"),
    gradient: located(entryOf(value, "gradient"), "string"),
    video: modality("video", entryOf(value, "video"), bag),
    audio: modality("audio", entryOf(value, "audio"), bag),
    isOdd:
      hasOther(value, ["adapters", "gradient", "video", "audio"]) ||
      isNoText(entryOf(value, "gradient")) ||
      (adapters !== null && adapters.value.kind !== "scalar"),
    span: entry.keySpan,
  };
}

function expressionEntry(entry: YamlEntry | null, bag: Bag): syntax.EntrySyntax | null {
  return entry === null ? null : { keySpan: entry.keySpan, value: expression(entry.value, bag) };
}

function itemsEntry(entry: YamlEntry | null, bag: Bag): syntax.ItemsSyntax | null {
  if (entry === null) return null;
  const { keySpan, value } = entry;
  const nodes = value.kind === "sequence" ? value.items : [value];
  return { keySpan, items: nodes.map((node) => item(node, bag)), span: value.span };
}

function references(entry: YamlEntry | null, bag: Bag): syntax.ReferencesSyntax | null {
  if (entry === null) return null;
  const { keySpan, value } = entry;
  const nodes = value.kind === "sequence" ? value.items : [value];
  return { keySpan, items: nodes.map((node) => reference(node, bag)), span: value.span };
}

/** `style with probability 0.5`, or `{source: style, probability: 0.5, sigma: uniform(0, 0.2)}` */
function reference(node: YamlNode, bag: Bag): ReferenceItem {
  if (node.kind !== "mapping") return { ...item(node, bag), isMapping: false, sigma: null, noise: null };
  const one = (key: string) => expressionEntry(entryOf(node, key), bag);
  const { span } = node;
  const source = entryOf(node, "source");
  const value = source === null ? { kind: "error" as const, span } : sourceOf(source.value, bag);
  const probability = one("probability")?.value ?? null;
  return { value, probability, span, isMapping: true, sigma: one("sigma"), noise: one("noise") };
}

/** The probability of an entry in the short form does not stand in a mapping. */
function sourceOf(node: YamlNode, bag: Bag): Expression {
  const { value, probability } = item(node, bag);
  if (probability === null) return value;
  const text = node.kind === "scalar" ? node.text.replace(/^.*\sprobability\s*/s, "") : "";
  bag.error("LTX1108", probability.span, "`with probability` cannot stand in a mapping", {
    help: `there it is a key of its own: \`probability: ${text}\``,
  });
  return { kind: "error", span: node.span };
}

function item(node: YamlNode, bag: Bag): Item {
  if (isText(node)) return parseItem(node.text, node.mapOffset, bag);
  return { value: expression(node, bag), probability: null, span: node.span };
}

function expected(node: YamlNode, bag: Bag): Expected {
  if (isText(node)) return parseExpected(node.text, node.mapOffset, bag);
  return { value: expression(node, bag), share: null, span: node.span };
}

/** A YAML number or boolean is an expression, too; anything but a scalar is a mistake that the schema check reports. */
function expression(node: YamlNode, bag: Bag): Expression {
  const { span } = node;
  if (node.kind !== "scalar" || node.value === null) return { kind: "error", span };
  if (typeof node.value === "boolean") return { kind: "boolean", value: node.value, span };
  if (typeof node.value === "number") return number(node.value, span);
  return parseExpression(node.text, node.mapOffset, bag);
}

function number(value: number, span: Span): Expression {
  const positive: Expression = { kind: "number", value: Math.abs(value), span };
  return value < 0 ? { kind: "negate", operand: positive, span } : positive;
}
