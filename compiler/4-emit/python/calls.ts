/** Prints what calls of the model are given: the step's own call, and those of passes. */
import type { Core, ModalityName, PassModality, Term } from "../../2-check/core.ts";
import { call, flat, list, member, method, named, quoted, spread, tuple, atom, type Code } from "./code.ts";
import { demanded, line, type Context } from "./context.ts";
import { device } from "./expression.ts";
import { statement as lineOf } from "./layout.ts";
import type { Scope } from "./scope.ts";

/** Where the values of a call come from, by their keys in the step's own. */
interface CallValues {
  of(key: string): string;
  /** Whose references stand in front: `video`, or `near.video` of a pass that has its own. */
  ownerOf(modality: ModalityName): string;
  /** Under which the text that was chosen has its name. */
  textKey(modality: ModalityName): string;
}

export const ownValues = (scope: Scope): CallValues => ({
  of: (key) => scope.ref(key),
  ownerOf: (modality) => modality,
  textKey: (modality) => `${modality}.chosen`,
});

function valuesOfPass({ pass, modalities, fields, given }: Term<"passInputs">, scope: Scope): CallValues {
  const keyOf = (key: string) => {
    const core = fields.find(({ field }) => field === key)?.core;
    return core?.op === "ref" ? core.key : null;
  };
  return {
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
    textKey: (modality) => `${pass}.${modality}.chosen`,
  };
}

/** `video_noisy`: what the inputs of a pass are a function of. */
const parameterOf = (key: string): string => key.replace(".", "_");

/** A `Modality` as the official trainer has it, after the variables that it asks for. */
export function modalityCode(
  context: Context,
  modality: PassModality,
  values: CallValues,
  scope: Scope,
): { readonly lines: readonly string[]; readonly value: Code } {
  const chosen = chosenText(context, modality, values, scope);
  const value = call("Modality", modalityArguments(context, modality, values, scope));
  return { lines: [...demanded(scope), ...chosen], value };
}

/** The text of each sample, where there are several. */
function chosenText(
  { names }: Context,
  { name, text, texts }: PassModality,
  values: CallValues,
  scope: Scope,
): string[] {
  if (texts.length === 1) return [];
  const drawn = texts
    .slice(0, -1)
    .map((source, i) => tuple([values.of(`${name}.text[${i}]`), flat(scope.source(source))]));
  return [line(`${names.of(values.textKey(name))} = `, call("chosen_text", [list(drawn), flat(scope.source(text))]))];
}

function modalityArguments(
  { program, names }: Context,
  modality: PassModality,
  values: CallValues,
  scope: Scope,
): Code[] {
  const { name, text, texts, generated, attention } = modality;
  const read = texts.length === 1 ? flat(scope.source(text)) : names.of(values.textKey(name));
  const own = values.of(`${name}.${generated ? "noisy" : "clean"}`);
  const sigma = values.of(`${name}.sigma`);
  const axes = program.prepare.find(({ key }) => key === `${name}.sigma`)?.core.type.axes ?? [];
  const isAlone = modality.references.length === 0;
  return [
    named("latent", isAlone ? own : call("torch.cat", [list([referenceTokens(modality, values, scope), own]), "1"])),
    // One level for each sample: the mean over the target's tokens where each has its own.
    named("sigma", axes.length <= 1 ? sigma : method(sigma, "mean", ["1"])),
    named("timesteps", timestepsCode(modality, values, scope)),
    named("positions", scope.positions(values.ownerOf(name))),
    named("context", call("context_of", [read, quoted(name)])),
    named("enabled", "True"),
    named("context_mask", `${read}["prompt_attention_mask"]`),
    named("attention_mask", attention ? values.of(`${name}.attention`) : "None"),
    named("keyframes_mask", name === "video" ? `${values.of("video.keyframes")}[:, :, None]` : "None"),
  ];
}

/** The tokens of the references that take part. */
function referenceTokens(modality: PassModality, values: CallValues, scope: Scope): Code {
  const { name, noisyReferences } = modality;
  if (noisyReferences.length > 0) return ofReferences(modality, "tokens_of_references", "noisy", values, scope);
  const part =
    name === "video" ? "to_video_tokens(part.float()) for part, _" : "to_audio_tokens(part.float()) for part";
  return spread(atom(`(${part} in ${values.of(`${name}.references`)})`));
}

/** `*tokens_of_references([part for part, _ in video_references], (style, style_noisy))`: a tensor for each of them. */
function ofReferences(
  { name, noisyReferences }: PassModality,
  fn: string,
  field: string,
  values: CallValues,
  scope: Scope,
): Code {
  const references = values.of(`${name}.references`);
  const parts = name === "video" ? `[part for part, _ in ${references}]` : references;
  const noised = noisyReferences.map((source) => tuple([scope.source(source), values.of(`${source}.${field}`)]));
  return spread(call(fn, [parts, ...noised]));
}

/** The noise levels of references and target; those of clean references are 0. */
function timestepsCode(modality: PassModality, values: CallValues, scope: Scope): Code {
  const { name, references, noisyReferences } = modality;
  const target = values.of(`${name}.timesteps`);
  if (references.length === 0) return atom(target);
  const sequence = `sequence:${values.ownerOf(name)}`;
  if (noisyReferences.length === 0) return call("after_references", [target, "1", scope.size(sequence)]);
  const levels = ofReferences(modality, "levels_of_references", "timesteps", values, scope);
  return call("torch.cat", [list([levels, atom(target)]), "1"]);
}

// ----------------------------------------------------------------------------------------------------------------- passes

/** Another call of the model, or a function that makes what is given to one that the loss makes. */
export function passLines(context: Context, core: Term<"pass" | "passInputs">, name: string, scope: Scope): string[] {
  const inputs = core.op === "pass" ? core.inputs : core;
  if (core.op === "pass" && inputs.op !== "passInputs") return lateCall(core, inputs, name, scope);
  if (inputs.op !== "passInputs") throw new Error(`${inputs.op} is no input of a call`);
  const values = valuesOfPass(inputs, scope);
  const made = inputs.modalities.map((modality) => modalityCode(context, modality, values, scope));
  const lines = made.flatMap((each) => each.lines);
  const all = (["video", "audio"] as const).map((name) => {
    const place = inputs.modalities.findIndex((each) => each.name === name);
    return made[place]?.value ?? atom("None");
  });
  if (core.op === "pass") return [...lines, line(`${name} = `, callOf(inputs.pass, all))];
  const parameters = inputs.given.map(({ field }) => parameterOf(field)).join(", ");
  return [...lines, `        def ${name}(${parameters}):`, lineOf("return ", tuple(all), "", 12)];
}

function lateCall(core: Term<"pass">, inputs: Core, name: string, scope: Scope): string[] {
  const args = core.args.map((arg) => device(arg, scope));
  const made = call(scope.ref(inputs.op === "ref" ? inputs.key : ""), args);
  return [...demanded(scope), line(`${name} = `, callOf(core.pass, [spread(made)]))];
}

const callOf = (pass: string, inputs: readonly Code[]): Code =>
  call(member("self", "model"), [quoted(pass), ...inputs]);
