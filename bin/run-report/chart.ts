import { escape } from "../shell/html.ts";
import { extent, tickLabel, ticks } from "./scale.ts";

export type Point = readonly [x: number, y: number];

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** Number of its colour; by default its index among the series. */
  readonly color?: number;
  /** `faint` for a line behind another one; `dots` marks each point. */
  readonly style?: "line" | "faint" | "dots";
}

interface ChartOptions {
  readonly title: string;
  readonly note?: string;
  readonly series: readonly Series[];
  /** Of the x axis, in steps. */
  readonly lastStep: number;
  readonly size?: "wide" | "small";
  /** The y axis covers these values; by default those of all series but faint ones. */
  readonly range?: readonly number[];
}

/** How many colours the page's style has. */
const colorCount = 8;
const maxPoints = 500;
/** With more dots than this, they would hide their line. */
const maxDots = 60;

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly x: (step: number) => number;
  readonly y: (value: number) => number;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
}

const margin = { left: 58, right: 14, top: 10, bottom: 26 };

/** A line chart over steps as a figure with its title and legend; empty if there is nothing to show. */
export function chart(options: ChartOptions): string {
  const series = options.series
    .map((each, i) => ({ ...each, color: (each.color ?? i) % colorCount, points: each.points.filter(isFinitePoint) }))
    .filter(({ points }) => points.length > 0);
  if (series.length === 0) return "";
  const frame = frameOf(options, series);
  const { width, height } = frame;
  const title = escape(options.title);
  return [
    `<figure class="${options.size ?? "wide"}"><figcaption><b>${title}</b>${noteOf(options.note)}${legend(series)}</figcaption>`,
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">`,
    grid(frame),
    ...series.map((each) => drawn(each, frame)),
    "</svg></figure>",
  ].join("\n");
}

const isFinitePoint = ([x, y]: Point): boolean => Number.isFinite(x) && Number.isFinite(y);
const noteOf = (note: string | undefined): string => (note === undefined ? "" : ` <span>${escape(note)}</span>`);

type Shown = Series & { readonly color: number };

function frameOf({ size, lastStep, range }: ChartOptions, series: readonly Shown[]): Frame {
  const [width, height] = size === "small" ? [470, 190] : [960, 280];
  const values =
    range ?? series.filter(({ style }) => style !== "faint").flatMap(({ points }) => points.map(([, y]) => y));
  const [low, high] = extent(values.length > 0 ? values : series.flatMap(({ points }) => points.map(([, y]) => y)));
  const last = Math.max(1, lastStep);
  const inner = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };
  return {
    width,
    height,
    x: (step) => margin.left + (inner.width * step) / last,
    // Values outside the axis are drawn on its edge.
    y: (value) => margin.top + inner.height * (1 - (Math.min(high, Math.max(low, value)) - low) / (high - low)),
    xTicks: ticks(0, last, size === "small" ? 4 : 8).filter(Number.isInteger),
    yTicks: ticks(low, high, size === "small" ? 4 : 5),
  };
}

function grid({ width, height, x, y, xTicks, yTicks }: Frame): string {
  const step = (yTicks[1] ?? 1) - (yTicks[0] ?? 0);
  const right = width - margin.right;
  const rows = yTicks.map((value) => {
    const at = y(value).toFixed(1);
    const label = `<text x="${margin.left - 8}" y="${at}" dy="4" class="end">${tickLabel(value, Math.abs(step))}</text>`;
    return `<path class="grid" d="M${margin.left} ${at}H${right}"/>${label}`;
  });
  const bottom = height - margin.bottom;
  const columns = xTicks.map(
    (value) =>
      `<text x="${x(value).toFixed(1)}" y="${bottom + 18}" class="middle">${value.toLocaleString("en")}</text>`,
  );
  return [...rows, `<path class="axis" d="M${margin.left} ${bottom}H${right}"/>`, ...columns].join("");
}

function drawn({ name, points, color, style = "line" }: Shown, { x, y }: Frame): string {
  const shown = style === "faint" ? spread(points, maxPoints) : thinned(points, maxPoints);
  const path = shown.map(([step, value], i) => `${i === 0 ? "M" : "L"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`);
  const line = `<path class="line c${color}${style === "faint" ? " faint" : ""}" d="${path.join("")}"/>`;
  if (style === "faint" || (style === "line" && points.length > 1) || points.length > maxDots) return line;
  const dots = shown.map(
    ([step, value]) =>
      `<circle class="c${color}" cx="${x(step).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3"><title>${escape(name)}, step ${step}: ${value.toPrecision(5)}</title></circle>`,
  );
  return line + dots.join("");
}

/** At most `count` points, each the mean of a stretch. */
export function thinned(points: readonly Point[], count: number): readonly Point[] {
  if (points.length <= count) return points;
  return Array.from({ length: count }, (_, i): Point => {
    const part = points.slice(Math.floor((i * points.length) / count), Math.floor(((i + 1) * points.length) / count));
    const mean = (axis: 0 | 1) => part.reduce((sum, point) => sum + point[axis], 0) / part.length;
    return [mean(0), mean(1)];
  });
}

/** At most `count` points, the lowest and the highest of each stretch, so that the spread stays visible. */
export function spread(points: readonly Point[], count: number): readonly Point[] {
  if (points.length <= count) return points;
  const stretches = Math.floor(count / 2);
  return Array.from({ length: stretches }, (_, i): readonly Point[] => {
    const [from, to] = [i, i + 1].map((edge) => Math.floor((edge * points.length) / stretches));
    const part = points.slice(from, to).toSorted((a, b) => a[1] - b[1]);
    return [part[0], part.at(-1)]
      .flatMap((point) => (point === undefined ? [] : [point]))
      .toSorted((a, b) => a[0] - b[0]);
  }).flat();
}

function legend(series: readonly Shown[]): string {
  if (series.length < 2) return "";
  const entries = series.map(({ name, color, style, points }) => {
    const last = points.at(-1)?.[1];
    const value = last === undefined || style === "faint" ? "" : ` <i>${last.toPrecision(4)}</i>`;
    return `<li class="c${color}${style === "faint" ? " faint" : ""}"><span>${escape(name)}</span>${value}</li>`;
  });
  return `<ul class="legend">${entries.join("")}</ul>`;
}
