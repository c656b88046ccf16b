import { strategyLine } from "../call-site.ts";
import { fail, FindingsError } from "../findings.ts";

/**
 * Runs a part of a strategy. Most lengths of its values are known when it is compiled; those of features come with the data, and whether
 * they fit shows when an operation gets them.
 * @throws FindingsError LTX6370 for values whose shapes do not fit together
 */
export function fitting<T>(f: () => T): T {
  try {
    return f();
  } catch (error) {
    if (error instanceof FindingsError || !(error instanceof Error) || !/\bshapes?\b/i.test(error.message)) throw error;
    const line = strategyLine(error.stack ?? "");
    if (line === null) throw error;
    const message = `the values at ${line} do not fit together: ${wordsOf(error.message)}`;
    const help =
      "compare the `features` and the `axes` that the strategy declares with the shapes of the data; `ltxc inspect` shows the shapes of its values";
    return fail("LTX6370", message, help, ["training_strategy", "name"]);
  }
}

/** As the operation says it, or only the two shapes where it names them as `2,108,7 and 2,108,8`. */
function wordsOf(message: string): string {
  const [, a, b] = /shapes? \[?([\d,]+)\]? and \[?([\d,]+)\]?/.exec(message) ?? [];
  const shape = (text: string) => `[${text.split(",").join(", ")}]`;
  return a === undefined || b === undefined ? message : `their shapes are ${shape(a)} and ${shape(b)}`;
}
