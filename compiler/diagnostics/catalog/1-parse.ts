import type { CatalogEntry } from "./entry.ts";

/** What is wrong with the text itself: YAML that cannot be read, and expressions that break the grammar. */
export const entries: readonly CatalogEntry[] = [
  { code: "LTX1101", slug: "expression-syntax", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1102", slug: "unexpected-character", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1103", slug: "foreign-operator", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1104", slug: "expression-too-large", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1105", slug: "number-too-large", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1106", slug: "empty-expression", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1107", slug: "index-not-whole", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1108", slug: "misplaced-probability", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1109", slug: "chained-comparison", title: "", explanation: "", bad: "", good: "" },
];
