/** Identifiers of the generated module: the strategy's own names where they are free. */
import { helpers } from "./helpers.ts";

/** What the module uses itself: its functions, its own variables, and words of the language. */
const taken = [
  ...Object.keys(helpers),
  "ctx",
  "ops",
  "draws",
  "params",
  "positions",
  "scaleFactors",
  "batch",
  "prepared",
  "prediction",
  "metadata",
  "strategy",
  "prepare",
  "loss",
  "batchSize",
  "frames",
  "height",
  "width",
  "steps",
  "videoTokens",
  "audioTokens",
  "videoSequence",
  "audioSequence",
  "globalStep",
  "progress",
  "sizes",
  "videoChannels",
  "audioChannels",
  "Params",
  "Sources",
  "Values",
  "pixels",
  "arguments",
  "await",
  "break",
  "case",
  "catch",
  "class",
  "const",
  "continue",
  "debugger",
  "default",
  "delete",
  "do",
  "enum",
  "eval",
  "export",
  "extends",
  "finally",
  "for",
  "function",
  "implements",
  "import",
  "in",
  "instanceof",
  "interface",
  "let",
  "new",
  "null",
  "package",
  "private",
  "protected",
  "public",
  "return",
  "static",
  "super",
  "switch",
  "this",
  "throw",
  "try",
  "typeof",
  "undefined",
  "var",
  "void",
  "while",
  "with",
  "yield",
  "Math",
  "Array",
  "Error",
  "Float32Array",
  "Uint8Array",
];

export class Names {
  readonly #taken: Set<string>;
  readonly #byKey = new Map<string, string>();
  #inputs = 0;

  /** `more`: names that only some modules need for themselves. */
  constructor(more: readonly string[] = []) {
    this.#taken = new Set([...taken, ...more]);
  }

  /** `host.0`, `host.1`, ...: names of host values, each used once. */
  input(): string {
    return `host.${this.#inputs++}`;
  }

  /** The identifier of a key, the same whenever it is asked for. */
  of(key: string): string {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const name = this.#free(identifier(key));
    this.#byKey.set(key, name);
    return name;
  }

  /** The identifier of a parameter of a function within the step. */
  parameter(key: string, wanted: string): string {
    const name = this.#byKey.get(key) ?? this.#free(wanted);
    this.#byKey.set(key, name);
    return name;
  }

  #free(wanted: string): string {
    let name = wanted;
    while (this.#taken.has(name)) name += "_";
    this.#taken.add(name);
    return name;
  }
}

/** `video.keep` is `videoKeep`, `expect[0]` is `expect0`; names of the strategy stay as they are written. */
function identifier(key: string): string {
  const [first = "", ...rest] = key.replace(/\[(\d+)\]/g, "$1").split(".");
  if (first === "source") return `${rest.join("_")}Tensor`;
  return first + rest.map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join("");
}
