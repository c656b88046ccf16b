import { strategyLine } from "../call-site.ts";
import { fail, FindingsError } from "../findings.ts";

/**
 * Runs a part of a strategy. Most lengths of its values are known when it is compiled; those of features come with the data, and whether
 * they fit shows when an operation gets them.
 * @throws FindingsError LTX6370 for values whose shapes do not fit together, LTX5051 for an imported function that fails or returns another
 *   shape than it declares
 */
export function fitting<T>(f: () => T): T {
  try {
    return f();
  } catch (error) {
    if (error instanceof Error && error.name === "ImportError") failedImport(error);
    if (error instanceof FindingsError || !(error instanceof Error) || !/\bshapes?\b/i.test(error.message)) throw error;
    const line = strategyLine(error.stack ?? "");
    if (line === null) throw error;
    const message = `the values at ${line} do not fit together: ${wordsOf(error.message)}`;
    const help =
      "compare the `features` and the `axes` that the strategy declares with the shapes of the data; `ltxc inspect` shows the shapes of its values";
    return fail("LTX6370", message, help, ["training_strategy", "name"]);
  }
}

/** The generated module names what is wrong; the stack of the cause leads into the imported file. */
function failedImport(error: Error): never {
  // Its helpers come from no line of the strategy: maps give them that of the code before.
  const frames = (error.stack ?? "").split("\n").filter((frame) => !/^\s+at (failed|imported) /.test(frame));
  const line = strategyLine(frames.join("\n"));
  const inside =
    error.cause instanceof Error ? /\(?([^\s()]+:\d+:\d+)\)?$/m.exec(error.cause.stack ?? "")?.[1] : undefined;
  const at = [line, inside].filter((place) => place !== null && place !== undefined).join(", ");
  const help = "mend the function, or the type that `imports` declares for it; `ltxc check --types` compares both";
  return fail("LTX5051", `${error.message}${at === "" ? "" : ` (${at})`}`, help, ["training_strategy", "name"]);
}

/** As the operation says it, or only the two shapes where it names them as `2,108,7 and 2,108,8`. */
function wordsOf(message: string): string {
  const [, a, b] = /shapes? \[?([\d,]+)\]? and \[?([\d,]+)\]?/.exec(message) ?? [];
  const shape = (text: string) => `[${text.split(",").join(", ")}]`;
  return a === undefined || b === undefined ? message : `their shapes are ${shape(a)} and ${shape(b)}`;
}
