/** What each pass gives anew, merged with the step's own modalities. */
import type { ModalitySyntax, PassSyntax } from "../1-parse/syntax.ts";
import { noisyFields } from "./builtins.ts";
import type { CheckedModality, PassWeights } from "./checked.ts";
import type { ModalityName } from "./core.ts";
import type { Declarations } from "./declarations.ts";
import type { Environment } from "./environment.ts";
import type { ModalitySources } from "./modality-sources.ts";
import type { ModalityContext } from "./modality.ts";
import { noisyOf } from "./noisy-references.ts";
import type { PassContext } from "./passes.ts";
import type { TextChoice } from "./text-choice.ts";
import type { Report } from "./report.ts";
import { gridOf } from "./rules/like.ts";

interface Step {
  readonly contexts: ReadonlyMap<ModalityName, ModalityContext>;
  readonly modalities: readonly CheckedModality[];
  readonly sources: ModalitySources;
  readonly declarations: Declarations;
  readonly report: Report;
  environment(modality: ModalityName, place: string): Environment;
}

/** Keys of a pass's modality, each with the value that it stands for. */
const values = { sigma: "sigma", noise: "noise", noisy: "noisy", target: "target", denoised: "denoised" } as const;

export function passContext(syntax: PassSyntax, step: Step): PassContext {
  const { text: name } = syntax.name;
  const contexts = new Map<ModalityName, ModalityContext>();
  const overridden = new Set<string>();
  for (const [modality, context] of step.contexts) {
    const merged = mergedContext(name, context, syntax, step);
    contexts.set(modality, merged);
    for (const field of overriddenBy(merged)) overridden.add(`${modality}.${field}`);
    for (const source of merged.references === context.references ? [] : noisyOf(merged.references))
      for (const field of noisyFields) overridden.add(`${source}.${field}`);
  }
  const modalities = step.modalities.map((own) => {
    const merged = contexts.get(own.name);
    const { latents, texts, references } = merged ?? own;
    const chosen = "sources" in texts ? texts : { sources: texts, inserted: own.inserted };
    const text = { text: chosen.sources.at(-1) ?? own.text, texts: chosen.sources, inserted: chosen.inserted };
    const noisyReferences = merged === undefined ? own.noisyReferences : noisyOf(merged.references);
    return { ...own, latents, ...text, references: references.map(sourceOf), noisyReferences };
  });
  for (const modality of ["video", "audio"] as const) missingModality(syntax[modality], step);
  return { name, syntax, weights: weightsOf(syntax), contexts, modalities, overridden };
}

const sourceOf = (reference: string | { readonly source: string }): string =>
  typeof reference === "string" ? reference : reference.source;

function mergedContext(name: string, own: ModalityContext, pass: PassSyntax, step: Step): ModalityContext {
  const written = pass[own.syntax.name];
  const texts = textsOf(own, pass, step);
  if (written === null && texts === own.texts) return { ...own, own };
  const syntax = written === null ? own.syntax : merged(own.syntax, written);
  const owner = `${name}.${syntax.name}`;
  const latents = written === null || written.latents === null ? own.latents : ownGrid(written, own, step);
  const references =
    written === null || written.references === null ? own.references : step.sources.references(syntax, latents);
  const env = { ...step.environment(syntax.name, owner), pass: name };
  return { ...own, own, syntax, owner, latents, texts, references, env };
}

/** The pass's own texts. A modality that shares the outcome of the other one's texts does so in the pass, too. */
function textsOf(own: ModalityContext, pass: PassSyntax, { sources }: Step): TextChoice {
  const { name } = own.syntax;
  const written = pass[name]?.text != null ? pass[name] : own.texts.of === name ? null : pass[own.texts.of];
  if (written?.text == null) return own.texts;
  return sources.text(written, null) ?? own.texts;
}

/** What the pass writes, and for the rest what the modality of the step itself says. */
function merged(own: ModalitySyntax, written: ModalitySyntax): ModalitySyntax {
  const entries = Object.entries(written).filter(([, value]) => value !== null);
  return { ...own, ...Object.fromEntries(entries) };
}

/** Fields that a pass gives anew. */
function* overriddenBy({ own, syntax, texts }: ModalityContext): Generator<string> {
  if (own === undefined) return;
  for (const [key, field] of Object.entries(values)) {
    if (syntax[key as keyof typeof values] !== own.syntax[key as keyof typeof values]) yield field;
  }
  if (syntax.latents !== own.syntax.latents) yield "clean";
  if (syntax.references !== own.syntax.references) yield "references";
  if (texts !== own.texts) for (let i = 0; i < texts.sources.length - 1; i++) yield `text[${i}]`;
}

/** The latents that a pass takes: of the grid of the step's own, since it shares noise and masks with them. */
function ownGrid(written: ModalitySyntax, own: ModalityContext, { sources, declarations, report }: Step): string {
  const found = sources.latents(written);
  if (found === null || written.latents === null) return own.latents;
  const { text: name } = found.name;
  if (gridOf(name, declarations) === gridOf(own.latents, declarations)) return name;
  report.error("LTX5062", written.latents.value.span, `\`${name}\` may have another grid than \`${own.latents}\``, {
    labels: [{ span: found.name.span, message: `without \`like: ${own.latents}\`` }],
    help: `a pass shares the step's noise and masks, so its latents have the same grid: \`${name}: {…, like: ${own.latents}}\`, which is checked against the data`,
  });
  return name;
}

/** One whose section has a mistake of its own is not missing. */
function missingModality(written: ModalitySyntax | null, { environment, report }: Step): void {
  if (written === null || environment(written.name, "").modalities.has(written.name)) return;
  report.error("LTX3004", written.keySpan, `this strategy has no \`${written.name}\`, so a pass has none either`, {
    help: `remove it, or add the section \`${written.name}:\` with its \`latents\``,
  });
}

function weightsOf({ adapters }: PassSyntax): PassWeights {
  if (adapters?.value === "ema") return "ema";
  return adapters?.value === false ? "base" : "trained";
}
