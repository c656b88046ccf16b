/** Extra outputs of the model: taps of a modality's stream, and trainable heads on them. */
import type { OutputSyntax, ParamSyntax } from "../1-parse/syntax.ts";
import type { CheckedOutput } from "./checked.ts";
import { tensor, type ModalityName, type Type } from "./core.ts";
import type { Report } from "./report.ts";

/** A head's numbers lie along `feature`, those of a stream along `hidden`. */
export function typeOfOutput({ kind, modality }: CheckedOutput): Type {
  return tensor("f32", ["batch", `token:${modality}`, kind === "tap" ? "hidden" : "feature"]);
}

/**
 * The outputs whose input is known, each after the one that it reads.
 * Reports a modality that the strategy lacks, inputs that are no output, and outputs that read themselves.
 */
export function resolveOutputs(
  outputs: readonly OutputSyntax[],
  params: readonly ParamSyntax[],
  modalities: ReadonlySet<ModalityName>,
  report: Report,
): ReadonlyMap<string, CheckedOutput> {
  const resolved = new Map<string, CheckedOutput | null>();
  const byName = new Map(outputs.map((syntax) => [syntax.name.text, syntax]));
  const resolve = (syntax: OutputSyntax, readers: readonly OutputSyntax[]): CheckedOutput | null => {
    const known = resolved.get(syntax.name.text);
    if (known !== undefined) return known;
    if (readers.includes(syntax)) return cycle([...readers.slice(readers.indexOf(syntax)), syntax], report);
    const read = inputOf(syntax, byName, report);
    const input = read === null ? null : resolve(read, [...readers, syntax]);
    const given = givenBy(syntax, params, report);
    const made = syntax.linear === null ? tap(syntax, given, modalities, report) : head(syntax, given, input);
    resolved.set(syntax.name.text, made);
    return made;
  };
  for (const syntax of outputs) resolve(syntax, []);
  return new Map([...resolved].filter((entry): entry is [string, CheckedOutput] => entry[1] !== null));
}

/** A number that a parameter gives, with its default. */
interface Given {
  readonly param: string;
  readonly number: number;
}

function tap(
  { name, tap, modality }: OutputSyntax,
  given: Given | null,
  modalities: ReadonlySet<ModalityName>,
  report: Report,
) {
  const written = /^block (-?\d+)$/.exec(tap?.value ?? "")?.[1];
  const block = written === undefined ? given?.number : Number(written);
  const of = modality?.value;
  if (block === undefined || (of !== "video" && of !== "audio") || modality === null) return null;
  if (modalities.has(of)) return { name: name.text, kind: "tap", modality: of, block, ...paramOf(given) } as const;
  report.error("LTX3004", modality.span, `this strategy has no \`${of}\``, {
    help: `add the section \`${of}:\` with its \`latents\`, or tap the other stream`,
  });
  return null;
}

function inputOf(
  { linear }: OutputSyntax,
  byName: ReadonlyMap<string, OutputSyntax>,
  report: Report,
): OutputSyntax | null {
  if (linear === null) return null;
  const input = byName.get(linear.text);
  if (input === undefined) report.unknownName(linear.text, linear.span, byName.keys());
  return input ?? null;
}

const paramOf = (given: Given | null) => (given === null ? {} : { param: given.param });

/** The parameter in `${…}`; reports what is none, or none that can give a block or a width. */
function givenBy({ given, linear }: OutputSyntax, params: readonly ParamSyntax[], report: Report): Given | null {
  if (given?.kind !== "name") return null;
  const param = params.find(({ name }) => name.text === given.name);
  if (param === undefined) {
    report.unknownName(
      given.name,
      given.span,
      params.map(({ name }) => name.text),
      { otherwise: "here stands the name of a parameter of `type: integer`" },
    );
    return null;
  }
  const { type, minimum, default: value } = param.schema;
  const least = linear === null ? 0 : 1;
  const isLow = linear !== null && !(typeof minimum === "number" && minimum >= 1);
  if (type === "integer" && !isLow)
    return { param: given.name, number: [value, minimum].find((number) => typeof number === "number") ?? least };
  const what = linear === null ? "a block is counted by a whole number" : "a width is a whole number above 0";
  const message = `${what}, and \`${given.name}\` ${type === "integer" ? "may be less" : "is none"}`;
  report.error("LTX4024", given.span, message, {
    help: `declare the parameter with \`type: integer${linear === null ? "" : ", minimum: 1"}\``,
  });
  return null;
}

function head(
  { name, features, activation }: OutputSyntax,
  given: Given | null,
  input: CheckedOutput | null,
): CheckedOutput | null {
  const width = features?.value ?? given?.number;
  if (input === null || width === undefined) return null;
  const kind = activation?.value;
  return {
    name: name.text,
    kind: "linear",
    modality: input.modality,
    input: input.name,
    features: width,
    ...paramOf(given),
    activation: kind === "silu" || kind === "gelu" ? kind : "none",
  };
}

function cycle(round: readonly OutputSyntax[], report: Report): null {
  const [first] = round;
  const names = round.map(({ name }) => `\`${name.text}\``).join(" → ");
  if (first === undefined) return null;
  report.error("LTX5001", first.name.span, `the output \`${first.name.text}\` reads itself: ${names}`, {
    help: "a chain of heads begins with a `tap`",
  });
  return null;
}
