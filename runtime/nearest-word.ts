/** Which of several words a misspelt one was meant to be. Imports nothing: compiler and runtime both use it. */

/** Words longer than this are never near enough to matter. */
const maxLength = 64;

/**
 * The candidate that the user most likely meant, or null. At most a third of the letters may differ (one in short words, not all of one);
 * a letter dropped, added, changed or swapped with its neighbour counts one, another case counts nothing.
 */
export function suggest(word: string, candidates: Iterable<string>): string | null {
  let best: string | null = null;
  let bestDistance = limitOf(word);
  for (const candidate of candidates) {
    if (candidate === word || Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** ``did you mean `x`?`` or, without a near candidate, null. */
export function didYouMean(word: string, candidates: Iterable<string>): string | null {
  const found = suggest(word, candidates);
  return found === null ? null : `did you mean \`${found}\`?`;
}

/** Edit distances from here on are too large for a slip. */
export function limitOf(word: string): number {
  return Math.min(word.length, Math.max(1, Math.floor(word.length / 3)) + 1);
}

/** Optimal string alignment: Levenshtein's distance with swaps of neighbours. */
export function editDistance(a: string, b: string): number {
  if (a.length > maxLength || b.length > maxLength) return Infinity;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let distance = Math.min(changed, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) distance = Math.min(distance, (beforeLast[j - 2] ?? 0) + 1);
      row.push(distance);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] ?? Infinity;
}
