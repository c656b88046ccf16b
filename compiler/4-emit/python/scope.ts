/** What the body of an emitted method refers to; its head reads just that. */
import { gridAxes } from "../../2-check/axes.ts";
import type { Axis, GridSize, ModalityName, Term } from "../../2-check/core.ts";
import type { Program } from "../../3-lower/program.ts";
import { atom, flat, index, list, member, named, spread, call, type Code } from "./code.ts";
import type { Names } from "./names.ts";

const namedSizes: Readonly<Record<string, string>> = {
  batch: "batch_size",
  frame: "frames",
  height: "height",
  width: "width",
  step: "steps",
  "token:video": "video_tokens",
  "token:audio": "audio_tokens",
  "channel:video": "video_channels",
  "channel:audio": "audio_channels",
};

/** Where the sizes of a grid are among the axes of latents `[B, C, F, H, W]` and `[B, C, T, mel]`. */
const placesOfSizes: Readonly<Record<GridSize, number>> = { frames: 2, steps: 2, height: 3, width: 4 };

/** `video` of `video`, and of `near.video` of a pass. */
const modalityOf = (owner: string): ModalityName => (owner.endsWith("audio") ? "audio" : "video");

interface Line {
  readonly head: string;
  readonly value: Code;
  readonly shape: string;
}

export class Scope {
  /** Names of sizes and sources, and keys of values, that the body uses. */
  readonly sizes = new Set<string>();
  readonly sources = new Set<string>();
  readonly refs = new Set<string>();
  /** Whether it uses the variables `params`, `draws` and `device`. */
  readonly uses = new Set<"params" | "draws" | "device">();
  readonly #program: Program;
  readonly #names: Names;
  readonly #fields: ReadonlyMap<string, string>;
  readonly #made = new Set<string>();
  #pending: Line[] = [];

  constructor(program: Program, names: Names, fields: ReadonlyMap<string, string>) {
    this.#program = program;
    this.#names = names;
    this.#fields = fields;
  }

  /** An imported function. */
  imported(name: string): string {
    return this.#names.of(name);
  }

  ref(key: string): string {
    this.refs.add(key);
    return this.#names.of(key);
  }

  /** A parameter as an attribute of the config. */
  param(name: string): Code {
    this.uses.add("params");
    return member("params", this.#fields.get(name) ?? name);
  }

  /** Whether a parameter, or an item of a list, is a whole number, which Python keeps as one. */
  isWhole({ name, index: place }: Term<"param">): boolean {
    const schema = this.#program.params.find((param) => param.name === name)?.schema ?? {};
    const { items } = schema;
    const ofItems = typeof items === "object" && items !== null && "type" in items ? items.type : null;
    return (place === null ? schema["type"] : ofItems) === "integer";
  }

  /** Whether a list parameter always has an item at this place. */
  hasItem(name: string, place: number): boolean {
    const schema = this.#program.params.find((param) => param.name === name)?.schema ?? {};
    return Number(schema["minItems"] ?? 0) > place;
  }

  draws(): Code {
    this.uses.add("draws");
    return atom("draws");
  }

  device(): Code {
    this.uses.add("device");
    return named("device", "device");
  }

  place(name: "step" | "steps"): Code {
    return member("self.place", name);
  }

  // ---------------------------------------------------------------------------------------------------------------- sources

  /** The tensor of a source as it is stored. */
  source(name: string): Code {
    this.sources.add(name);
    return atom(this.#names.of(name));
  }

  /** What the files of a source hold besides its tensor. */
  entry(name: string): Code {
    return index("batch", `self.keys["${name}"]`);
  }

  fps(source: string): Code {
    return call("fps_of", [this.entry(source)]);
  }

  hasModality(name: string): boolean {
    return this.#program.modalities.some((modality) => modality.name === name);
  }

  /** Whether references stand in front of a modality's target; of a pass that has its own, in front of that of `near.video`. */
  hasReferences(owner: string): boolean {
    const [pass = "", modality] = owner.split(".");
    if (modality !== undefined)
      return this.#program.prepare.some(({ key }) => key === `${pass}.${modality}.references`);
    return this.#program.modalities.some(({ name, references }) => name === owner && references.length > 0);
  }

  #latentsOf(modality: ModalityName): string {
    return this.#program.modalities.find(({ name }) => name === modality)?.latents ?? "";
  }

  /** Which modality's references a source is one of. */
  #modalityOfReference(source: string): ModalityName {
    const ofPasses = this.#program.passes.flatMap(({ references }) => Object.entries(references));
    const [name = "video"] = ofPasses.find(([, sources]) => sources.includes(source)) ?? [];
    const own = this.#program.modalities.find(({ references }) => references.includes(source));
    return own?.name ?? (name === "audio" ? "audio" : "video");
  }

  /** The modality on whose tokens, or on those of whose reference, a value lies; video where it lies on none. */
  modalityOf(family: string | null): ModalityName {
    if (family === null || family === "video" || family === "audio") return family ?? "video";
    return this.#modalityOfReference(family);
  }

  output(name: string): Program["outputs"][number] {
    const found = this.#program.outputs.find((output) => output.name === name);
    if (found === undefined) throw new Error(`there is no output ${name}`);
    return found;
  }

  // ------------------------------------------------------------------------------------------------------------------ sizes

