import type { CatalogEntry } from "./entry.ts";

/** What is wrong with the shape of a document: keys, and the types and ranges of values. */
export const entries: readonly CatalogEntry[] = [
  { code: "LTX2001", slug: "unknown-key", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX2002", slug: "missing-key", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX2003", slug: "wrong-type", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX2004", slug: "value-not-allowed", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX2005", slug: "out-of-range", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX2006", slug: "wrong-form", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX2007", slug: "wrong-count", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX2008", slug: "key-does-not-apply", title: "", explanation: "", bad: "", good: "" },
];
