/** What names are that stand for parameters and sources, and what is said of names that mean nothing. */
import type { Argument } from "../1-parse/expression/ast.ts";
import { replacement } from "../diagnostics/did-you-mean.ts";
import type { Span } from "../source/span.ts";
import { functionNames, membersOf, methodsOf, noisyFields } from "./builtins.ts";
import {
  hostBoolean,
  hostNumber,
  poisoned,
  tensor,
  withUnit,
  type Core,
  type GridSize,
  type ModalityName,
} from "./core.ts";
import { axesOfSource, fieldsOfSource, type Declaration, type SourceDeclaration } from "./declarations.ts";
import type { Environment } from "./environment.ts";
import { reportForeign } from "./foreign.ts";
import { foreignField } from "./foreign-words.ts";
import { isMember } from "./members.ts";
import { hasOddUnit, unitOfParam } from "./units.ts";

export function param(declaration: Extract<Declaration, { kind: "param" }>, span: Span, env: Environment): Core {
  const { text } = declaration.name;
  if (declaration.type === "string" || declaration.type === "list") {
    const help =
      declaration.type === "list"
        ? `take one item, e.g. \`${text}[0]\``
        : `compare it with one of the values that its \`enum\` lists, e.g. \`${text} == "${firstChoice(declaration)}"\`; in a directory write \`\${${text}}\``;
    env.report.error(
      "LTX4006",
      span,
      `\`${text}\` is a ${declaration.type === "list" ? "list" : "text"}, not a number`,
      { help },
    );
    return poisoned(span);
  }
  if (hasOddUnit(declaration.syntax)) return poisoned(span);
  const type = declaration.type === "boolean" ? hostBoolean : hostNumber;
  const unit = declaration.type === "number" ? unitOfParam(declaration.syntax) : undefined;
  return withUnit({ op: "param", name: text, index: null, type, span }, unit);
}

function firstChoice({ syntax }: Extract<Declaration, { kind: "param" }>): string {
  const { enum: choices } = syntax.schema;
  return Array.isArray(choices) && typeof choices[0] === "string" ? choices[0] : "soft";
}

export function sourceValue(source: SourceDeclaration, span: Span, env: Environment): Core {
  const axes = axesOfSource(source, env.declarations.references);
  if (axes !== null) return { op: "source", source: source.name.text, type: tensor("f32", axes), span };
  env.report.error("LTX4006", span, `\`${source.name.text}\` holds texts, which expressions cannot use`, {
    help: "it serves as a modality's `text`; to give some samples another text, list both there: `text: [empty with probability 0.1, conditions]`",
  });
  return poisoned(span);
}

/** `call`: the arguments and the place of the whole call, null for a bare name. */
export function unresolved(
  text: string,
  span: Span,
  env: Environment,
  call: { readonly args: readonly Argument[]; readonly span: Span } | null = null,
): Core {
  if (env.declarations.refused.has(text)) return poisoned(span);
  if (text === "video" || text === "audio") {
    env.report.error("LTX4006", span, `\`${text}\` is a modality, not a value`, {
      help: `name what of it is meant, e.g. \`${text}.target\``,
    });
  } else if (text === "insert") {
    env.report.error("LTX5071", call?.span ?? span, "`insert` makes a text, and is written in `text`", {
      help: "under `video:` or `audio:` write `text: insert(conditions, concept)`, with `concept` declared under `weights`",
    });
  } else if (functionNames.includes(text)) {
    env.report.error("LTX4003", span, `\`${text}\` is a function`, { help: `call it: \`${text}(…)\`` });
  } else if (!reportForeign({ name: text, nameSpan: span, args: call?.args ?? null, span: call?.span ?? span }, env)) {
    reportUnknown(text, span, env, call !== null);
  }
  return poisoned(span);
}

function reportUnknown(text: string, span: Span, env: Environment, isCall: boolean): void {
  const owners = (["video", "audio"] as const).filter(
    (modality) => isMember(modality, text) && env.modality !== modality && env.modalities.has(modality),
  );
  const [owner] = owners;
  if (owner !== undefined) {
    const prefixed = `${owner}.${text}`;
    env.report.error("LTX3001", span, `nothing is named \`${text}\` here`, {
      help: `outside \`${owner}:\` write \`${prefixed}\``,
      ...(owners.length === 1 && env.modality === null ? { fix: replacement(span, prefixed) } : {}),
    });
    return;
  }
  if (env.declarations.terms.has(text)) {
    env.report.error("LTX3001", span, `\`${text}\` is a term of the loss, not a value`, {
      help: "the loss is the sum of all terms: leave an entry that adds them out; what several terms share goes into `let`",
    });
    return;
  }
  const half = /decod|encod/i.exec(isCall ? text : "")?.[0].toLowerCase();
  env.report.unknownName(text, span, namesIn(env), {
    fits: (name) => isCalled(name, env) === isCall,
    ...(half === undefined
      ? {}
      : { otherwise: `declare it: \`networks: {${text}: {architecture: ltx_video_${half}er}}\`` }),
  });
}

