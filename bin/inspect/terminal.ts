import { table } from "../shell/text.ts";
import type { Colors } from "../shell/color.ts";
import { runsOf, scaleOf, shade, type Run } from "./blocks.ts";
import type { Attention, Inspection, ModalityView, ValueRow } from "./inspection.ts";
import type { TokenMap } from "./maps.ts";
import { shortNumber } from "../probe/locations.ts";
import { gridText, percent, rangeText, shapeText } from "./wording.ts";

/** An inspection as text of at most `width` columns. */
export function renderTerminal(inspection: Inspection, width: number, colors: Colors): string {
  const { strategy, description, sample, values, modalities, losses, expectations } = inspection;
  const head = [colors.bold(strategy), ...(description === "" ? [] : [description]), `on ${sample}`].join("\n");
  const terms = losses.map(({ name, value }) => [`loss ${name}`, shortNumber(value)]);
  const expected = expectations.map(({ text, holds }) =>
    holds ? `expect ${text}: true` : colors.red(`expect ${text}: false somewhere (\`ltxc test\` says where)`),
  );
  const sections = [
    head,
    valuesText(values, colors),
    ...modalities.map((view) => modalityText(view, width, colors)),
    [table(terms), "(with random numbers instead of the model's prediction)"].join("\n"),
    ...(expected.length > 0 ? [expected.join("\n")] : []),
  ];
  return `${sections.join("\n\n")}\n`;
}

function valuesText(values: readonly ValueRow[], colors: Colors): string {
  const rows = values.map((row) => [row.key, row.dtype, row.axes.join(", ") || "-", shapeText(row), rangeText(row)]);
  const [head = "", ...lines] = table([["value", "type", "axes", "shape", "range"], ...rows]).split("\n");
  return [colors.bold(head), ...lines].join("\n");
}

function modalityText(view: ModalityView, width: number, colors: Colors): string {
  const { name, generated, tokens, shares, maps, attention, levels } = view;
  const loss = shares.losses.map((term) => `loss ${term.name} on ${percent(term.share)}`);
  const parts = generated
    ? [`${percent(shares.kept)} kept`, `${percent(shares.noised)} noised`, ...loss]
    : ["frozen: all clean"];
  const references = view.parts
    .filter(({ isTarget }) => !isTarget)
    .map(({ source, grid }) => `${source} ${gridText(name, grid)}`);
  return [
    `${colors.bold(name)}: ${gridText(name, view.grid)}, ${tokens} tokens: ${parts.join(", ")}`,
    ...(references.length > 0 ? [`in front of them: ${references.join(", ")}`] : []),
    ...maps.map((map) => `\n${mapText(map, width, colors)}`),
    ...(attention === null ? [] : [`\n${attentionText(attention, view, width, colors)}`]),
    ...(levels === null ? [] : [`\n${levelsText(levels, name, colors)}`]),
  ].join("\n");
}

// -------------------------------------------------------------------------------------------------------------------- maps

function mapText(map: TokenMap, width: number, colors: Colors): string {
  const characters = 2 * map.grid.width <= width / 2 ? 2 : 1;
  const cells = Math.max(1, Math.ceil((map.grid.width * characters) / width));
  const smaller = cells === 1 ? "" : `, ${cells} x ${cells} cells in one`;
  const columns = map.columns === "cells" ? "" : `, a column for each ${map.columns === "frames" ? "frame" : "step"}`;
  const title = `${colors.bold(map.key)}  ${colors.dim(`${legend(map)}${columns}${smaller}`)}`;
  const runs = runsOf(map, cells, characters);
  const named = map.grid.frames > 1 ? colors.dim : null;
  return [title, sideBySide(runs, width, { named, drawn: hueOf(map, colors) })].join("\n");
}

/** As on the page: one hue each for losses, noise, kept tokens, and the strategy's own values. */
function hueOf({ key }: TokenMap, colors: Colors): (text: string) => string {
  if (key.startsWith("weight.")) return colors.green;
  if (/\.(sigma|timesteps|generated)$/.test(key)) return colors.yellow;
  return key.includes(".") ? colors.blue : colors.magenta;
}

interface Paints {
  /** Paints the names of frames; null if there are none. */
  readonly named: ((text: string) => string) | null;
  readonly drawn: (text: string) => string;
}

function legend(map: TokenMap): string {
  if (map.kind === "mask") return `${shade(1)} true  ${shade(0)} false`;
  const { low, high } = scaleOf(map);
  return `${shade(0)} ${shortNumber(low)}  ${shade(0.2)}${shade(0.5)}${shade(0.9)}  ${shade(1)} ${shortNumber(high)}`;
}

function sideBySide(runs: readonly Run[], width: number, { named, drawn }: Paints): string {
  const nameOf = ({ first, last }: Run) => (first === last ? `frame ${first}` : `frames ${first}-${last}`);
  const widthOf = (run: Run) => Math.max(run.lines[0]?.length ?? 0, named === null ? 0 : nameOf(run).length);
  const column = Math.max(...runs.map(widthOf));
  const count = Math.max(1, Math.floor((width + 2) / (column + 2)));
  const inColumns = (cells: readonly string[]) =>
    cells
      .map((cell) => cell.padEnd(column))
      .join("  ")
      .trimEnd();
  const rows: string[] = [];
  for (let i = 0; i < runs.length; i += count) {
    const shown = runs.slice(i, i + count);
    if (named !== null) rows.push(named(inColumns(shown.map(nameOf))));
    const height = shown[0]?.lines.length ?? 0;
    for (let y = 0; y < height; y++) rows.push(drawn(inColumns(shown.map((run) => run.lines[y] ?? ""))));
  }
  return rows.join("\n");
}

// --------------------------------------------------------------------------------------------------------------- attention

/** Who may attend to whom between references and target, and the mask itself in blocks. */
function attentionText(attention: Attention, { parts }: ModalityView, width: number, colors: Colors): string {
  const names = parts.map(({ source }) => source);
  const rows = names.map((query, i) => [
    query,
    ...names.map((_, j) => percent(attention.betweenParts[i * names.length + j] ?? 0)),
  ]);
  const square: TokenMap = {
    key: "attention",
    kind: "numbers",
    columns: "cells",
    grid: { frames: 1, height: attention.side, width: attention.side },
    data: attention.blocks,
    min: 0,
    max: 1,
  };
  const cells = Math.max(1, Math.ceil(attention.side / Math.min(32, width / 2)));
  const [run] = runsOf(square, cells, 2);
  const title = `${colors.bold("attention")}  ${colors.dim(`${attention.sequence} tokens; rows are queries, columns are keys`)}`;
  return [title, table([["query \\ key", ...names], ...rows]), ...(run?.lines ?? [])].join("\n");
}

// ------------------------------------------------------------------------------------------------------------------ levels

const bars = " ▁▂▃▄▅▆▇█";

function levelsText(
  { bins, tokens, own, isWritten }: NonNullable<ModalityView["levels"]>,
  name: string,
  colors: Colors,
): string {
  const most = Math.max(...bins);
  const line = bins.map((share) => bars[share === 0 ? 0 : Math.max(1, Math.round((share / most) * 8))]).join("");
  const who = isWritten ? `as \`${name}.sigma\` comes out` : "as the run's sampler draws it";
  return `${colors.bold("sigma")}  ${colors.dim(`${who} for ${tokens} tokens, here ${Number(own.toPrecision(4))}`)}\n0 ${line} 1`;
}
