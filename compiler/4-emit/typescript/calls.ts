/** Prints what calls of the model are given: the step's own call, and those of passes. */
import type { Core, ModalityName, PassModality, Term } from "../../2-check/core.ts";
import type { Program } from "../../3-lower/program.ts";
import { call, list, type Code } from "./code.ts";
import { device } from "./expression.ts";
import type { Names } from "./names.ts";
import { noisyReferences, positionsCode } from "./references.ts";
import type { Scope } from "./scope.ts";
import { literal, parameterOf } from "./words.ts";

/** The body that is being printed. */
export interface Emitted {
  readonly program: Program;
  readonly names: Names;
  readonly scope: Scope;
}

/** Where the values of a call come from, by their keys in the step's own. */
interface CallValues {
  of(key: string): string;
  /** Whether each sample has its own value of a key. */
  isPerSample(key: string): boolean;
  /** Whose references stand in front: `video`, or `near.video` of a pass that has its own. */
  ownerOf(modality: ModalityName): string;
  /** Under which the text that was chosen has its name. */
  textKey(modality: ModalityName): string;
  /** Whether the moving average is called, whose trained tokens stand in front of the text. */
  readonly isAverage: boolean;
}

export const ownValues = (scope: Scope, program: Program): CallValues => ({
  of: (key) => scope.ref(key),
  isPerSample: (key) => hasBatch(program.prepare.find((statement) => statement.key === key)?.core),
  ownerOf: (modality) => modality,
  textKey: (modality) => `${modality}.text`,
  isAverage: false,
});

const hasBatch = (core: Core | undefined): boolean => core?.type.axes.includes("batch") === true;

function valuesOfPass(
  { pass, modalities, fields, given }: Term<"passInputs">,
  { program, scope }: Pick<Emitted, "program" | "scope">,
): CallValues {
  const coreOf = (key: string) => fields.find(({ field }) => field === key)?.core;
  const keyOf = (key: string) => {
    const core = coreOf(key);
    return core?.op === "ref" ? core.key : null;
  };
  return {
    isPerSample: (key) => hasBatch(coreOf(key)),
    of(key) {
      if (given.some(({ field }) => field === key)) return parameterOf(key);
      const found = keyOf(key);
      if (found === null) throw new Error(`the pass ${pass} has no ${key}`);
      return scope.ref(found);
    },
    ownerOf: (modality) =>
      modalities.some(({ name, hasOwnReferences }) => name === modality && hasOwnReferences === true)
        ? `${pass}.${modality}`
        : modality,
    textKey: (modality) => `${pass}.${modality}.text`,
    isAverage: program.passes.some(({ name, weights }) => name === pass && weights === "ema"),
  };
}

/** `video: {...},` of a call of the model. */
export function callInputs(emitted: Emitted, modality: PassModality, values: CallValues): Code[] {
  const { scope } = emitted;
  const { name } = modality;
  const entries = modelEntries(emitted, modality, values).map(([key, value]): Code => [`${key}: `, value, ","]);
  if (modality.references.length === 0) {
    return [`${name}: {`, ...entries.map((entry): Code => ["  ", entry]), "},"];
  }
  const tokens = scope.helper(name === "video" ? "toVideoTokens" : "toAudioTokens");
  const noised = noisyReferences(modality, tokens, values, scope);
  return [
    `${name}: ${scope.helper(noised === null ? "withReferences" : "withNoisyReferences")}(`,
    "  ops,",
    "  {",
    ...entries.map((entry): Code => ["    ", entry]),
    "  },",
    ...(noised ?? [`  ${values.of(`${name}.references`)}.map(({ latents }) => ${tokens}(ops, latents)),`]),
    "),",
  ];
}

/** The text of each sample, where there are several, or where trained tokens stand in front of it. */
export function textChoice(emitted: Emitted, modality: PassModality, values: CallValues): Code[] {
  if (isPlainText(modality)) return [];
  const { names, scope } = emitted;
  const { name, texts } = modality;
  const all = texts.map((_, i) => textCode(emitted, modality, { place: i, isAverage: values.isAverage }));
  const drawn = all.slice(0, -1).map((code, i) => list([values.of(`${name}.text[${i}]`), code]));
  const last = all.at(-1) ?? "";
  const chosen = drawn.length === 0 ? last : call(scope.helper("chosenText"), ["ops", list(drawn), last]);
  return [["const ", names.of(values.textKey(name)), " = ", chosen, ";"]];
}

const isPlainText = ({ texts, inserted }: PassModality): boolean =>
  texts.length === 1 && inserted.every((names) => names.length === 0);