function* namesIn({ modality, declarations, parameters }: Environment): Generator<string> {
  yield* declarations.byName.keys();
  yield* parameters.keys();
  if (modality !== null) yield* [...membersOf[modality], ...Object.keys(methodsOf[modality])];
  yield* functionNames;
}

/** Whether a known name is written with arguments. */
function isCalled(name: string, env: Environment): boolean {
  const declaration = env.declarations.byName.get(name);
  if (declaration !== undefined) return declaration.kind === "let" && declaration.syntax.binder.parameters !== null;
  if (env.parameters.has(name) || name === "first_frame") return false;
  return env.modality === null || !membersOf[env.modality].includes(name);
}

/** `latents.frames`, `latents.fps` */
export function sourceField(
  source: SourceDeclaration,
  field: { text: string; span: Span },
  span: Span,
  env: Environment,
): Core {
  const { text } = source.name;
  env.declarations.used.add(text);
  const fields = fieldsOfSource(source);
  if (noisyFields.includes(field.text) && env.declarations.references.has(text))
    return noisyField(text, field.text, span, env);
  if (!fields.includes(field.text) || source.sourceKind === "text_embeddings") {
    if (/^(exists?|present|available|is_?none|is_?null|has|valid)$/i.test(field.text))
      env.report.error("LTX3004", field.span, `the source \`${text}\` has no \`${field.text}\``, {
        help: `the samples that have it are the mask \`has(${text})\`, of a source with \`optional: true\``,
      });
    else env.report.unknownMember(`the source \`${text}\``, field.text, field.span, fields);
    return poisoned(span);
  }
  if (field.text === "fps")
    return { op: "fps", source: text, type: { dtype: "f32", axes: ["batch"], stage: "sample" }, span };
  return { op: "size", of: text, size: field.text as GridSize, type: hostNumber, span };
}

/** `style.noisy` of a reference that has `sigma`. */
function noisyField(source: string, field: string, span: Span, env: Environment): Core {
  const found = env.passes.refer(env.pass, `${source}.${field}`, span);
  if (found === null && !env.declarations.noisyReferences.has(source)) {
    const message = `the reference \`${source}\` is clean${env.pass === null ? "" : ` in \`${env.pass}\``}, so it has no \`${field}\``;
    env.report.error("LTX5094", span, message, {
      help: `to noise it, write \`- {source: ${source}, sigma: uniform(0, 0.2)}\``,
    });
  }
  return found ?? poisoned(span);
}

/** A call of what is declared as something else; `parentheses` are those of the call. */
export function notAFunction(
  { kind, name: { text } }: Declaration,
  parentheses: Span,
  at: Span,
  isEmpty: boolean,
  { report, modalities }: Environment,
): void {
  const [first = "video"] = modalities;
  const help =
    kind === "pass"
      ? `what it is given stands under \`passes\`, and what it predicts is \`${text}.${first}.prediction\``
      : kind === "dataset"
        ? `\`in(${text})\` is the mask of its samples`
        : `write \`${text}\` without parentheses`;
  const isCertain = isEmpty && kind !== "pass" && kind !== "dataset";
  report.error("LTX4011", at, `\`${text}\` is not a function`, {
    help,
    ...(isCertain ? { fix: { title: help, edits: [{ span: parentheses, text: "" }] } } : {}),
  });
}

/** A field that no modality has. */
export function unknownField(
  owner: ModalityName,
  { text, span }: { text: string; span: Span },
  env: Environment,
): void {
  const known = foreignField(text);
  if (functionNames.includes(text)) {
    const help = `\`${text}\` is a function and belongs to no modality: \`${text}(${owner}.prediction, …)\``;
    env.report.error("LTX3004", span, `\`${owner}\` has no \`${text}\``, { help });
    return;
  }
  if (known === null) {
    const fields = [...membersOf[owner], ...Object.keys(methodsOf[owner])];
    env.report.unknownMember(`\`${owner}\``, text, span, fields);
    return;
  }
  env.report.error("LTX3004", span, `\`${owner}\` has no \`${text}\``, {
    help: `here it is called \`${owner}.${known}\``,
  });
}

/** Whether a name means nothing anywhere; then a modality may be meant, which stands only in front of its members. */
export function isUnknown(name: string, { declarations, parameters }: Environment): boolean {
  const isDeclared = declarations.byName.has(name) || declarations.refused.has(name) || parameters.has(name);
  return !isDeclared && !isMember("video", name) && !isMember("audio", name) && !functionNames.includes(name);
}
