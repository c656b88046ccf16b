/** Findings, for who makes, mends or prints them: plain data, the catalog of their codes, and what is written of them. Loads no parser. */
export { withoutAllowed } from "./allow.ts";
export { Bag } from "./bag.ts";
export { catalog, entryOf, lookUp, type CatalogEntry, type Code } from "./catalog/index.ts";
export type { Diagnostic, Fix } from "./diagnostic.ts";
export { didYouMean, suggest } from "../../runtime/nearest-word.ts";
export { replacement, slipOf } from "./did-you-mean.ts";
export { fixAll, type Applied } from "./fix-all.ts";
export { renderJson, toJson, type JsonExtras } from "./reporters/json.ts";
export { summarize, type FileReport } from "./reporters/report.ts";
export { renderSarif } from "./reporters/sarif.ts";
export { visible } from "./reporters/display.ts";
export { renderTerminal } from "./reporters/terminal.ts";
