/** What may stand at a place of a strategy: the schema's answer, and what a value there is used for. */
import { axisNames } from "../2-check/axes.ts";
import { knownArchitectures } from "../2-check/checked.ts";
import type { ModalityName } from "../2-check/core.ts";
import { unitWords } from "../2-check/units.ts";
import { strategySchema } from "../2-check/schema-strategy.ts";
import { layerExamples } from "./network-text.ts";
import type { Place } from "./place.ts";

type Path = Place["path"];
export type Schema = Readonly<Record<string, unknown>>;

/** What the whole of an expression should be: masks before numbers where it is a weight. */
export type Wanted = "mask" | "number" | "weight" | "any" | "loss" | "latents" | "text" | "reference";

/** What a name alone stands for: a source, one of latents or of text, or an output. */
export type Named = "latents" | "text" | "output" | "source";

export type Role =
  | { readonly kind: "expression"; readonly wanted: Wanted; readonly isItem: boolean }
  /** Text in which `${…}` holds expressions. */
  | { readonly kind: "template" }
  | { readonly kind: "name"; readonly of: Named }
  | { readonly kind: "choice"; readonly values: readonly (string | number | boolean)[] }
  | { readonly kind: "strategy" }
  | { readonly kind: "tap" }
  | { readonly kind: "other" };

/** The schema of what stands at a path, of a strategy if none is given; null where nothing may stand. */
export function schemaAt(path: Path, whole: Schema = strategySchema): Schema | null {
  let schema: Schema | null = whole;
  for (const step of path) {
    if (schema === null) return null;
    schema =
      typeof step === "number"
        ? at(schema, "items")
        : (at(at(schema, "properties"), step) ?? at(schema, "additionalProperties"));
  }
  return schema;
}

export function at(schema: Schema | null, key: string): Schema | null {
  const value = schema !== null && Object.hasOwn(schema, key) ? schema[key] : null;
  return typeof value === "object" && value !== null ? (value as Schema) : null;
}

/** Whether keys stand there: the file's own sections and those whose keys are names. */
export const isMapping = (schema: Schema | null): boolean => [schema?.["type"]].flat().includes("object");

/** Whether a list may stand there. */
export const isList = (schema: Schema | null): boolean => [schema?.["type"]].flat().includes("array");

const items: Readonly<Record<string, Wanted>> = {
  keep: "mask",
  noise_mask: "mask",
  references: "reference",
  text: "text",
};

const fields: Readonly<Record<string, Wanted>> = {
  latents: "latents",
  sigma: "number",
  noise: "number",
  noisy: "number",
  target: "number",
  denoised: "number",
  fps: "number",
  attention: "weight",
  keyframes: "mask",
};

/** The modality, and its pass, whose keys stand at a path. */
export function modalityAt(path: Path): {
  readonly modality: ModalityName;
  readonly pass: string | null;
  readonly key: string;
  /** Of a reference that is written as a mapping: the key in it. */
  readonly inner: string | null;
} | null {
  const inPass = path[0] === "passes";
  const [modality, key, , inner] = inPass ? path.slice(2) : path;
  if ((modality !== "video" && modality !== "audio") || typeof key !== "string") return null;
  return { modality, pass: inPass ? String(path[1]) : null, key, inner: typeof inner === "string" ? inner : null };
}

/** What a value at a path is. */
export function roleAt(path: Path): Role {
  const [section, , key] = path;
  const expression = (wanted: Wanted, isItem = false): Role => ({ kind: "expression", wanted, isItem });
  const inModality = modalityAt(path);
  const inner = inModality?.inner ?? null;
  if (inner !== null) return expression(inner === "source" ? "reference" : "number");
  const wanted = inModality === null ? undefined : (items[inModality.key] ?? fields[inModality.key]);
  if (wanted !== undefined && inModality !== null) return expression(wanted, inModality.key in items);
  if (path.length === 2 && section === "let") return expression("any");
  if (path.length === 2 && section === "loss") return expression("loss");
  if (path.length === 2 && section === "expect") return expression("mask");
  if (path.length === 2 && section === "metadata") return { kind: "template" };
  if (path.length === 1 && section === "extends") return { kind: "strategy" };
  if (section === "sources" && (key === "directory" || key === "file")) return { kind: "template" };
  if (section === "sources" && key === "like") return { kind: "name", of: "latents" };
  if (section === "datasets" && key === "without") return { kind: "name", of: "source" };
  if (section === "weights" && key === "like") return { kind: "name", of: "text" };
  if (section === "networks" && key === "architecture")
    return { kind: "choice", values: path.length > 3 ? layerExamples : knownArchitectures };
  if (section === "weights" && key === "init") return { kind: "choice", values: ["randn(0.02)", 0] };
  if (section === "weights" && key === "axes") return { kind: "choice", values: ["text: 8", "hidden"] };
  if (section === "sources" && key === "axes") return { kind: "choice", values: axisNames };
  if (section === "outputs" && key === "linear") return { kind: "name", of: "output" };
  if (section === "outputs" && key === "tap") return { kind: "tap" };
  if (section === "outputs" && key === "features") return { kind: "template" };
  const schema = schemaAt(path);
  // YAML takes no value that begins with `%`.
  if (section === "params" && key === "unit")
    return { kind: "choice", values: Object.keys(unitWords).map((unit) => (unit === "%" ? '"%"' : unit)) };
  const values = schema?.["type"] === "boolean" ? [true, false] : schema?.["enum"];
  return Array.isArray(values) ? { kind: "choice", values: values as string[] } : { kind: "other" };
}
