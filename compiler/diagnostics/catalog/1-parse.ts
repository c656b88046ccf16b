import type { CatalogEntry } from "./entry.ts";

/** What is wrong with the text itself: YAML that cannot be read, and expressions that break the grammar. */
export const entries: readonly CatalogEntry[] = [
  { code: "LTX1001", slug: "yaml-syntax", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1002", slug: "tab-indentation", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1003", slug: "duplicate-key", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1004", slug: "unknown-tag", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1005", slug: "broken-alias", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1006", slug: "merge-key", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1007", slug: "several-documents", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1008", slug: "key-not-text", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1009", slug: "document-too-large", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1010", slug: "empty-document", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1011", slug: "number-not-finite", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1012", slug: "control-character", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1101", slug: "expression-syntax", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1102", slug: "unexpected-character", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1103", slug: "foreign-operator", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1104", slug: "expression-too-large", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1105", slug: "number-too-large", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1106", slug: "empty-expression", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1107", slug: "index-not-whole", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1108", slug: "misplaced-probability", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1109", slug: "chained-comparison", title: "", explanation: "", bad: "", good: "" },
  { code: "LTX1110", slug: "broken-interpolation", title: "", explanation: "", bad: "", good: "" },
];
