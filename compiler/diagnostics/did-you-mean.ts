import { didYouMean, editDistance, limitOf } from "../../runtime/nearest-word.ts";
import type { Span } from "../source/span.ts";
import type { Details } from "./bag.ts";
import type { Fix } from "./diagnostic.ts";

/** What a finding about an unknown word offers: the nearest candidate, and where that is certain a fix; else `otherwise`. */
export function meant(word: string, span: Span, candidates: readonly string[], otherwise?: string): Details {
  const help = didYouMean(word, candidates) ?? otherwise;
  const certain = slipOf(word, candidates);
  return {
    ...(help === undefined ? {} : { help }),
    ...(certain === null ? {} : { fix: replacement(span, certain) }),
  };
}

export function replacement(span: Span, text: string): Fix {
  return { title: `write \`${text}\``, edits: [{ span, text }] };
}

/**
 * The candidate of which a word is surely a slip: no other one is near, and what differs is neither a digit nor a short part that
 * tells names of one kind apart, as in `mask_1`, `mask_a`.
 */
export function slipOf(word: string, candidates: Iterable<string>): string | null {
  const near = [...new Set(candidates)].filter((candidate) => {
    return candidate !== word && editDistance(word.toLowerCase(), candidate.toLowerCase()) < limitOf(word);
  });
  const [only] = near;
  return only !== undefined && near.length === 1 && word.length >= 4 && isSlip(word, only) ? only : null;
}

function isSlip(word: string, candidate: string): boolean {
  const digits = (text: string) => text.replace(/\D/g, "");
  if (digits(word) !== digits(candidate)) return false;
  const [parts, others] = [word.split("_"), candidate.split("_")];
  if (parts.length !== others.length) return word.replaceAll("_", "") === candidate.replaceAll("_", "");
  return parts.every((part, i) => part === others[i] || Math.min(part.length, others[i]?.length ?? 0) > 2);
}
