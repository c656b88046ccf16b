/** Plans for a card that is not here: its memory and speed by its published figures. */
import type { EngineSpeed } from "../engine/measure.ts";
import type { Precision } from "../engine/engine.ts";
import { didYouMean } from "../nearest-word.ts";
import { cardNamed, cards, cardWords, type Card } from "../metrics/cards.ts";

/** No card has more memory; what is larger is the number of a card. */
const LARGEST_GIB = 512;

/** A card to plan for, as the user named it. */
export interface PlannedCard {
  /** As in "an RTX 4090 has 24 GiB". */
  readonly title: string;
  /** Bytes that a program can have of it. */
  readonly bytes: number;
  /** Null where only its memory is known. */
  readonly card: Card | null;
}

/** Drivers and what is stored for error correction take up to so much of a card's memory, before any program has begun. */
const TAKEN_SHARE = 0.02;

/**
 * The card of `ltxc plan --gpu`: a name, or an amount of memory as in "24 GB".
 * @returns where there is no such card, what is wrong, and what to write instead
 */
export function cardToPlan(text: string): PlannedCard | { readonly message: string; readonly help: string } {
  const [, digits] = /^\s*(\d+(?:\.\d+)?)\s*(?:gb|gib|g)\s*$/i.exec(text) ?? [];
  const GiB = Number(digits);
  const bytesOf = (memoryGiB: number) => Math.round((1 - TAKEN_SHARE) * memoryGiB * 2 ** 30);
  if (digits !== undefined && GiB > 0 && GiB <= LARGEST_GIB)
    return { title: `a card with ${GiB} GiB`, bytes: bytesOf(GiB), card: null };
  const card = cardNamed(text);
  if (card !== null) return { title: `${card.name} (${card.memoryGiB} GiB)`, bytes: bytesOf(card.memoryGiB), card };
  if (sizeLike.test(text)) {
    const message = `\`${text}\` is no amount of memory that a card has`;
    return { message, help: `write a number above 0 and up to ${LARGEST_GIB}, with a point: "24 GB", "24.5 GB"` };
  }
  return { message: `no card is known as \`${text}\``, help: helpFor(text) };
}

/** What begins like a number and ends in a unit of memory. */
const sizeLike = /^\s*[-+]?[\d.,][\d.,e+-]*\s*(?:gb|gib|g)\s*$/i;

function helpFor(text: string): string {
  const all = `write the card's memory, as in "24 GB", or one of ${cardWords.join(", ")}`;
  const size = Number(text);
  if (size > 0 && size <= LARGEST_GIB) return `if you mean its memory, write "${size} GB"; otherwise ${all}`;
  // Letters that look like digits.
  const digits = cardNamed(text.replace(/o/gi, "0").replace(/[il]/g, "1"));
  if (digits !== null) {
    const word = cardWords[cards.indexOf(digits)];
    return `did you mean \`${word}\`? Otherwise ${all}`;
  }
  const near = didYouMean(text.toLowerCase().replace(/[^a-z0-9-]/g, ""), cardWords);
  return near === null ? all : `${near} Otherwise ${all}`;
}

/**
 * How much of its published figures a card reaches in training. Large products reach 40 to 60 % of the peak that is computed from
 * clock and units, moving reaches more; nothing of it was measured with ltxc.
 */
export const REACHED = { products: 0.5, moving: 0.7, bus: 0.7 };

/** A speed that was computed from what is published of a card. */
export interface CardSpeed extends EngineSpeed {
  /** The card's name. */
  readonly computedFor: string;
}

/** Why there is no speed of a card, in words; null where there is one. */
export function whyNoSpeed(planned: PlannedCard, precision: Precision): string | null {
  const { card } = planned;
  if (card === null)
    return `not known: only the card's memory is; with a card's name, as in \`--gpu 4090\`, it is computed`;
  if (speedOfCard(planned, precision) !== null) return null;
  const other = '`acceleration.mixed_precision_mode: "no"` computes in float32, with twice the memory for activations';
  return `not known: ${card.name} has no ${precision} in hardware, a run would compute in it all the same, far slower; ${other}`;
}

/** Null where nothing is published, as of a card without bfloat16 for that. */
export function speedOfCard({ card }: PlannedCard, precision: Precision): CardSpeed | null {
  const peak = card?.[precision] ?? null;
  if (card === null || peak === null) return null;
  return {
    matmulGflops: REACHED.products * 1000 * peak,
    bandwidthGBs: REACHED.moving * card.bandwidthGBs,
    busGBs: REACHED.bus * card.busGBs,
    computedFor: card.name,
  };
}
