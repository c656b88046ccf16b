/** What is being computed, in words for whoever reads why it failed: the part of the model that the code is in. */
let current: string | null = null;

/** Runs `f`, in which operations belong to `place`. Places lie within each other; the innermost counts. */
export function within<T>(place: string, f: () => T): T {
  const before = current;
  current = place;
  try {
    return f();
  } finally {
    current = before;
  }
}

/**
 * The place of the operation that is called now: a part of the model, else the line of the strategy that calls it, for which stack traces
 * have to be told of source maps. Null where it is neither.
 */
export function placeOfCall(): string | null {
  return current ?? strategyLine(new Error("place").stack ?? "");
}

function strategyLine(stack: string): string | null {
  const [, file, line] = /([^\s()/\\]+\.strategy):(\d+)/.exec(stack) ?? [];
  return file === undefined ? null : `${file}:${line}`;
}
