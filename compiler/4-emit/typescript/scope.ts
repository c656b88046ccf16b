/** What the body of a generated function refers to; its head declares just that. */
import type { Program } from "../../3-lower/program.ts";
import type { CheckedNetwork } from "../../2-check/checked.ts";
import type { Axis, Core, GridSize } from "../../2-check/core.ts";
import type { StepContext } from "../../../runtime/contract.ts";
import type { Span } from "../../source/span.ts";
import type { Code } from "./code.ts";
import { withNeeded, type Helper } from "./helpers.ts";
import { localCalls, type LocalFunction } from "./local-functions.ts";
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
  return Object.hasOwn(namedSizes, axis) || (axis.includes(":") && !axis.startsWith("channel"));
}

const gridSizes: Readonly<Record<string, GridSize>> = {
  frame: "frames",
  height: "height",
  width: "width",
  step: "steps",
};

/** What the functions of a module have in common. */
export interface Shared {
  readonly helpers: Set<Helper>;
  /** Variables for sizes of references' grids, with the source that they are read from. */
  readonly sizesOfReferences: Map<string, { readonly source: string; readonly value: string }>;
  /** Whether imported functions are left out, see `ModuleOptions`. */
  readonly standIns: boolean;
  /** What the strategy's file says at a place, on one line. */
  quote(span: Span): string;
}

export class Scope {
  /** Names of sizes, sources and keys of values that the body uses. */
  readonly sizes = new Set<string>();
  readonly sources = new Set<string>();
  readonly refs = new Set<string>();
  readonly context = new Set<string>(["ops"]);
  readonly #program: Program;
  readonly #names: Names;
  readonly #shared: Shared;
  readonly #drawn = new Set<string>();
  readonly #calls: ReturnType<typeof localCalls>;
  readonly #declared = new Set<LocalFunction>();
  #pending: Code[] = [];

  /** `values` are those of the body. */
  constructor(program: Program, names: Names, shared: Shared, values: readonly Core[] = []) {
    this.#calls = localCalls(program.functions, values);
    this.#program = program;
    this.#names = names;
    this.#shared = shared;
  }

  /** Whether references stand in front of a modality's target; of a pass that has its own, in front of that of `near.video`. */
  hasReferences(owner: string): boolean {
    const [pass = "", modality] = owner.split(".");
    if (modality !== undefined)
      return this.#program.prepare.some(({ key }) => key === `${pass}.${modality}.references`);
    return this.#program.modalities.some(({ name, references }) => name === owner && references.length > 0);
  }

  /** A name for host values, unique in the step. */
  inputName(): string {
    return `"${this.#names.input()}"`;
  }

  helper(name: Helper): string {
    for (const each of withNeeded(name)) this.#shared.helpers.add(each);
    return name;
  }

  ref(key: string): string {
    this.refs.add(key);
    return this.#names.of(key);
  }

  /** Whether stand-ins take the places of imported functions. */
  get hasStandIns(): boolean {
    return this.#shared.standIns;
  }

  /** How much of its argument a network is given at once; null for all of it. */
  windowOf(network: string): CheckedNetwork["window"] {
    return this.#program.networks.find(({ name }) => name === network)?.window ?? null;
  }

  /** An imported function. */
  imported(name: string): string {
    return this.#names.of(name);
  }

  source(name: string): string {
    this.sources.add(name);
    return this.#names.of(name);
  }

  /** Whether samples may lack a source. */
  isOptional(name: string): boolean {
    return this.#program.sources.some((source) => source.name === name && source.optional);
  }

  /** The tensor of a source: where its record keeps it depends on the kind. */
  sourceTensor(name: string): string {
    const kind = this.#program.sources.find((source) => source.name === name)?.kind;
    const field = kind === "tensor" ? "value" : kind === "video_mask" || kind === "audio_mask" ? "mask" : "latents";
    return `${this.source(name)}.${field}`;
  }

  /** Which modality's references a source is one of. */
  modalityOfReference(source: string): "video" | "audio" {
    const ofPasses = this.#program.passes.flatMap(({ references }) => Object.entries(references));
    const [name = "video"] = ofPasses.find(([, sources]) => sources.includes(source)) ?? [];
    return (
      this.#program.modalities.find(({ references }) => references.includes(source))?.name ??
      (name === "audio" ? "audio" : "video")
    );
  }

  contextMember(name: Exclude<keyof StepContext<unknown>, "ops">): string {
    this.context.add(name);
    return name;
  }

  /** The variable that holds the uniform numbers of a draw on the host, one for each sample. */
  numbers(place: string): string {
    const name = this.#names.of(`drawn.${place.replace("#", "")}`);
    if (!this.#drawn.has(name)) {
      this.contextMember("draws");
      this.#pending.push(`const ${name} = draws.numbers("${place}", ${this.size("batch")}); // [batch]`);
    }
    this.#drawn.add(name);
    return name;
  }

  /** The call of a function of the body that a value is; null for any other. `declare` prints the function where it is called first. */
  localCall(core: Core, declare: (of: LocalFunction, name: string) => readonly Code[]) {
    const made = this.#calls.get(core);
    if (made === undefined) return null;
    const name = this.#names.of(made.of.written.name);
    if (!this.#declared.has(made.of)) {
      this.#declared.add(made.of);
      for (const parameter of made.of.parameters) this.parameter(parameter);
      this.#pending.push(...declare(made.of, name));
    }
    return { name, args: made.args };
  }

  /** The identifier of a parameter of such a function. */
  parameter({ key, name }: LocalFunction["parameters"][number]): string {
    return this.#names.parameter(key, name);
  }

  /** Comment: what the strategy's file says at places, on one line. */
  quote(...places: readonly Span[]): string {
    return places.map(this.#shared.quote).join(": ");
  }

  /** Lines that belong in front of the statement that was printed last. */
  demanded(): readonly Code[] {
    const lines = this.#pending;
    this.#pending = [];
    return lines;
  }

  /** The variable that holds the length of an axis. */
  size(axis: Axis): string {
    const [kind = "", of = ""] = axis.split(":");
    if (kind === "sequence" || kind === "key") return this.#sequence(of);
    if (of !== "" && of !== "video" && of !== "audio") return this.#sizeOfReference(kind, of);
    const name = namedSizes[axis];
    if (name === undefined) throw new Error(`the axis ${axis} has no length of its own`);
    this.sizes.add(name);
    return name;
  }

  /** The variable that holds the number of tokens of references and target together. */
  sequenceName(owner: string): string {
    return owner === "video" || owner === "audio" ? `${owner}Sequence` : this.#names.of(`${owner}.sequence`);
  }

  /** References and target together. */
  #sequence(owner: string): string {
    const modality = owner.split(".").at(-1) ?? owner;
    const tokens = this.size(`token:${modality}`);
    if (!this.hasReferences(owner)) return tokens;
    const name = this.sequenceName(owner);
    this.sizes.add(name);
    return name;
  }

  #sizeOfReference(kind: string, source: string): string {
    const name = this.#names.of(`${source}.${kind}Count`);
    const own = this.#names.of(source);
    const isVideo = this.#program.sources.some((entry) => entry.name === source && entry.kind === "video_latents");
    const all = isVideo ? `${own}.frames * ${own}.height * ${own}.width` : `${own}.steps`;
    const size = gridSizes[kind];
    this.#shared.sizesOfReferences.set(name, { source, value: size === undefined ? all : `${own}.${size}` });
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