/** One of the texts, with what is inserted in front; those with fewer tokens get as many that are not attended to. */
function textCode(
  { program, scope }: Emitted,
  { name, texts, inserted }: PassModality,
  { place, isAverage }: { readonly place: number; readonly isAverage: boolean },
): Code {
  const source = scope.source(texts[place] ?? "");
  const tokensOf = (weight: string) => program.weights.find((each) => each.name === weight)?.tokens ?? 0;
  const lengths = inserted.map((weights) => weights.reduce((sum, weight) => sum + tokensOf(weight), 0));
  const longest = Math.max(...lengths);
  if (longest === 0) return source;
  const weights = (inserted[place] ?? []).map((weight) =>
    call(scope.contextMember("weight"), [literal(`${weight}.${name}`), ...(isAverage ? [literal("ema")] : [])]),
  );
  return call(scope.helper("withTokens"), ["ops", source, literal(name), list(weights), String(longest)]);
}

function modelEntries(
  { program, names, scope }: Emitted,
  modality: PassModality,
  values: CallValues,
): (readonly [string, Code])[] {
  const { name, text: source, generated, noisyReferences: noised, attention } = modality;
  const sigma = values.of(`${name}.sigma`);
  const isPerSample = isLevelPerSample(program, name);
  const text = isPlainText(modality) ? scope.source(source) : names.of(values.textKey(name));
  const missing = `"the ${name} part of source ${source}"`;
  return [
    ["latent", values.of(`${name}.${generated ? "noisy" : "clean"}`)],
    // One level for each sample: the mean over the target's tokens where each has its own.
    ["sigma", isPerSample ? sigma : `ops.mean(${sigma}, [1])`],
    ["timesteps", values.of(`${name}.timesteps`)],
    ...(isPerSample && noised.length === 0 ? [["twoLevels", "true"] as const] : []),
    ["positions", positionsCode(values.ownerOf(name), scope)],
    ["context", name === "video" ? `${text}.video` : call(scope.helper("present"), [`${text}.audio`, missing])],
    ["contextMask", `${text}.mask`],
    ["attentionMask", attention ? attentionMask(name, values, scope) : "null"],
    ["keyframesMask", name === "video" ? keyframes(values, scope) : "null"],
    ["enabled", "true"],
  ];
}

function isLevelPerSample(program: Program, name: ModalityName): boolean {
  const axes = program.prepare.find(({ key }) => key === `${name}.sigma`)?.core.type.axes ?? [];
  return axes.length <= 1;
}

/** One that is the same for all samples has a batch of one. */
function attentionMask(name: ModalityName, values: CallValues, scope: Scope): Code {
  const key = `${name}.attention`;
  if (values.isPerSample(key)) return values.of(key);
  const tokens = scope.size(`sequence:${values.ownerOf(name)}`);
  return call("ops.reshape", [values.of(key), list(["1", tokens, tokens])]);
}

function keyframes(values: CallValues, scope: Scope): Code {
  const shape = list([scope.size("batch"), scope.size(`sequence:${values.ownerOf("video")}`), "1"]);
  return call("ops.reshape", [values.of("video.keyframes"), shape]);
}

// ----------------------------------------------------------------------------------------------------------------- passes

/** Another call of the model, or what is prepared for one that the loss makes: a function of what is missing. */
export function passCode(emitted: Emitted, core: Term<"pass" | "passInputs">, name: string): Code[] {
  const { scope } = emitted;
  const inputs = core.op === "pass" ? core.inputs : core;
  if (core.op === "pass" && inputs.op !== "passInputs") {
    const args = core.args.map((arg) => device(arg, scope));
    const made = call(scope.ref(inputs.op === "ref" ? inputs.key : ""), args);
    return [["const ", name, " = ", call(scope.contextMember("call"), [literal(core.pass), made]), ";"]];
  }
  if (inputs.op !== "passInputs") throw new Error(`${inputs.op} is no input of a call`);
  const values = valuesOfPass(inputs, emitted);
  const texts = inputs.modalities.flatMap((modality) => textChoice(emitted, modality, values));
  const body = passInputs(emitted, inputs, values);
  if (core.op === "pass")
    return [...texts, `const ${name} = ${scope.contextMember("call")}(${literal(core.pass)}, {`, ...body, "});"];
  const parameters = inputs.given.map(({ field }) => `${parameterOf(field)}: Tensor`);
  return [...texts, `const ${name} = (${parameters.join(", ")}): ModelInputs => ({`, ...body, "});"];
}

function passInputs(emitted: Emitted, inputs: Term<"passInputs">, values: CallValues): Code[] {
  return (["video", "audio"] as const).flatMap((name): Code[] => {
    const modality = inputs.modalities.find((each) => each.name === name);
    if (modality === undefined) return [`  ${name}: null,`];
    return callInputs(emitted, modality, values).map((line): Code => ["  ", line]);
  });
}
