/** A modality's text as a choice: of several sources each sample gets the first one that is drawn, else the last. */
import type { Item } from "../1-parse/expression/ast.ts";
import type { Span } from "../source/span.ts";
import { map } from "./combine.ts";
import { describe, literal, poisoned, tensor, type Core, type ModalityName } from "./core.ts";
import { drawPlace, type Environment } from "./environment.ts";
import { infer } from "./infer.ts";
import { hasSource } from "./has-and-in.ts";
import { isPlain } from "./units.ts";
import { spanOf, type Report } from "./report.ts";

export interface TextChoice {
  /** The modality that draws: the own one, or the other, whose outcome this one shares. */
  readonly of: ModalityName;
  /** Names of the sources, in the order in which they are drawn. */
  readonly sources: readonly string[];
  /** Of each, the weights whose tokens stand in front of its own. */
  readonly inserted: readonly (readonly string[])[];
  /** What is written for them; nothing where the only source of text is taken. */
  readonly items: readonly Item[];
}

/** The place of `text[1]` in the list, null for any other field. */
export function textPlace(field: string): number | null {
  const place = /^text\[(\d+)\]$/.exec(field)?.[1];
  return place === undefined ? null : Number(place);
}

interface Modality {
  readonly syntax: { readonly name: ModalityName; readonly keySpan: Span };
  /** `video`, of a pass `near.video`. */
  readonly owner: string;
  readonly texts: TextChoice;
  readonly env: Environment;
}

/** `bool[batch]`: the samples that get the text at this place. */
export function chosenText({ syntax, owner, texts, env }: Modality, place: number): Core {
  const refer = (of: ModalityName, i: number): Core =>
    env.passes.refer(env.pass, `${of}.text[${i}]`, syntax.keySpan) ?? poisoned(null);
  if (texts.of !== syntax.name) return { ...refer(texts.of, place), span: null };
  const apply = (fn: "and" | "not", ...args: Core[]) => map(env.report, fn, args, null, "`text`");
  const earlier = Array.from({ length: place }, (_, i) => apply("not", { ...refer(syntax.name, i), span: null }));
  const isDrawn = place < texts.sources.length - 1 && texts.items[place]?.probability !== null;
  const drawn = isDrawn ? [drawnText({ syntax, owner, texts, env }, place)] : [];
  const source = texts.sources[place] ?? "";
  const there = env.declarations.optional.has(source) ? [hasSource(source)] : [];
  const parts = [...there, ...drawn, ...earlier];
  return parts.length === 0 ? everySample() : parts.reduce((a, b) => apply("and", a, b));
}

const everySample = (): Core => ({ op: "broadcast", arg: literal(true), type: tensor("bool", ["batch"]), span: null });

/** An entry's own draw, which comes before the draws of its probability. */
function drawnText({ owner, texts, env }: Modality, place: number): Core {
  const item = texts.items[place];
  const draws = drawPlace(`${owner}.text[${place}]`);
  if (item === undefined || item.probability === null) return poisoned(null);
  const type = tensor("f32", ["batch"]);
  const drawn: Core = { op: "draw", fn: "rand", place: draws.next(), storage: null, of: null, type, span: null };
  const share = infer(item.probability, { ...env, draws });
  if (share.op !== "error" && !isPlain(env.report, share, "a probability")) return poisoned(share.span);
  env.report.outsideUnit(share, "a probability");
  const odd = share.type.axes.find((axis) => axis !== "batch");
  if (share.op !== "error" && odd !== undefined) {
    env.report.error(
      "LTX4015",
      spanOf(share),
      `the probability of a text is one number for each sample, this is ${describe(share.type)}`,
      {
        help: `reduce it first, e.g. \`mean(x, axis=${odd.split(":")[0]})\``,
      },
    );
    return poisoned(share.span);
  }
  return map(env.report, "less", [drawn, share], item.probability.span, "`with probability`");
}

// ------------------------------------------------------------------------------------------------------------------ checks

const isWhatIsLeft = ({ probability }: Item): boolean => probability === null;

/**
 * All entries but the last have a probability, or are a source that samples may lack; the last one is what is left. `optional`: whether
 * this one is such a source.
 */
export function reportText(
  items: readonly Item[],
  place: number,
  modality: ModalityName,
  report: Report,
  optional: boolean,
): void {
  const item = items[place];
  if (item === undefined || item.value.kind === "error") return;
  const isLast = place === items.length - 1;
  if (isLast === (item.probability === null) || (optional && !isLast)) return;
  const name = item.value.kind === "name" ? item.value.name : "source";
  const swapped = items.length > 1 && items.at(-1)?.probability !== null && items.filter(isWhatIsLeft).length === 1;
  if (swapped && isLast) return;
  if (!isLast) {
    const message = `every sample gets \`${name}\`, so what \`${modality}.text\` lists after it is never taken`;
    const help = swapped
      ? `move \`${name}\` to the end of the list: what has a probability is drawn first, and the last entry is what is left`
      : `say how often it is taken, \`${name} with probability 0.1\`, or list it last`;
    report.error("LTX5091", item.span, message, { help });
    return;
  }
  const help =
    items.length === 1
      ? `list what the other samples get after it: \`- ${name} with probability …\`, then \`- conditions\``
      : `leave its probability out: the last entry is for all samples that no other is drawn for`;
  report.error("LTX5091", item.span, `the last entry of \`${modality}.text\` is what is left, and has no probability`, {
    help,
  });
}

export function reportTwice(name: string, { value }: Item, report: Report): void {
  report.error("LTX5092", value.span, `\`${name}\` is listed in \`text\` twice`, {
    help: "leave one of them out, and give the other both probabilities",
  });
}