  /** The variable that holds the length of an axis. */
  size(axis: Axis): Code {
    const [kind = "", of = ""] = axis.split(":");
    if (kind === "sequence" || kind === "key") return this.#sequence(of);
    if (of !== "" && of !== "video" && of !== "audio") return this.#sizeOfReference(kind, of);
    const name = namedSizes[axis];
    if (name === undefined) throw new Error(`the axis ${axis} has no length of its own`);
    this.sizes.add(name);
    return atom(name);
  }

  /** The axes that a family's tokens are the product of; a reference has its own. */
  gridAxes(family: string): readonly Axis[] {
    if (family === "video" || family === "audio") return gridAxes[family];
    return gridAxes[this.#modalityOfReference(family)].map((axis) => `${axis}:${family}`);
  }

  /** References and target together. */
  #sequence(owner: string): Code {
    if (!this.hasReferences(owner)) return this.size(`token:${modalityOf(owner)}`);
    const name = this.#nameFor(owner, "sequence");
    return this.demand(name, () => ({ value: call("token_count", [this.parts(owner)]), shape: "tokens" }));
  }

  /** `video_sequence`, of a pass `near_video_sequence`. */
  #nameFor(owner: string, what: string): string {
    return owner === modalityOf(owner) ? `${owner}_${what}` : this.#names.of(`${owner}.${what}`);
  }

  #sizeOfReference(kind: string, source: string): Code {
    const size = { frame: 2, step: 2, height: 3, width: 4 }[kind];
    const own = this.source(source);
    return size === undefined ? call("token_count", [list([own])]) : index(member(own, "shape"), String(size));
  }

  /** `frames` of a modality's target grid, or of a source. */
  gridSize(of: string, size: GridSize): Code {
    if (of !== "video" && of !== "audio") return index(member(this.source(of), "shape"), String(placesOfSizes[size]));
    this.sizes.add(size);
    return atom(size);
  }

  // -------------------------------------------------------------------------------------------------------------- on demand

  /** A variable that is made in front of the first statement that needs it. */
  demand(name: string, make: () => { readonly value: Code; readonly shape: string }): Code {
    if (!this.#made.has(name)) {
      this.#made.add(name);
      const { value, shape } = make();
      this.#pending.push({ head: `${name} = `, value, shape });
    }
    return atom(name);
  }

  /** A value by a name of its own, for what would nest too deeply. */
  named(make: () => Code): Code {
    const value = make();
    const name = this.#names.numbered("inner");
    this.#pending.push({ head: `${name} = `, value, shape: "" });
    return atom(name);
  }

  /** The lines that are to be written in front of the statement at hand. */
  demanded(): readonly Line[] {
    const lines = this.#pending;
    this.#pending = [];
    return lines;
  }

  /** The index of each target token. */
  token(modality: ModalityName): Code {
    const axis = `token:${modality}`;
    return this.demand(`${modality}_token`, () => ({
      value: call("torch.arange", [this.size(axis), this.device()]),
      shape: `[${axis}]`,
    }));
  }

  /** The latents of references and target in the order of the sequence; `owner` is a modality, or `near.video` of a pass. */
  parts(owner: string): Code {
    const modality = modalityOf(owner);
    const target = flat(this.source(this.#latentsOf(modality)));
    if (!this.hasReferences(owner)) return list([target]);
    const references = this.ref(`${owner}.references`);
    const latents = modality === "video" ? `(part for part, _ in ${references})` : references;
    return this.demand(this.#nameFor(owner, "parts"), () => ({
      value: list([spread(latents), target]),
      shape: "latents of references and target",
    }));
  }

  /** Where the tokens of a modality lie. */
  positions(owner: string): Code {
    return this.demand(this.#nameFor(owner, "positions"), () =>
      modalityOf(owner) === "video"
        ? { value: this.#videoPositions(owner), shape: `[batch, axis, sequence:${owner}, from and to]` }
        : {
            value: call("positions_of_audio", [this.parts(owner)]),
            shape: `[batch, 1, sequence:${owner}, from and to]`,
          },
    );
  }

  #videoPositions(owner: string): Code {
    const pair = `(${flat(this.source(this.#latentsOf("video")))}, ${this.ref("video.fps")})`;
    const references = this.hasReferences(owner) ? [spread(this.ref(`${owner}.references`))] : [];
    return call("positions_of_video", [list([...references, pair]), "self.video_scale_factors"]);
  }

  /** An extra output of the model for target tokens, in float32. */
  outputOf(name: string): Code {
    const own = this.output(name);
    return this.demand(this.#names.of(name), () => ({
      value: own.kind === "tap" ? this.#tap(own.name, own.modality) : this.#head(own),
      shape: `[batch, token:${own.modality}, ${own.kind === "tap" ? "hidden" : "feature"}]`,
    }));
  }

  #tap(name: string, modality: ModalityName): Code {
    const count = flat(this.size(`token:${modality}`));
    return call(member(index(index("self.taps", `"${name}"`), `:, -${count}:`), "float"), []);
  }

  #head(own: Program["outputs"][number] & { kind: "linear" }): Code {
    const linear = call(index("self.heads", `"${own.name}"`), [this.outputOf(own.input)]);
    if (own.activation === "none") return linear;
    const tanh = own.activation === "gelu" ? [named("approximate", '"tanh"')] : [];
    return call(`functional.${own.activation}`, [linear, ...tanh]);
  }
}
