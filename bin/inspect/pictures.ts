/** An inspection's maps, attention and noise levels as SVG. Colours come from the page's style. */
import { scaleOf } from "./blocks.ts";
import type { Attention } from "./inspection.ts";
import type { Levels } from "./levels.ts";
import type { TokenMap } from "./maps.ts";
import { markup, nothing, type Markup } from "./markup.ts";
import { shortNumber, tokensOf, type Part } from "../probe/locations.ts";

/** If there are more different numbers than this, they are rounded to as many equal steps of their range. */
const steps = 16;

interface Cells {
  readonly height: number;
  readonly width: number;
  readonly at: (row: number, column: number) => number;
}

/**
 * One frame: a path for each number that occurs, with the number as its tooltip.
 * @param still the id of a picture of the frame, which shows through
 */
export function framePicture(map: TokenMap, frame: number, label: string, still: string | null): Markup {
  const { height, width } = map.grid;
  const { low, high } = scaleOf(map);
  const values = new Set(map.data);
  const rounded = (value: number): number =>
    values.size <= steps
      ? value
      : low + (Math.round(((value - low) / (high - low)) * (steps - 1)) / (steps - 1)) * (high - low);
  const at = (row: number, column: number) => rounded(map.data[(frame * height + row) * width + column] ?? NaN);
  const size = sizeOf(map, still === null ? 1 : 2);
  const picture =
    still === null
      ? nothing
      : markup`<use href="#${still}" transform="scale(${width} ${height})"/><rect class="shade" width="${width}" height="${height}"/>`;
  const name = (value: number) => (map.kind === "mask" ? (value === 1 ? "true" : "false") : shortNumber(value));
  return markup`<svg viewBox="0 0 ${width} ${height}" width="${size.width}" height="${size.height}" preserveAspectRatio="none" role="img" aria-label="${label}">
<rect class="empty" width="${width}" height="${height}"/>${picture}<g class="${still === null ? "levels" : "levels over"}">${levelPaths({ height, width, at }, low, high, name)}</g>${lines(height, width)}</svg>`;
}

/** In pixels: cells are square; a single row is 22 pixels high, so that it is easy to see. */
function sizeOf(
  { grid: { height, width } }: TokenMap,
  scale: number,
): { readonly width: number; readonly height: number } {
  if (height === 1) return { width: width * Math.max(3, Math.min(28, Math.floor(480 / width))), height: 22 };
  const cell = scale * Math.max(3, Math.min(14, Math.floor(240 / width)));
  return { width: width * cell, height: height * cell };
}

/** The pictures of all frames, once for the whole page; each fills a square of one unit. */
export function stillPictures(stills: readonly Buffer[]): Markup {
  if (stills.length === 0) return nothing;
  const images = stills.map(
    (png, frame) =>
      markup`<image id="${stillId(frame)}" width="1" height="1" preserveAspectRatio="none" href="data:image/png;base64,${png.toString("base64")}"/>`,
  );
  return markup`<svg class="stills" aria-hidden="true"><defs>${images}</defs></svg>`;
}

export const stillId = (frame: number): string => `still-${frame}`;

/** Neighbours in a row that have the same value are one rectangle. */
function levelPaths(
  { height, width, at }: Cells,
  low: number,
  high: number,
  name: (value: number) => string,
): Markup[] {
  const paths = new Map<number, string>();
  for (let row = 0; row < height; row++) {
    for (let column = 0, end = 0; column < width; column = end) {
      const value = at(row, column);
      for (end = column + 1; end < width && Object.is(at(row, end), value);) end++;
      paths.set(value, `${paths.get(value) ?? ""}M${column} ${row}h${end - column}v1h${column - end}z`);
    }
  }
  return [...paths].map(([value, path]) => {
    const share = (value - low) / (high - low);
    if (Number.isNaN(share)) return markup`<path class="broken" d="${path}"><title>not a number</title></path>`;
    const opacity = Math.min(1, Math.max(0, Number(share.toFixed(3))));
    return markup`<path class="level" fill-opacity="${opacity}" d="${path}"><title>${name(value)}</title></path>`;
  });
}

