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

/**
 * The first `NAME.strategy:LINE` of a stack trace. The name is read backwards from the ending: a frame's address may be a `data:` URL with
 * a whole module in it, and to try a name at each of its characters takes longer than the step that is recorded.
 */
function strategyLine(stack: string): string | null {
  const ending = /\.strategy:\d+/.exec(stack);
  if (ending === null) return null;
  const longestName = 255;
  const before = stack.slice(Math.max(0, ending.index - longestName), ending.index);
  const [name] = /[^\s()/\\]+$/.exec(before) ?? [];
  return name === undefined ? null : name + ending[0];
}
