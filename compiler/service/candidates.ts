/** What may be written in an expression, with the kind of value that each is. */
import { axisNames } from "../2-check/axes.ts";
import {
  fieldDocs,
  functionDocs,
  methodDocs,
  progressDocs,
  signatureOf,
  textDocs,
  type FunctionDoc,
} from "../2-check/builtin-docs.ts";
import { membersOf, methodsOf, noisyFields } from "../2-check/builtins.ts";
import { isMask } from "../2-check/combine.ts";
import type { ModalityName, Type } from "../2-check/core.ts";
import { describe } from "../2-check/core.ts";
import { fieldsOfSource, wordFor, type Declaration } from "../2-check/declarations.ts";
import type { Analysis } from "./analysis.ts";
import { declaredText, functionText } from "./hover.ts";
import type { Wanted } from "./roles.ts";

type CandidateKind =
  "key" | "function" | "field" | "variable" | "parameter" | "source" | "keyword" | "value" | "axis" | "module";

/** A built-in function, or a name that the strategy gives. */
interface About {
  readonly kind: "function" | "declared";
  readonly name: string;
}

export interface Candidate {
  readonly label: string;
  readonly kind: CandidateKind;
  readonly is: "mask" | "number" | "loss" | "any" | "latents" | "text" | "none";
  /** On the same line: a type, a signature. */
  readonly detail?: string;
  /** Markdown. */
  readonly doc?: string;
  /** In place of `doc`: what it would be about. A long list of them is shown one at a time, so `documentation` writes it for one. */
  readonly about?: About;
  /** What is written, where it is not the label; `$0` is where the cursor goes. */
  readonly insert?: string;
}

/** Where an expression stands. */
export interface Surroundings {
  readonly modality: ModalityName | null;
  readonly pass: string | null;
  /** The key whose value is written; null outside of a modality. */
  readonly key: string | null;
  /** In `attention` and `keyframes`. */
  readonly inAttention: boolean;
  /** Arguments of the `let` at hand. */
  readonly locals: readonly string[];
}

/** What a candidate is, as Markdown; empty where there is nothing to say. */
export function documentation(analysis: Analysis, { doc, about }: Candidate): string {
  if (about === undefined) return doc ?? "";
  return (about.kind === "function" ? functionText(about.name) : declaredText(analysis, about.name)) ?? "";
}

const kindOf = (type: Type | undefined): Candidate["is"] =>
  type === undefined ? "any" : type.dtype === "bool" ? "mask" : "number";

/** All names and functions that may begin an operand. */
export function operands(analysis: Analysis, around: Surroundings): readonly Candidate[] {
  const declared = [...(analysis.declarations?.byName.values() ?? [])].flatMap((each) => ofDeclaration(analysis, each));
  const functions = Object.entries(functionDocs)
    .filter(
      ([name, { only }]) =>
        (only !== "attention" || around.inAttention) && analysis.declarations?.byName.has(name) !== true,
    )
    .map(([name, doc]) => functionCandidate(name, doc));
  return [
    ...around.locals.map((label): Candidate => ({ label, kind: "parameter", is: "any" })),
    ...declared,
    ...ownMembers(analysis, around),
    ...otherModalities(analysis, around),
    ...functions,
    ...(weights(analysis).length === 0 ? [] : Object.entries(textDocs)).map(([name, doc]) =>
      functionCandidate(name, doc),
    ),
    ...Object.entries(progressDocs).map(([label, { text }]): Candidate => ({
      label,
      kind: "field",
      is: "number",
      doc: text,
    })),
    ...keywords,
  ];
}

/** Fields that follow from one: to name them in it would be a cycle. */
const following: Readonly<Record<string, readonly string[]>> = {
  keep: ["keep", "generated", "timesteps", "noisy", "prediction", "denoised"],
  noise_mask: ["keep", "generated", "timesteps", "noisy", "prediction", "denoised"],
  sigma: ["sigma", "timesteps", "noisy", "prediction", "denoised"],
  noise: ["noise", "noisy", "target", "prediction", "denoised"],
  noisy: ["noisy", "prediction", "denoised"],
  target: ["target", "prediction", "denoised"],
  denoised: ["denoised"],
};

/** In a pass, what is written may name the pass's other values. */
function ownMembers(analysis: Analysis, { modality, pass, key }: Surroundings): readonly Candidate[] {
  if (modality === null) return [];
  const hidden = following[key ?? ""] ?? [];
  return members(analysis, modality, pass).filter(({ label }) => !hidden.includes(label));
}

