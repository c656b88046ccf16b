/** How small things are written in TypeScript: types, comments, keys and texts. */
import { escapeControls, onOneLine } from "../../../runtime/escape.ts";
import type { CheckedParam, CheckedSource } from "../../2-check/checked.ts";
import type { Core } from "../../2-check/core.ts";
import { kindOfItems } from "../../2-check/list-items.ts";
import type { Code } from "./code.ts";
import { host } from "./number.ts";
import type { Scope } from "./scope.ts";

/** The type of a parameter's value. */
export function typeOfParam({ type, schema }: CheckedParam): string {
  if (type !== "list") return type;
  const items = kindOfItems(schema);
  return items === "other" ? "readonly unknown[]" : `readonly ${items}[]`;
}

const sourceTypes = {
  video_latents: "VideoLatents",
  audio_latents: "AudioLatents",
  text_embeddings: "TextEmbeddings",
  video_mask: "TokenMask",
  audio_mask: "TokenMask",
  tensor: "TensorSource",
} as const;

export function typeOfSource({ kind }: CheckedSource): string {
  return sourceTypes[kind];
}

export function valueType(core: Core | undefined): string {
  if (core?.op === "passInputs")
    return `(${core.given.map(({ field }) => `${parameterOf(field)}: Tensor`).join(", ")}) => ModelInputs`;
  if (core === undefined || core.type.stage === "device") return "Tensor";
  return core.type.stage === "sample" ? "readonly number[]" : core.type.dtype === "bool" ? "boolean" : "number";
}

/** `videoNoisy`: what the inputs of a pass are a function of. */
export const parameterOf = (field: string): string =>
  field.replace(/\.(\w)/, (_, letter: string) => letter.toUpperCase());

/** Text in a comment of one line, which nothing in it can end. */
export function comment(text: string): string {
  return escapeControls(text.replace(/\s+/g, " ")).replaceAll("*/", "* /").trim();
}

/** A value as a literal of one line, in which every character is visible. */
export function literal(value: unknown): string {
  return escapeControls(JSON.stringify(value));
}

/** A template literal, as `${latents.height / ref.height}`. */
export function templateCode(parts: readonly (string | Core)[], scope: Scope): Code {
  if (parts.every((part) => typeof part === "string")) return literal(parts.join(""));
  const pieces = parts.map((part): Code =>
    typeof part === "string" ? onOneLine(part.replace(/[`\\]|\$(?=\{)/g, "\\$&")) : ["${", host(part, scope), "}"],
  );
  return ["`", ...pieces, "`"];
}

/** A key of an object literal, quoted where it must be. `__proto__` is a key like any other only where it is computed. */
export function propertyName(name: string): string {
  if (name === "__proto__") return `["${name}"]`;
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name);
}
