/** The part of the model that is being computed, e.g. `transformer_blocks.7.attn1`: error messages name it. */
let current: string | null = null;

/** Runs `f`, whose operations belong to this part of the model. Parts nest; the innermost counts. */
export function withinPart<T>(part: string, f: () => T): T {
  const before = current;
  current = part;
  try {
    return f();
  } finally {
    current = before;
  }
}

/**
 * Where the operation that is being called comes from: a part of the model, else the line of the strategy that calls it (stack traces
 * show it only when Node.js reads source maps). Null where it is neither.
 */
export function callSite(): string | null {
  return current ?? strategyLine(new Error("call site").stack ?? "");
}

/**
 * The first `NAME.strategy:LINE` of a stack trace; null where there is none. The name is read backwards from the ending: a frame's address may be a `data:` URL with
 * a whole module in it, and to try a name at each of its characters takes longer than the step that is recorded.
 */
export function strategyLine(stack: string): string | null {
  const ending = /\.strategy:\d+/.exec(stack);
  if (ending === null) return null;
  const longestName = 255;
  const before = stack.slice(Math.max(0, ending.index - longestName), ending.index);
  const [name] = /[^\s()/\\]+$/.exec(before) ?? [];
  return name === undefined ? null : name + ending[0];
}