const keywords: readonly Candidate[] = [
  { label: "not", kind: "keyword", is: "mask", insert: "not $0" },
  { label: "all", kind: "keyword", is: "mask", doc: "Every token." },
  { label: "true", kind: "keyword", is: "mask" },
  { label: "false", kind: "keyword", is: "mask" },
  { label: "if", kind: "keyword", is: "any", insert: "if $1 then $2 else $0" },
];

function functionCandidate(name: string, doc: FunctionDoc): Candidate {
  const { gives, forms, bare = false } = doc;
  const is = gives === "like" ? "any" : gives;
  const insert = bare ? name : (forms[0]?.length ?? 0) === 0 ? `${name}()$0` : `${name}($0)`;
  const [form] = forms;
  return {
    // The name alone is a mask.
    label: name === "all" ? "all(…)" : name,
    kind: "function",
    is,
    insert,
    about: { kind: "function", name },
    ...(form === undefined ? {} : { detail: signatureOf(name, form, bare) }),
  };
}

function ofDeclaration(analysis: Analysis, declaration: Declaration): Candidate[] {
  const label = declaration.name.text;
  const about: About = { kind: "declared", name: label };
  const base = { label, about, detail: wordFor[declaration.kind] };
  switch (declaration.kind) {
    case "param":
      if (declaration.type === "string")
        return [{ ...base, kind: "parameter", is: "none" }, ...comparisons(declaration, base)];
      if (declaration.type === "list") return [{ ...base, kind: "parameter", is: "number", insert: `${label}[$0]` }];
      return [{ ...base, kind: "parameter", is: declaration.type === "boolean" ? "mask" : "number" }];
    case "source":
      return sourceCandidates(declaration, base);
    case "let": {
      if (declaration.syntax.binder.parameters !== null)
        return [{ ...base, kind: "function", is: "any", insert: `${label}($0)` }];
      const type = analysis.bindings.get(label)?.core.type;
      return [
        {
          ...base,
          kind: "variable",
          is: kindOf(type),
          detail: type === undefined ? "let" : describe(type).replaceAll("`", ""),
        },
      ];
    }
    case "import":
    case "network":
      return [{ ...base, kind: "function", is: "any", insert: `${label}($0)` }];
    case "output":
      return [{ ...base, kind: "variable", is: "number" }];
    case "weight":
      return [{ ...base, kind: "variable", is: "text", insert: `insert($1, ${label})` }];
    case "pass":
      return [{ ...base, kind: "module", is: "any" }];
    case "dataset":
      return [{ ...base, label: `in(${label})`, kind: "variable", is: "mask" }];
  }
}

/** The texts that a parameter may have; none where it may be any. */
export function textsOf(declaration: Declaration | undefined): readonly string[] {
  const texts: unknown =
    declaration?.kind === "param" && declaration.type === "string" ? declaration.syntax.schema["enum"] : [];
  return Array.isArray(texts) ? texts.map(String) : [];
}

/** `mode == "soft"` for each of its texts: all that an expression may do with it. */
const comparisons = (declaration: Declaration, base: Pick<Candidate, "about" | "detail">): readonly Candidate[] =>
  textsOf(declaration).map((text) => ({
    ...base,
    label: `${declaration.name.text} == "${text}"`,
    kind: "variable",
    is: "mask",
  }));

function sourceCandidates(
  declaration: Extract<Declaration, { kind: "source" }>,
  base: Pick<Candidate, "label" | "about">,
): Candidate[] {
  const { sourceKind } = declaration;
  const detail = sourceKind;
  if (sourceKind === "text_embeddings") return [{ ...base, detail, kind: "source", is: "text" }];
  if (sourceKind.endsWith("_latents")) return [{ ...base, detail, kind: "source", is: "latents" }];
  const asMask: Candidate = { ...base, label: `${base.label} > 0.5`, detail, kind: "source", is: "mask" };
  return [{ ...base, detail, kind: "source", is: "number" }, ...(sourceKind.endsWith("_mask") ? [asMask] : [])];
}

