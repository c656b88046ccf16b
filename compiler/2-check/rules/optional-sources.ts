/** Sources that some samples lack: where they may stand, and that nothing reads them in samples without them. */
import type { Span } from "../../source/span.ts";
import { keysForModel, type Binding, type CheckedLoss, type CheckedMetadata, type Expectation } from "../checked.ts";
import type { Core, ModalityName } from "../core.ts";
import type { Declarations, SourceDeclaration } from "../declarations.ts";
import type { ModalityContext } from "../modality.ts";
import type { PassContext } from "../passes.ts";
import { Presence } from "../presence.ts";
import type { Report } from "../report.ts";

interface Checked {
  readonly declarations: Declarations;
  readonly contexts: readonly ModalityContext[];
  readonly passes: readonly PassContext[];
  readonly bindings: ReadonlyMap<string, Binding>;
}

/** What every sample needs cannot be optional: the video's latents, frozen latents, latents of passes, the last text. Gives what is reported. */
export function neededSources({ declarations, contexts, passes }: Checked, report: Report): ReadonlySet<string> {
  const { optional, byName } = declarations;
  const reported = new Set<string>();
  if (optional.size === 0) return reported;
  const refuse = (source: string, why: string, help: string) => {
    const declaration = byName.get(source);
    if (!optional.has(source) || declaration?.kind !== "source" || reported.has(source)) return;
    reported.add(source);
    const span = declaration.syntax.optional?.span ?? lackedAt(source, declarations) ?? declaration.name.span;
    report.error("LTX5074", span, `\`${source}\` is needed by every sample: ${why}`, { help });
  };
  const all = [...byName.values()].filter((entry) => entry.kind === "source");
  for (const { name, syntax } of all)
    if (syntax.file !== null) refuse(name.text, "one file is the same for all samples", "remove `optional`");
  for (const context of contexts) ofModality(context, contexts.length, refuse);
  for (const source of declarations.references.keys())
    if (lackedAt(source, declarations) !== null)
      refuse(source, "a reference takes part for a whole batch, which has samples of every data set", leaveOut);
  for (const pass of passes) ofPass(pass, refuse);
  noSamples(all, optional, refuse);
  return reported;
}

/** Where a data set says that it is without a source. */
function lackedAt(source: string, { byName }: Declarations): Span | null {
  for (const entry of byName.values()) {
    const found = entry.kind === "dataset" ? entry.syntax.without.find(({ text }) => text === source) : undefined;
    if (found !== undefined) return found.span;
  }
  return null;
}

const leaveOut = "give this data set files of it; a reference with `optional: true` is for samples that have one";

type Refuse = (source: string, why: string, help: string) => void;

const needsFile =
  "remove `optional`, or what says that a data set is without it: samples without a file are then left out";

function ofModality({ syntax, latents, generated, texts }: ModalityContext, modalities: number, refuse: Refuse): void {
  if (syntax.name === "video") refuse(latents, "its grid is that of the sample", needsFile);
  else if (modalities === 1) refuse(latents, "a sample without it would have nothing to train", needsFile);
  else if (!generated) refuse(latents, "a frozen modality enters clean", `${needsFile}, or let it be generated`);
  refuse(
    texts.sources.at(-1) ?? "",
    texts.sources.length === 1 ? `\`${syntax.name}\` attends to it` : `the last entry of \`text\` is what is left`,
    "list what samples without it get behind it: `text: [captions, empty]` with `empty: {file: empty.pt, kind: text_embeddings}`",
  );
}

function ofPass({ name, contexts }: PassContext, refuse: Refuse): void {
  for (const { own, latents, texts } of contexts.values()) {
    if (latents !== own?.latents) refuse(latents, `the pass \`${name}\` calls the model with it`, needsFile);
    const last = texts.sources.at(-1) ?? "";
    refuse(last, `the pass \`${name}\` attends to it`, "list what samples without it get behind it");
  }
}

