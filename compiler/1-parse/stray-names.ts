/** Names of a section that has the wrong shape, which are not told to be unknown where they are used. */
import { entryOf, type YamlEntry } from "./tree.ts";

const sections = [
  "params",
  "sources",
  "datasets",
  "let",
  "passes",
  "video",
  "audio",
  "loss",
  "outputs",
  "weights",
  "networks",
  "imports",
  "metadata",
  "expect",
];
/** Those whose keys are names that expressions may use. */
const naming = ["params", "sources", "datasets", "let", "passes", "outputs", "weights", "networks", "imports"];
const plainKeys = ["strategy", "language", "description", "extends"];

/** Names that a section declares which is misspelled, or written as a list. */
export function strayNames(entries: readonly YamlEntry[]): ReadonlySet<string> {
  const strays = entries.flatMap(({ key, value }) => {
    const isKnown = sections.includes(key) || plainKeys.includes(key);
    if (key === "expect") return [];
    const isNaming = naming.includes(key);
    if (value.kind === "scalar" && isKnown) return isNaming ? namesIn(value.text) : [];
    const items = value.kind === "sequence" ? value.items : isKnown ? [] : [value];
    return items.flatMap((item) => {
      if (item.kind === "scalar") return isNaming ? namesIn(item.text) : [];
      if (item.kind !== "mapping") return [];
      const name = entryOf(item, "name")?.value;
      return [...item.entries.map((entry) => entry.key), ...(name?.kind === "scalar" ? [name.text] : [])];
    });
  });
  return new Set(strays.map((key) => key.replace(/\s*\(.*$/s, "")));
}

/** `half = 2`, or names alone where each should have a value: `subject, prior`. */
function namesIn(text: string): readonly string[] {
  const assigned = /^\s*(\w+)\s*:?=/.exec(text)?.[1];
  if (assigned !== undefined) return [assigned];
  return /^[\w\s,]*$/.test(text) ? (text.match(/\w+/g) ?? []) : [];
}
