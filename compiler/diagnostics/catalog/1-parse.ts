import type { CatalogEntry } from "./entry.ts";

/** What is wrong with the text itself: YAML that cannot be read, and expressions that break the grammar. */
export const entries: readonly CatalogEntry[] = [];
