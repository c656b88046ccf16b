/** Identifiers of the emitted module: the strategy's own names, in snake case, where they are free. */
import { importOf } from "./imports.ts";
import { library } from "./library.ts";

/** Keywords and builtins of Python, names that the module imports, and variables that the emitter uses itself. */
const taken = `
  False None True and as assert async await break class continue def del elif else except finally for from global if import in is
  lambda nonlocal not or pass raise return try while with yield match case type
  abs all any bool bytes callable chr classmethod delattr dict dir divmod enumerate eval exec filter float format frozenset getattr
  globals hasattr hash id input int isinstance issubclass iter len list locals map max memoryview min next object open ord pow print
  property range repr reversed round set setattr slice sorted staticmethod str sum super tuple vars zip
  Exception FileNotFoundError KeyError KeyboardInterrupt OSError OverflowError RuntimeError TypeError UnicodeDecodeError ValueError
  self cls batch batch_size frames height width steps video_tokens audio_tokens video_channels audio_channels video_sequence
  audio_sequence video_token audio_token video_parts audio_parts video_positions audio_positions device draws params inputs timestep_sampler idx config
  video_pred audio_pred token part metadata grids
  texts video audio video_targets audio_targets video_loss_mask audio_loss_mask
  torch math functional Tensor Field Literal dataclass field_validator Any
  TrainingStrategy TrainingStrategyConfigBase ModelInputs Modality logger TRAINER
`;

const always = taken.trim().split(/\s+/);

export class Names {
  readonly #taken: Set<string>;
  readonly #byKey = new Map<string, string>();

  constructor() {
    const { byName, imports } = library();
    this.#taken = new Set([...always, ...byName.keys(), ...imports.keys()]);
  }

  /** The identifier of a key such as `inpaint`, `video.keep` or `expect[0]`; the same for every use. */
  of(key: string): string {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const name = this.free(identifier(key));
    this.#byKey.set(key, name);
    return name;
  }

  /** Whether the module itself imports this by this name. */
  hasImport(name: string, statement: string): boolean {
    // `import torch.nn` gives the name `torch`.
    return importOf(name) === statement.replace(/^(import \w+)(?:\.\w+)+$/, "$1");
  }

  /** This name, or with the first number behind it that makes it a new one. */
  numbered(wanted: string): string {
    let name = wanted;
    for (let i = 2; this.#taken.has(name); i++) name = `${wanted}${i}`;
    this.#taken.add(name);
    return name;
  }

  /** This name, with `_` behind it if it is taken. */
  free(wanted: string): string {
    let name = wanted;
    while (this.#taken.has(name)) name += "_";
    this.#taken.add(name);
    return name;
  }
}

/** `video.frameIndex` is `video_frame_index`; names of the strategy stay as they are written. */
function identifier(key: string): string {
  const [first = "", ...rest] = key.replace(/\[(\d+)\]/g, "$1").split(".");
  if (first === "source") return `${rest.join("_")}_values`;
  return [first, ...rest.map(snakeCase)].join("_");
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** `text_to_video` is `TextToVideo`. */
export const classPrefix = (strategy: string): string =>
  strategy.replace(/(?:^|_+)(.)/g, (_, letter: string) => letter.toUpperCase());
