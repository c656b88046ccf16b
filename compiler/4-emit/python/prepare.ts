/** Prints the method `prepare_training_inputs`: all that happens before the model. */
import type { CheckedModality } from "../../2-check/checked.ts";
import type { Core } from "../../2-check/core.ts";
import {
  atom,
  call,
  choice,
  dict,
  entry,
  flat,
  index,
  infix,
  list,
  named,
  quoted,
  spread,
  textLiteral,
  tuple,
  type Code,
} from "./code.ts";
import { modalityCode, ownValues } from "./calls.ts";
import { inOrder, textSources } from "./config.ts";
import { line, paramsLine, scopeOf, shapeOf, type Context } from "./context.ts";
import { ownFields } from "./inputs.ts";
import type { LossBody } from "./loss.ts";
import { host } from "./number.ts";
import type { Scope } from "./scope.ts";
import { statementLines } from "./statements.ts";

/** `inputs`: the class of the result. */
export function prepareBody(context: Context, inputs: string, { sizes, hasDraws }: LossBody): string[] {
  const { program } = context;
  const scope = scopeOf(context);
  const statements = program.prepare.flatMap((statement) => statementLines(context, statement, scope));
  const modalities = program.modalities.flatMap((modality) => modalityLines(context, modality, scope));
  const metadata = metadataLines(context, scope);
  const watched = watchLine(context, scope);
  const result = resultLine(context, inputs, sizes, scope);
  for (const name of sizes) scope.sizes.add(name);
  if (hasDraws) scope.draws();
  return [
    ...headLines(context, scope),
    ...(hasDraws ? ["        self.draws = draws"] : []),
    "",
    ...statements,
    ...attentionOf(program).map((key) => `        check_attention(idx, ${scope.ref(key)})`),
    "",
    ...modalities,
    ...metadata,
    watched,
    result,
  ];
}

/** Keys of all attention masks, of the step's own call and of passes that have others. */
function attentionOf({ modalities, prepare }: Context["program"]): string[] {
  const own = modalities.flatMap(({ name, attention }) => (attention ? [`${name}.attention`] : []));
  const calls = prepare.flatMap(({ core }) => (core.op === "pass" ? [core.inputs] : [core]));
  const others = calls.flatMap((core) => {
    if (core.op !== "passInputs") return [];
    const masks = core.fields.filter(({ field }) => field.endsWith(".attention"));
    return masks.flatMap((field) => (field.core.op === "ref" ? [field.core.key] : []));
  });
  return [...new Set([...own, ...others])];
}

// -------------------------------------------------------------------------------------------------------------------- head

function headLines(context: Context, scope: Scope): string[] {
  const { modalities } = context.program;
  const { sizes, uses } = scope;
  if (sizes.has("video_tokens")) ["frames", "height", "width"].forEach((name) => sizes.add(name));
  if (sizes.has("audio_tokens")) sizes.add("steps");
  const first = flat(scope.source(modalities[0]?.latents ?? ""));
  const grids = modalities.flatMap((modality) => gridLines(modality, scope));
  return [
    ...paramsLine(scope),
    `        idx = self.batch_idx = batch["idx"]  # [batch]`,
    ...sourceLines(context, scope),
    ...modalities.flatMap((modality) => checkLine(context, modality, scope)),
    ...(sizes.has("batch_size") ? [`        batch_size = len(${first})`] : []),
    ...grids,
    ...(uses.has("draws") || uses.has("device") ? [`        device = ${first}.device`] : []),
    ...(uses.has("draws") ? ["        draws = Draws(self.place, timestep_sampler, device)"] : []),
  ];
}

/** Reads the sources that the body uses. */
function sourceLines({ program, names }: Context, scope: Scope): string[] {
  const texts = textSources(program);
  const isOneOfSeveral = (name: string) => texts.length > 1 && texts.includes(name);
  const lines = inOrder(program).flatMap(({ name, kind, key, axes }) => {
    if (!scope.sources.has(name)) return [];
    const entry = scope.entry(name);
    const head = `${names.of(name)} = `;
    switch (kind) {
      case "video_latents":
        return [line(head, call("latents_of", [entry]), "[batch, channel, frame, height, width]")];
      case "audio_latents":
        return [line(head, call("latents_of", [entry]), "[batch, channel, step, mel]")];
      case "text_embeddings":
        return [line(head, isOneOfSeveral(name) ? index("texts", quoted(name)) : entry)];
      case "tensor":
        return [line(head, index(entry, quoted(key ?? "")), shapeOf(["batch", ...(axes ?? [])]))];
      default:
        return [line(head, call("mask_of", [entry]), `[batch, token:${kind.slice(0, "video".length)}]`)];
    }
  });
  const split = '        texts = texts_of(batch["conditions"], self.TEXTS)';
  return [...(texts.some((name) => isOneOfSeveral(name) && scope.sources.has(name)) ? [split] : []), ...lines];
}

