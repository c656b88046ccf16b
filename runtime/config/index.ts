export { isError, provisionalConfig, resolveConfig, resolveStrategySection, type ResolvedConfig } from "./resolve.ts";
export { resolveParams, strategyOf, toOfficial, unknownStrategy, type StrategyChoice } from "./strategy.ts";
export { settingOf } from "./foreign/in-our-words.ts";
export type * from "./run-config.ts";
export { drawableSamples, type DrawableSample } from "./rules/drawable.ts";
export { askedFor, checkElsewhere, noneAsked } from "./rules/own-optimization.ts";
export { precisionOf } from "./precision.ts";
export type { OutputPattern } from "./output-folder.ts";
