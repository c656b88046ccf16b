/** Which sources a modality uses. */
import type { Expression, Item, ReferenceItem } from "../1-parse/expression/ast.ts";
import type { EntrySyntax, ModalitySyntax } from "../1-parse/syntax.ts";
import type { SourceKind } from "./checked.ts";
import { replacement } from "../diagnostics/did-you-mean.ts";
import { wordFor, type Declarations, type SourceDeclaration } from "./declarations.ts";
import type { ModalityContext } from "./modality.ts";
import type { Report } from "./report.ts";
import { reportText, reportTwice, type TextChoice } from "./text-choice.ts";

/** Noise without a level is mixed into nothing. */
function reportNoise({ sigma, noise }: ReferenceItem, report: Report): void {
  if (noise === null || sigma !== null) return;
  report.error("LTX5096", noise.keySpan, "`noise` of a reference without `sigma` is never mixed in", {
    help: "write how much of it there is, `sigma: uniform(0, 0.2)`, or leave `noise` out",
  });
}

export class ModalitySources {
  readonly #declarations: Declarations;
  readonly #report: Report;

  constructor(declarations: Declarations, report: Report) {
    this.#declarations = declarations;
    this.#report = report;
  }

  latents({ name, latents }: ModalitySyntax): SourceDeclaration | null {
    return this.#named(latents, `${name}_latents`, `\`${name}.latents\``);
  }

  /** What it attends to; without `text` of its own what the `other` modality draws, where that draws one of several. */
  text(syntax: ModalitySyntax, other: ModalitySyntax | null): TextChoice | null {
    const { name, text } = syntax;
    if (text === null && (other?.text?.items.length ?? 0) > 1 && other !== null) return this.#texts(other);
    if (text !== null) return this.#texts(syntax);
    const only = this.#onlyText(syntax);
    return only === null ? null : { of: name, sources: [only.name.text], inserted: [[]], items: [] };
  }