/** Fields, coordinates, masks and samplers of a modality. */
function members(analysis: Analysis, modality: ModalityName, pass: string | null): readonly Candidate[] {
  const fields = membersOf[modality].map((label): Candidate => {
    const binding =
      analysis.bindings.get(`${pass === null ? "" : `${pass}.`}${modality}.${label}`) ??
      analysis.bindings.get(`${modality}.${label}`);
    const doc = fieldDocs[label];
    const is =
      binding === undefined
        ? doc?.type.startsWith("bool") === true
          ? "mask"
          : "number"
        : isMask(binding.core)
          ? "mask"
          : "number";
    const detail = binding === undefined ? (doc?.type ?? "") : describe(binding.core.type).replaceAll("`", "");
    const formula = doc?.formula === undefined ? "" : `\n\nBy default \`${doc.formula}\`.`;
    return { label, kind: "field", is, detail, doc: `${doc?.text ?? ""}${formula}` };
  });
  const methods = Object.keys(methodsOf[modality]).flatMap((name) => {
    const doc = methodDocs[name];
    return doc === undefined || name === "all" ? [] : [functionCandidate(name, doc)];
  });
  return [...fields, ...methods];
}

const presentIn = ({ syntax }: Analysis): readonly ModalityName[] =>
  (["video", "audio"] as const).filter((name) => syntax !== null && syntax[name] !== null);

/** `video` with what follows it, where it needs the prefix. */
function otherModalities(analysis: Analysis, { modality }: Surroundings): Candidate[] {
  return presentIn(analysis).flatMap((name): Candidate[] => {
    const own: Candidate = {
      label: name,
      kind: "module",
      is: "any",
      doc: `Its fields: \`${name}.target\` and others.`,
    };
    if (modality === name) return [own];
    const prefixed = members(analysis, name, null).map(({ insert, ...member }) => ({
      ...member,
      label: `${name}.${member.label}`,
      ...(insert === undefined ? {} : { insert: `${name}.${insert}` }),
    }));
    return [own, ...prefixed];
  });
}

/** What may follow a point. */
export function fieldsOf(analysis: Analysis, owner: readonly string[]): readonly Candidate[] {
  const [first = "", second] = owner;
  const declaration = analysis.declarations?.byName.get(first);
  if (owner.length === 1 && (first === "video" || first === "audio")) return members(analysis, first, null);
  if (declaration?.kind === "source")
    return fieldsOfSource(declaration)
      .filter(() => declaration.sourceKind !== "text_embeddings")
      .map((label): Candidate => ({ label, kind: "field", is: "number", doc: fieldDocs[label]?.text ?? "" }))
      .concat(noisyFieldsOf(analysis, first));
  if (declaration?.kind !== "pass") return [];
  if (second === "video" || second === "audio") return members(analysis, second, first);
  return presentIn(analysis).map((label): Candidate => ({ label, kind: "module", is: "any" }));
}

/** What a reference that is noised has besides. */
function noisyFieldsOf({ declarations, bindings }: Analysis, name: string): Candidate[] {
  if (declarations?.noisyReferences.has(name) !== true) return [];
  return noisyFields.map((label) => {
    const type = bindings.get(`${name}.${label}`)?.core.type;
    const doc = fieldDocs[label];
    const detail = type === undefined ? "" : describe(type).replaceAll("`", "");
    return { label, kind: "field", is: "number", detail, doc: doc?.text ?? "" };
  });
}

/** Names of axes, in `per` and as arguments. */
export function axes(analysis: Analysis): readonly Candidate[] {
  const own = [...(analysis.declarations?.references.keys() ?? [])].map((name) => `token:${name}`);
  const modalities = presentIn(analysis).map((name) => `token:${name}`);
  return [...axisNames, "element", ...modalities, ...own].map((label): Candidate => ({
    label,
    kind: "axis",
    is: "none",
  }));
}

/** Sources that serve as references, for `from(…)`. */
export function references(analysis: Analysis): readonly Candidate[] {
  return [...(analysis.declarations?.references.keys() ?? [])].map((label): Candidate => ({
    label,
    kind: "source",
    is: "latents",
  }));
}

/** Trained tokens, for `insert(…)`. */
export function weights(analysis: Analysis): readonly Candidate[] {
  return [...(analysis.declarations?.byName.values() ?? [])].flatMap(({ kind, name }): Candidate[] =>
    kind === "weight"
      ? [{ label: name.text, kind: "variable", is: "text", about: { kind: "declared", name: name.text } }]
      : [],
  );
}

/** Whether a candidate fits where `wanted` is asked for. */
export function fits({ is }: Candidate, wanted: Wanted): boolean {
  switch (wanted) {
    case "mask":
      return is === "mask" || is === "any";
    case "number":
      return is === "number" || is === "any" || is === "latents";
    case "latents":
    case "reference":
      return is === "latents";
    case "text":
      return is === "text";
    case "loss":
    case "weight":
    case "any":
      return is !== "text" && is !== "none";
  }
}
