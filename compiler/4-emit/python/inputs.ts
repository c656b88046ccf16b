/** What `prepare_training_inputs` returns: the official fields, and what the loss needs besides. */
import type { Program } from "../../3-lower/program.ts";
import type { Names } from "./names.ts";
import { docstring } from "./words.ts";

interface Field {
  readonly name: string;
  readonly type: "Tensor" | "bool" | "float" | "int" | "object";
}

/** Fields of `ModelInputs` of the official trainer. */
const official: Readonly<Record<string, string>> = {
  "video.target": "video_targets",
  "audio.target": "audio_targets",
  "video.generated": "video_loss_mask",
  "audio.generated": "audio_loss_mask",
};

/** The official field that holds a value, or null. */
export function officialField(key: string, { modalities }: Program): string | null {
  const isGenerated = modalities.some(({ name, generated }) => generated && key.startsWith(`${name}.`));
  return isGenerated ? (official[key] ?? null) : null;
}

/** Fields for values of `prepare`, and for sizes, that the loss needs. */
export function ownFields(program: Program, names: Names, sizes: readonly string[]): readonly Field[] {
  const keys = program.values.filter((key) => officialField(key, program) === null);
  return [
    ...keys.map((key) => ({ name: names.of(key), type: typeOf(key, program) })),
    ...sizes.map((name) => ({ name, type: "int" as const })),
  ];
}

function typeOf(key: string, { prepare }: Program): Field["type"] {
  const { op = "", type } = prepare.find((statement) => statement.key === key)?.core ?? {};
  // What another call of the model returned, or a function that makes what it is given.
  if (op === "pass" || op === "passInputs") return "object";
  if (type === undefined || type.stage === "device" || type.stage === "sample") return "Tensor";
  return type.dtype === "bool" ? "bool" : "float";
}

const defaults = { Tensor: "None", bool: "False", float: "0.0", int: "0", object: "None" } as const;

export function inputsClass(name: string, fields: readonly Field[]): string {
  return [
    "@dataclass",
    `class ${name}(ModelInputs):`,
    docstring(["What the model gets, and what the loss needs besides."], 4),
    "",
    ...fields.map((field) => `    ${field.name}: ${field.type} = ${defaults[field.type]}`),
  ].join("\n");
}