  #texts({ name, text }: ModalitySyntax): TextChoice | null {
    const items = text?.items ?? [];
    const known = new Set<string>();
    const found = items.flatMap((item, i) => {
      const what = items.length === 1 ? `\`${name}.text\`` : `an entry of \`${name}.text\``;
      const entry = this.#text(item, what);
      const isOptional = entry !== null && this.#declarations.optional.has(entry.source);
      reportText(items, i, name, this.#report, isOptional);
      if (entry === null) return [];
      const written = [entry.source, ...entry.inserted].join();
      if (known.has(written) && !this.#report.hasErrorAt(item.span)) reportTwice(entry.source, item, this.#report);
      return known.add(written) && [entry];
    });
    if (found.length < items.length || found.length === 0) return null;
    const inserted = found.map((entry) => entry.inserted);
    return { of: name, sources: found.map(({ source }) => source), inserted, items };
  }

  /** A source of text, or `insert(conditions, concept)`: one with trained tokens in front of its own. */
  #text({ value, span }: Item, what: string): { readonly source: string; readonly inserted: readonly string[] } | null {
    if (value.kind !== "call" || value.callee.text !== "insert") {
      if (this.#reportTrained(value)) return null;
      const found = this.#named({ keySpan: span, value }, "text_embeddings", what);
      return found === null ? null : { source: found.name.text, inserted: [] };
    }
    const [text, ...weights] = value.args;
    const isPositional = value.args.every(({ name }) => name === null);
    if (text === undefined || weights.length === 0 || !isPositional) {
      this.#report.error("LTX5071", value.span, "`insert` takes a source of text and one or more `weights`", {
        help: "write `insert(conditions, concept)`, with `concept` declared under `weights`",
      });
      return null;
    }
    if (this.#weightNamed(text.value) !== null) {
      const names = [...weights, text].map((arg) => (arg.value.kind === "name" ? arg.value.name : "…"));
      const written = `insert(${names.join(", ")})`;
      this.#report.error("LTX5071", value.span, "`insert` takes the source of text first, then the weights", {
        help: `write \`${written}\``,
        ...(names.length === 2 && !written.includes("…") ? { fix: replacement(value.span, written) } : {}),
      });
      return null;
    }
    const found = this.#named({ keySpan: text.value.span, value: text.value }, "text_embeddings", "`insert`");
    const inserted = weights.flatMap((weight) => this.#weight(weight.value) ?? []);
    const again = weights.find((_, i) => inserted.indexOf(inserted[i] ?? "") < i);
    if (again !== undefined && inserted.length === weights.length) {
      this.#report.error("LTX5071", again.value.span, `\`insert\` puts the same tokens in front twice`, {
        help: "leave one of them out; for more trained tokens raise the number in their `axes`",
      });
      return null;
    }
    return found === null || inserted.length < weights.length ? null : { source: found.name.text, inserted };
  }

  #weight(value: Expression): string | null {
    if (value.kind === "error") return null;
    const { byName, refused, used } = this.#declarations;
    const name = value.kind === "name" ? value.name : "";
    const declaration = byName.get(name);
    if (declaration?.kind === "weight") {
      used.add(name);
      return name;
    }
    if (refused.has(name)) return null;
    const candidates = [...byName.values()].flatMap((entry) => (entry.kind === "weight" ? [entry.name.text] : []));
    if (name !== "" && declaration === undefined) {
      const otherwise = `declare it: \`weights: {${name}: {axes: [text: 8, hidden], like: conditions}}\``;
      this.#report.unknownName(name, value.span, candidates, { otherwise });
      return null;
    }
    const what = declaration === undefined ? "this is none" : `\`${name}\` is a ${wordFor[declaration.kind]}`;
    this.#report.error(
      "LTX5071",
      value.span,
      `what \`insert\` puts into a text is declared under \`weights\`; ${what}`,
      {
        help: "write `insert(conditions, concept)` with `weights: {concept: {axes: [text: 8, hidden], like: conditions}}`",
      },
    );
    return null;
  }

  #weightNamed(value: Expression): string | null {
    const name = value.kind === "name" ? value.name : "";
    return this.#declarations.byName.get(name)?.kind === "weight" ? name : null;
  }

  /** Trained tokens in place of a text, `conditions + concept` and `if … then empty else conditions`; false for anything else. */
  #reportTrained(value: Expression): boolean {
    const sides = value.kind === "binary" ? [value.left, value.right] : [value];
    const weight = sides.map((side) => this.#weightNamed(side)).find((name) => name !== null);
    if (weight !== undefined) {
      const text = sides.flatMap((side) => (side.kind === "name" && side.name !== weight ? [side.name] : []))[0];
      this.#declarations.used.add(weight);
      this.#report.error("LTX5071", value.span, `\`${weight}\` is trained tokens, which stand in front of a text`, {
        help: `write \`insert(${text ?? "conditions"}, ${weight})\``,
      });
      return true;
    }
    if (value.kind !== "if") return false;
    this.#report.error("LTX5014", value.span, "which text a sample gets is a list here", {
      help: "write a list: `text: [empty with probability 0.1, conditions]`; each sample gets the first that is drawn for it",
    });
    return true;
  }

  /** Its references, each with the name of its source, which is neither the target nor named before. */
  references({ name, references }: ModalitySyntax, latents: string): ModalityContext["references"] {
    const known = new Set<string>([latents]);
    return (references?.items ?? []).flatMap((item) => {
      const entry = { keySpan: item.span, value: item.value };
      reportNoise(item, this.#report);
      const found = this.#named(entry, `${name}_latents`, `an entry of \`${name}.references\``)?.name.text;
      if (found === undefined) return [];
      if (!known.has(found)) return known.add(found) && [{ source: found, item }];
      // The check of the structure says it where the name stands alone.
      if (this.#report.hasErrorAt(item.value.span)) return [];
      const message = found === latents ? "is the target itself" : "is a reference already";
      this.#report.error("LTX5016", item.value.span, `\`${found}\` ${message}`, {
        help: `declare one more source, which may share the directory: \`ref: {directory: …, kind: ${name}_latents}\``,
      });
      return [];
    });
  }

  /** The source of this kind that an entry names; null where it names none, which is reported. */
  #named(entry: EntrySyntax | null, kind: SourceKind, what: string): SourceDeclaration | null {
    if (entry === null || entry.value.kind === "error") return null;
    const name = entry.value.kind === "name" ? entry.value.name : null;
    const declaration = name === null ? undefined : this.#declarations.byName.get(name);
    if (name !== null && this.#declarations.refused.has(name)) return null;
    if (name !== null && declaration === undefined) {
      this.#report.unknownName(
        name,
        entry.value.span,
        this.#all().map((source) => source.name.text),
        { otherwise: declaring(name, kind) },
      );
      return null;
    }
    if (name !== null) this.#declarations.used.add(name);
    if (declaration?.kind === "source" && declaration.sourceKind === kind) return declaration;
    const found =
      declaration?.kind === "source" ? `\`${name}\` is of kind \`${declaration.sourceKind}\`` : "this is none";
    const labels =
      declaration?.kind === "source" && declaration.syntax.kind
        ? [{ span: declaration.syntax.kind.span, message: "its kind is given here" }]
        : [];
    this.#report.error("LTX5014", entry.value.span, `${what} names a source of kind \`${kind}\`; ${found}`, {
      labels,
      help: `declare one under \`sources\`: \`name: {directory: …, kind: ${kind}}\``,
    });
    return null;
  }

  /** Without `text` in the file there has to be exactly one source of text. */
  #onlyText({ name, keySpan }: ModalitySyntax): SourceDeclaration | null {
    const texts = this.#all().filter((source) => source.sourceKind === "text_embeddings");
    const [only] = texts;
    if (only !== undefined && texts.length === 1) {
      this.#declarations.used.add(only.name.text);
      return only;
    }
    if (texts.length === 0 && this.#declarations.isIncomplete) return null;
    const message = texts.length === 0 ? "there is no source of text" : "there are several sources of text";
    this.#report.error("LTX5008", keySpan, `${message}: what does \`${name}\` attend to?`, {
      help:
        texts.length === 0
          ? "add `conditions: {directory: conditions, kind: text_embeddings}` to `sources`"
          : `choose one, \`text: ${only?.name.text}\`, or give each sample one of them: \`text: [${texts.map(({ name }, i) => (i < texts.length - 1 ? `${name.text} with probability 0.1` : name.text)).join(", ")}]\``,
      labels: texts.map((source) => ({ span: source.name.span, message: "one of them" })),
    });
    return null;
  }

  #all(): SourceDeclaration[] {
    return [...this.#declarations.byName.values()].flatMap((entry) => (entry.kind === "source" ? [entry] : []));
  }
}

/** What to write for a source of a name that there is not. */
function declaring(name: string, kind: SourceKind): string {
  if (kind === "text_embeddings" && /^(null|none|nothing|no|empty\w*|uncond\w*)$/i.test(name))
    return "the empty caption is a source, too, one encoded text for all samples: `empty: {file: empty.pt, kind: text_embeddings}` under `sources`";
  return `declare it under \`sources\`: \`${name}: {directory: …, kind: ${kind}}\``;
}
