import type { StrategyInfo } from "../contract.ts";
import type { DataSource } from "../data/directories.ts";
import { DATA_ROOT, FindingsError, type Finding } from "../findings.ts";
import type { Outline } from "./look-at-samples.ts";

/** Axes along which a tensor is as long in every sample: what it has at each place. */
const DEPTHS: readonly string[] = ["feature", "channel", "hidden", "rgb"];

/**
 * Whether the files of tensors have as many features as each other, and as the heads and networks that their features meet. Otherwise a
 * step would fail when it comes to such a sample; a single feature would be repeated in silence.
 * Errors: FindingsError LTX6136, naming the files.
 */
export function checkWidths(
  outlines: readonly Outline[],
  sources: readonly DataSource[],
  strategy: Pick<StrategyInfo, "outputs" | "networks">,
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
      return other === undefined ? meeting(source, axis, first, strategy) : [unequal(axis, first, other)];
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
  strategy: Pick<StrategyInfo, "outputs" | "networks">,
): Finding[] {
  if (axis !== "feature") return [];
  return meets.flatMap((name) => {
    const width = widthOf(name, strategy);
    if (width === null || width === length) return [];
    const message = `\`${name}\` has ${width === 1 ? "one feature" : `${width} features`}, and ${path} has ${length}, which \`${role}\` brings along \`feature\``;
    return [
      refuse(message, `let the last layer of \`${name}\` have ${length} features, or compare it with other data`),
    ];
  });
}

/** Null for a head whose width a parameter gives. */
function widthOf(name: string, { outputs, networks = [] }: Pick<StrategyInfo, "outputs" | "networks">): number | null {
  const output = outputs.find((each) => each.name === name);
  if (output?.kind === "linear") return output.param === undefined ? output.features : null;
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