/** Sources other than references lie on the grid of their modality's target. */
function checkLine(
  { program, names }: Context,
  { name, latents, references }: CheckedModality,
  scope: Scope,
): string[] {
  const isLaid = ({ name: source, kind }: Context["program"]["sources"][number]) =>
    kind.startsWith(name) && source !== latents && !references.includes(source) && scope.sources.has(source);
  const others = program.sources.filter(isLaid).map((source) => [source.name, names.of(source.name)] as const);
  if (others.length === 0) return [];
  // A source whose name is another in Python is an entry of a dict: messages call it as its author does.
  const given = others.map(([source, own]) =>
    source === own ? named(own, own) : spread(dict([entry(source, own)]), "**"),
  );
  return [line("", call("check_grid", ["idx", scope.source(latents), ...given]))];
}

/** The sizes of a modality's target that the body uses. */
function gridLines({ name, latents }: CheckedModality, scope: Scope): string[] {
  const all = name === "video" ? ["frames", "height", "width"] : ["steps"];
  const { sizes } = scope;
  const own = flat(scope.source(latents));
  const isUsed = all.some((size) => sizes.has(size));
  const channels = name === "video" ? `${own}.shape[1]` : `${own}.shape[1] * ${own}.shape[3]`;
  return [
    ...(isUsed && name === "video" ? [`        frames, height, width = ${own}.shape[2:]`] : []),
    ...(isUsed && name === "audio" ? [`        steps = ${own}.shape[2]`] : []),
    ...(sizes.has(`${name}_tokens`) ? [`        ${name}_tokens = ${all.join(" * ")}`] : []),
    ...(sizes.has(`${name}_channels`) ? [`        ${name}_channels = ${channels}`] : []),
  ];
}

// --------------------------------------------------------------------------------------------------------------- the model

function modalityLines(context: Context, modality: CheckedModality, scope: Scope): string[] {
  const { lines, value } = modalityCode(context, modality, ownValues(scope), scope);
  return [...lines, line(`${modality.name} = `, value)];
}

// ---------------------------------------------------------------------------------------------- metadata, warnings, result

/** Text for the checkpoint, if there is any. */
function metadataLines(context: Context, scope: Scope): string[] {
  const { modalities, metadata, prepare } = context.program;
  const video = modalities.find(({ name }) => name === "video");
  const factors = video === undefined || video.references.length === 0 ? [] : [factorsCode(video, scope)];
  if (factors.length + metadata.entries.length === 0) return [];
  const done = new Set(prepare.map(({ key }) => key));
  const missing = metadata.statements.filter(({ key }) => !done.has(key));
  const statements = missing.flatMap((statement) => statementLines(context, statement, scope));
  const entries = metadata.entries.map(({ name, parts }) => entry(name, textCode(context, parts, scope)));
  const [alone] = entries.length === 0 ? factors : [];
  return [
    ...statements,
    line("metadata = ", alone ?? dict([...factors.map((code) => spread(code, "**")), ...entries])),
    "        self.metadata = unchanged(idx, self.metadata, metadata)",
  ];
}

/** How the references of a video are scaled. */
function factorsCode({ latents, references }: CheckedModality, scope: Scope): Code {
  const pair = (source: string, fps: Code | string) => tuple([scope.source(source), fps]);
  const pairs = references.map((source) => pair(source, scope.fps(source)));
  const names = references.length === 1 ? [] : [tuple(references.map((source) => quoted(source)))];
  return call("check_references", ["idx", pair(latents, scope.ref("video.fps")), list(pairs), ...names]);
}

/** `"${latents.height} of ${kind}"` */
function textCode({ program }: Context, parts: readonly (string | Core)[], scope: Scope): Code {
  // Items of a list are numbers in expressions; a text in one is written as it is.
  const typeOf = (core: Core): unknown => {
    const schema = program.params.find(({ name }) => core.op === "param" && name === core.name)?.schema;
    return core.op === "param" && core.index !== null
      ? (schema?.["items"] as { type?: unknown })?.type
      : schema?.["type"];
  };
  const pieces = parts.map((part): Code => {
    if (typeof part === "string") return textLiteral(part);
    const code = host(part, scope);
    const type = typeOf(part);
    if (type === "string") return code;
    return part.type.dtype === "bool" || type === "boolean"
      ? choice(code, '"true"', '"false"')
      : call("number_text", [code]);
  });
  return pieces.length === 0 ? atom('""') : pieces.reduce((a, b) => infix(a, "+", b));
}

/** Warnings about the batch. */
function watchLine({ program }: Context, scope: Scope): string {
  const overlaps = program.undecided.map((term) => entry(term, scope.ref(`overlap.${term}`)));
  const generated = program.modalities.filter((modality) => modality.generated);
  const masks = generated.map(({ name }) => scope.ref(`${name}.generated`));
  return line("", call("self.first_batches.look", ["idx", dict(overlaps), list(masks)]));
}

function resultLine({ program, names }: Context, inputs: string, sizes: readonly string[], scope: Scope): string {
  const of = (name: string) => program.modalities.find((modality) => modality.name === name);
  const field = (name: string, what: string) => (of(name)?.generated ? scope.ref(`${name}.${what}`) : "None");
  const args = [
    named("video", of("video") === undefined ? "None" : "video"),
    named("audio", of("audio") === undefined ? "None" : "audio"),
    named("video_targets", field("video", "target")),
    named("audio_targets", field("audio", "target")),
    named("video_loss_mask", field("video", "generated")),
    named("audio_loss_mask", field("audio", "generated")),
    ...ownFields(program, names, sizes).map(({ name }) => named(name, name)),
  ];
  return line("return ", call(inputs, args));
}