/** Lines between the cells, if these are large enough. */
function lines(height: number, width: number): Markup {
  if (width > 48) return nothing;
  const columns = Array.from({ length: width - 1 }, (_, i) => `M${i + 1} 0V${height}`);
  const rows = Array.from({ length: height - 1 }, (_, i) => `M0 ${i + 1}H${width}`);
  return markup`<path class="grid" d="${[...columns, ...rows].join("")}"/>`;
}

export function attentionPicture({ side, sequence, blocks }: Attention, parts: readonly Part[]): Markup {
  const at = (row: number, column: number) => Number((blocks[row * side + column] ?? NaN).toFixed(2));
  const edges = parts.map(
    (_, i) => (parts.slice(0, i).reduce((sum, { grid }) => sum + tokensOf(grid), 0) / sequence) * side,
  );
  const cuts = edges.slice(1).map((edge) => `M${edge} 0V${side}M0 ${edge}H${side}`);
  const scale = 360 / side;
  const labels = parts.map(({ source }, i) => {
    const from = (edges[i] ?? 0) * scale;
    return markup`<text x="${86 + from}" y="16">${source}</text><text x="0" y="${38 + from}">${source}</text>`;
  });
  return markup`<svg viewBox="0 0 450 390" width="450" height="390" role="img" aria-label="attention, queries by keys">
${labels}<g transform="translate(84 24) scale(${scale})"><rect class="empty" width="${side}" height="${side}"/>
${levelPaths({ height: side, width: side, at }, 0, 1, (value) => `${Math.round(value * 100)} %`)}<path class="cut" d="${cuts.join("")}"/></g></svg>`;
}

const plot = { width: 560, height: 180, left: 8, bottom: 24, top: 24 };

/** How often each noise level is drawn, and which one this sample has. */
export function levelsPicture({ bins, own, tokens }: Levels): Markup {
  const inner = { width: plot.width - 2 * plot.left, height: plot.height - plot.bottom - plot.top };
  const most = Math.max(...bins);
  const step = inner.width / bins.length;
  const bars = bins.map((share, i) => {
    const height = (share / most) * inner.height;
    const [x, y] = [plot.left + i * step, plot.top + inner.height - height];
    const range = `${shortNumber(i / bins.length)} to ${shortNumber((i + 1) / bins.length)}: ${shortNumber(share * 100)} %`;
    return markup`<rect class="bar" x="${(x + 0.5).toFixed(1)}" y="${y.toFixed(1)}" width="${(step - 1).toFixed(1)}" height="${height.toFixed(1)}"><title>${range}</title></rect>`;
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((level) => {
    const anchor = level === 0 ? "start" : level === 1 ? "end" : "middle";
    return markup`<text x="${plot.left + level * inner.width}" y="${plot.height - 6}" text-anchor="${anchor}">${level}</text>`;
  });
  return markup`<svg class="levels" viewBox="0 0 ${plot.width} ${plot.height}" width="${plot.width}" height="${plot.height}" role="img" aria-label="noise levels drawn for ${tokens} tokens">
${bars}<path class="axis" d="M${plot.left} ${plot.top + inner.height}H${plot.width - plot.left}"/>${ticks}${mark(own, inner)}</svg>`;
}

function mark(own: number, inner: { readonly width: number; readonly height: number }): Markup {
  const x = plot.left + Math.min(1, Math.max(0, own)) * inner.width;
  const anchor = own > 0.8 ? "end" : "start";
  const beside = anchor === "end" ? x - 6 : x + 6;
  return markup`<path class="mark" d="M${x} ${plot.top - 12}V${plot.top + inner.height}"/><text class="mark" x="${beside}" y="${plot.top - 4}" text-anchor="${anchor}">this sample ${Number(own.toPrecision(4))}</text>`;
}
