import type { Manifest } from "./case.ts";

/** The keys that a part of a manifest may have; `true` stands for anything. In lists, those of each element. */
type Known = true | KnownKeys;
export type KnownKeys = { readonly [key: string]: Known };

/** Keys whose values may be anything. */
export function keys(...names: readonly string[]): Readonly<Record<string, true>> {
  return Object.fromEntries(names.map((name) => [name, true as const]));
}

/** A tolerance, or several by name. */
const limit = keys("atol", "rtol", "why");
export const limits = (...names: readonly string[]): KnownKeys =>
  names.length === 0 ? limit : Object.fromEntries(names.map((name) => [name, limit]));

/** What any manifest may have: what it is, in words, how exact its numbers are, and lists of its tensors. */
const common: KnownKeys = {
  ...keys("case", "group", "split", "called", "notes", "dtype_notes", "fp64_rerun"),
  ...keys("inputs", "outputs", "predictions", "intermediates"),
  draws: keys("name", "kind", "shape", "dtype", "micro_step"),
};

/** Paths of the manifest's keys that nobody knows, such as `optimization.amsgrad` or `items[2].hint`. */
export function unknownKeys(manifest: Manifest, known: KnownKeys): string[] {
  return unknownIn(manifest, { ...common, ...known }, "");
}

function unknownIn(value: unknown, known: Known, path: string): string[] {
  if (known === true || typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((element, i) => unknownIn(element, known, `${path}[${i}]`));
  return Object.entries(value).flatMap(([key, inner]) => {
    const [at, allowed] = [path === "" ? key : `${path}.${key}`, Object.hasOwn(known, key) ? known[key] : undefined];
    return allowed === undefined ? [at] : unknownIn(inner, allowed, at);
  });
}
