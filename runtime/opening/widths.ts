import type { OutputInfo, StrategyInfo } from "../contract.ts";
import type { DataSource } from "../data/directories.ts";
import { DATA_ROOT, FindingsError, type Finding } from "../findings.ts";
import type { TransformerConfig } from "../model/config.ts";
import type { Outline } from "./look-at-samples.ts";

/** Axes along which a tensor is as long in every sample: what it has at each place. */
const DEPTHS: readonly string[] = ["feature", "channel", "hidden", "rgb"];

/** What a strategy declares, with the features that parameters give in place of their defaults. */
type Declared = Pick<StrategyInfo, "outputs" | "networks">;

/**
 * Whether the files of tensors have as many features as each other, and as the heads and networks that their features meet, and as many
 * channels and hidden numbers as the model where they meet its own. Otherwise a step would fail when it comes to such a sample; a single
 * number would be repeated in silence.
 * @param model null where it is not known
 * Errors: FindingsError LTX6136, naming the files.
 */
export function checkWidths(
  outlines: readonly Outline[],
  sources: readonly DataSource[],
  strategy: Declared,
  model: TransformerConfig | null,
): void {
  const findings = sources.flatMap((source) => {
    const files = outlines.flatMap(({ sample, sources: of }) => {
      const found = of[source.role];
      return found?.kind === "tensor"
        ? [{ path: sample.files[source.role] ?? source.directory, shape: found.shape }]
        : [];
    });
    return (source.axes ?? []).flatMap((axis, i) => {
      if (!DEPTHS.includes(axis)) return [];
      const [first, ...others] = files.map(({ path, shape }) => ({ path, length: shape[i] ?? 0 }));
      const other = others.find(({ length }) => length !== first?.length);
      if (first === undefined) return [];
      return other === undefined ? meeting(source, axis, first, { strategy, model }) : [unequal(axis, first, other)];
    });
  });
  if (findings.length > 0) throw new FindingsError(findings);
}

interface Width {
  readonly path: string;
  readonly length: number;
}

const unequal = (axis: string, first: Width, other: Width): Finding =>
  refuse(
    `${other.path} has a length of ${other.length} along \`${axis}\`, ${first.path} of ${first.length}`,
    "make the files of a source with one encoder",
  );

function meeting(
  { role, meets = [] }: DataSource,
  axis: string,
  { path, length }: Width,
  { strategy, model }: { readonly strategy: Declared; readonly model: TransformerConfig | null },
): Finding[] {
  return meets.flatMap((name) => {
    const width = axis === "feature" ? widthOf(name, strategy) : lengthOf(name, axis, strategy, model);
    if (width === null || width === length) return [];
    const has = axis === "feature" ? countOf(width) : `a length of ${width} along \`${axis}\``;
    const message = `\`${name}\` has ${has}, and ${path} has ${length}, which \`${role}\` brings along \`${axis}\``;
    const param = axis === "feature" ? strategy.outputs.find((output) => output.name === name)?.param : undefined;
    const place = param === undefined ? DATA_ROOT : ["training_strategy", param];
    return [{ ...refuse(message, helpFor({ name, axis, length, param })), path: place }];
  });
}

const countOf = (features: number): string => (features === 1 ? "one feature" : `${features} features`);

interface Unlike {
  readonly name: string;
  readonly axis: string;
  readonly length: number;
  /** The parameter that gives its features. */
  readonly param: string | undefined;
}

function helpFor({ name, axis, length, param }: Unlike): string {
  if (axis !== "feature") {
    const only = length === 1 ? `; where one number is meant for all along \`${axis}\`, leave this axis out` : "";
    return `compare it with data of the same model${only}`;
  }
  const wider =
    param === undefined ? `let the last layer of \`${name}\` have ${length} features` : `give \`${param}\` ${length}`;
  return `${wider}, or compare it with other data`;
}

/**
 * Heads whose width a parameter gives, and others that they meet, have one width.
 * @param strategy as for `checkWidths`
 * @returns an error for each two that differ: LTX6167
 */
export function unlikeHeads(strategy: Declared): Finding[] {
  const told = new Set<string>();
  return strategy.outputs.flatMap((head) =>
    head.kind === "linear" ? (head.meets ?? []).flatMap((name) => unlike(head, name, strategy, told)) : [],
  );
}

type Head = Extract<OutputInfo, { kind: "linear" }>;

function unlike({ name, features, param }: Head, other: string, strategy: Declared, told: Set<string>): Finding[] {
  const width = widthOf(other, strategy);
  const pair = [name, other].toSorted().join();
  if (width === null || width === features || told.has(pair)) return [];
  told.add(pair);
  const message = `\`${name}\` and \`${other}\` do not fit together: they have ${features} and ${width} features`;
  const help = `\`${param}\` gives the features of \`${name}\`: write ${width}, or compare it with another head`;
  return [{ code: "LTX6167", severity: "error", path: ["training_strategy", param ?? "name"], message, help }];
}

/** Of a tap's stream along `hidden`, or of a modality's latents along `channel`; null for what is neither, or not known. */
function lengthOf(name: string, axis: string, { outputs }: Declared, model: TransformerConfig | null): number | null {
  if (axis === "channel") return name === "video" || name === "audio" ? (model?.[name]?.inChannels ?? null) : null;
  const tap = outputs.find((output) => output.name === name);
  return tap?.kind === "tap" ? (model?.[tap.modality]?.width ?? null) : null;
}

/** Null for what has no features. */
function widthOf(name: string, { outputs, networks = [] }: Declared): number | null {
  const output = outputs.find((each) => each.name === name);
  if (output?.kind === "linear") return output.features;
  const layers = networks.find((each) => each.name === name)?.architecture ?? [];
  const widths =
    typeof layers === "string" ? [] : layers.flatMap((layer) => ("features" in layer ? [layer.features] : []));
  return widths.at(-1) ?? null;
}

const refuse = (message: string, help: string): Finding => ({
  code: "LTX6136",
  severity: "error",
  path: DATA_ROOT,
  message,
  help,
});
