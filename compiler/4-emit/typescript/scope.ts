/** What the body of a generated function refers to; its head declares just that. */
import type { Program } from "../../3-lower/program.ts";
import type { Axis, GridSize } from "../../2-check/core.ts";
import type { Helper } from "./helpers.ts";
import type { Names } from "./names.ts";

const namedSizes: Readonly<Record<string, string>> = {
  batch: "batchSize",
  frame: "frames",
  height: "height",
  width: "width",
  step: "steps",
  "token:video": "videoTokens",
  "token:audio": "audioTokens",
  "channel:video": "videoChannels",
  "channel:audio": "audioChannels",
};

/** Whether the length of an axis is a variable of its own; that of channels and features is read off the tensors. */
export function hasName(axis: Axis): boolean {
  return Object.hasOwn(namedSizes, axis);
}

export class Scope {
  /** Names of sizes, sources and keys of values that the body uses. */
  readonly sizes = new Set<string>();
  readonly sources = new Set<string>();
  readonly refs = new Set<string>();
  readonly context = new Set<string>(["ops"]);
  readonly #program: Program;
  readonly #names: Names;
  readonly #helpers: Set<Helper>;

  constructor(program: Program, names: Names, helpers: Set<Helper>) {
    this.#program = program;
    this.#names = names;
    this.#helpers = helpers;
  }

  /** A name for host values, unique in the step. */
  inputName(): string {
    return `"${this.#names.input()}"`;
  }

  helper(name: Helper): string {
    this.#helpers.add(name);
    return name;
  }

  ref(key: string): string {
    this.refs.add(key);
    return this.#names.of(key);
  }

  source(name: string): string {
    this.sources.add(name);
    return this.#names.of(name);
  }

  /** The tensor of a source: where its record keeps it depends on the kind. */
  sourceTensor(name: string): string {
    const kind = this.#program.sources.find((source) => source.name === name)?.kind;
    const field = kind === "tensor" ? "value" : kind === "video_mask" || kind === "audio_mask" ? "mask" : "latents";
    return `${this.source(name)}.${field}`;
  }

  contextMember(name: "params" | "scaleFactors" | "positions" | "draws"): string {
    this.context.add(name);
    return name;
  }

  /** The variable that holds the length of an axis. */
  size(axis: Axis): string {
    const name = namedSizes[axis];
    if (name === undefined) throw new Error(`the axis ${axis} has no length of its own`);
    this.sizes.add(name);
    return name;
  }

  /** `frames` of a modality's target grid, or of a source. */
  gridSize(of: string, size: GridSize): string {
    if (of !== "video" && of !== "audio") return `${this.source(of)}.${size}`;
    this.sizes.add(size);
    return size;
  }
}
