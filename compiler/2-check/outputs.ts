/** Extra outputs of the model: taps of a modality's stream, and trainable heads on them. */
import type { OutputSyntax } from "../1-parse/syntax.ts";
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
    const made = syntax.linear === null ? tap(syntax, modalities, report) : head(syntax, input);
    resolved.set(syntax.name.text, made);
    return made;
  };
  for (const syntax of outputs) resolve(syntax, []);
  return new Map([...resolved].filter((entry): entry is [string, CheckedOutput] => entry[1] !== null));
}

function tap({ name, tap, modality }: OutputSyntax, modalities: ReadonlySet<ModalityName>, report: Report) {
  const block = /^block (-?\d+)$/.exec(tap?.value ?? "")?.[1];
  const of = modality?.value;
  if (block === undefined || (of !== "video" && of !== "audio") || modality === null) return null;
  if (modalities.has(of)) return { name: name.text, kind: "tap", modality: of, block: Number(block) } as const;
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

function head({ name, features, activation }: OutputSyntax, input: CheckedOutput | null): CheckedOutput | null {
  if (input === null || features === null) return null;
  const kind = activation?.value;
  return {
    name: name.text,
    kind: "linear",
    modality: input.modality,
    input: input.name,
    features: features.value,
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