/** Samples are the files of a directory that all of them have. */
function noSamples(sources: readonly SourceDeclaration[], optional: ReadonlySet<string>, refuse: Refuse): void {
  const folders = sources.filter(({ syntax }) => syntax.file === null);
  const [first] = folders;
  if (first === undefined || folders.some(({ name }) => !optional.has(name.text))) return;
  refuse(first.name.text, "samples are told by the files of a source that all of them have", "remove `optional`");
}

interface Read extends Checked {
  readonly losses: readonly CheckedLoss[];
  readonly metadata: readonly CheckedMetadata[];
  readonly expectations: readonly Expectation[];
}

/** Something that counts for every sample. */
interface Root {
  readonly core: Core;
  readonly span: Span;
  readonly isLoss: boolean;
  /** The reference that it is given for: those that a batch has, all its samples have. */
  readonly reference?: string;
}

/** Whatever reads a source that samples may lack does so where they have it; `needed` are those that cannot be lacked, which has been said. */
export function guardedReads(checked: Read, needed: ReadonlySet<string>, report: Report): void {
  const { declarations, contexts, bindings } = checked;
  const { optional, references } = declarations;
  if (optional.size === 0) return;
  const latents = new Map<ModalityName, string>(contexts.map(({ syntax, latents }) => [syntax.name, latents]));
  const presence = new Presence(declarations, bindings, latents);
  const reported = new Set<string>();
  for (const root of rootsOf(checked)) {
    const ofRoot = new Set<string>();
    for (const { source, node, span } of presence.unguardedReads(root.core, presence.samples(root.reference))) {
      const at = span ?? root.span;
      const place = `${source} ${at.start} ${at.end}`;
      const isKnown = needed.has(source) || ofRoot.has(source) || reported.has(place) || report.hasErrorAt(at);
      ofRoot.add(source);
      reported.add(place);
      if (isKnown) continue;
      const isPredicted = node.op === "prediction" || node.op === "passPrediction" || node.op === "output";
      const modality =
        node.op === "output" ? declarations.outputs.get(node.name)?.modality : "modality" in node ? node.modality : "";
      const message = isPredicted
        ? `what the model makes of \`${modality}\` means nothing in samples without \`${source}\`, and this counts it there`
        : `\`${source}\` is read in samples that may lack it`;
      const isSize = node.op === "size" && references.has(source);
      report.error("LTX5073", at, message, {
        help: isSize ? "such samples have no size of it; leave it out" : helpFor(source, root),
        labels: at.start === root.span.start ? [] : [{ span: root.span, message: "counted here for every sample" }],
      });
    }
  }
}

function helpFor(source: string, { isLoss }: Root): string {
  const choice = `\`if has(${source}) then … else …\``;
  return isLoss
    ? `write \`mse(…) over has(${source})\`, or ${choice}`
    : `write ${choice}, or for a mask \`has(${source}) and …\``;
}

/** Losses last: what a modality reads is told with what to write there. */
function* rootsOf({ losses, metadata, expectations, contexts, passes, bindings }: Read): Generator<Root> {
  for (const { core, span } of expectations) yield { core, span, isLoss: false };
  for (const { parts } of metadata)
    for (const part of parts)
      if (typeof part !== "string") yield { core: part, span: part.span ?? { start: 0, end: 0 }, isLoss: false };
  const named = (key: string, otherwise: Span): Root[] => {
    const binding = bindings.get(key);
    const [reference = ""] = key.split(".");
    return binding === undefined
      ? []
      : [{ core: binding.core, span: binding.span ?? otherwise, isLoss: false, reference }];
  };
  for (const { syntax, generated, texts, references } of contexts) {
    const noisyReferences = references.flatMap(({ source, item }) => (item.sigma === null ? [] : [source]));
    const attention = syntax.attention !== null;
    const { name, keySpan } = syntax;
    const fed = { name, generated, texts: texts.sources, references, noisyReferences, attention };
    for (const key of keysForModel(fed)) if (!isOfLosses(key)) yield* named(key, keySpan);
  }
  for (const { name, syntax } of passes) yield* named(name, syntax.name.span);
  for (const { core, span } of losses) yield { core, span, isLoss: true };
}

/** What the prediction is compared with is read by losses alone. */
const isOfLosses = (key: string): boolean => key.endsWith(".target");
