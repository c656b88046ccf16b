/** A group of entries that one expression fell into: from entry `first` to entry `last`. */
interface SplitGroup {
  readonly first: number;
  readonly last: number;
}

/**
 * In `[...]` and `{...}` YAML splits at every comma, also at those inside the parentheses of an expression. Finds entries that
 * open a parenthesis which a later one closes.
 *
 * @param texts the unquoted text of each entry, null for any other entry
 */
export function splitGroups(texts: readonly (string | null)[]): SplitGroup[] {
  const groups: SplitGroup[] = [];
  for (let first = 0; first < texts.length; first++) {
    const last = closing(texts, first);
    if (last === null) continue;
    groups.push({ first, last });
    first = last;
  }
  return groups;
}

function closing(texts: readonly (string | null)[], first: number): number | null {
  let open = 0;
  for (let index = first; index < texts.length; index++) {
    const text = texts[index];
    if (text === null || text === undefined) return null;
    for (const character of text) open += character === "(" ? 1 : character === ")" ? -1 : 0;
    if (open <= 0) return index > first ? index : null;
  }
  return null;
}
