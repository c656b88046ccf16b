const blocks = " ▁▂▃▄▅▆▇█";

/** Means of `columns` equal stretches of `values`. */
function resample(values: readonly number[], columns: number): number[] {
  return Array.from({ length: columns }, (_, i) => {
    const part = values.slice(
      Math.floor((i * values.length) / columns),
      Math.max(Math.floor((i * values.length) / columns) + 1, Math.floor(((i + 1) * values.length) / columns)),
    );
    return part.reduce((a, b) => a + b, 0) / part.length;
  });
}

/**
 * A small chart of a loss, `rows` lines high, from 0 to its largest mean: each column is the mean of a stretch of steps. The scale
 * is at the left of the first and last row. Empty for fewer than two values.
 */
export function curve(values: readonly number[], columns = 60, rows = 6): string {
  if (values.length < 2) return "";
  const means = resample(values, Math.min(columns, values.length));
  const top = Math.max(...means, Number.MIN_VALUE);
  const line = (row: number) =>
    means
      .map((mean) => {
        const eighths = Math.round((mean / top) * rows * 8) - (rows - 1 - row) * 8;
        return blocks[Math.min(8, Math.max(0, eighths))];
      })
      .join("");
  const label = (row: number) => (row === 0 ? top.toPrecision(3) : row === rows - 1 ? "0" : "");
  return Array.from({ length: rows }, (_, row) => `${label(row).padStart(8)} │${line(row)}`.trimEnd()).join("\n");
}

/** A curve in one line, from its smallest to its largest mean. Empty for fewer than two values. */
export function sparkline(values: readonly number[], columns: number): string {
  const finite = values.filter(Number.isFinite);
  if (finite.length < 2) return "";
  const means = resample(finite, Math.min(columns, finite.length));
  const [low, high] = [Math.min(...means), Math.max(...means)];
  return means.map((mean) => blocks[high > low ? 1 + Math.round(((mean - low) / (high - low)) * 7) : 4]).join("");
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return Number.NaN;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}
