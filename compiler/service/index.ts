/**
 * What editors ask about strategies, as pure functions: a text and an offset in it go in, plain data comes out. `analyse` reads a text once;
 * most functions take what it gives. Offsets count UTF-16 units from 0.
 */
export { actions, findingsHere, fixEverything, type Action } from "./actions.ts";
export { analyse, analyseAt, blankLine, type Analysis } from "./analysis.ts";
export { documentation } from "./candidates.ts";
export { complete, type Around, type Completion } from "./completion.ts";
export { declaredAt, definition, strategyName, type Target } from "./definition.ts";
export { fieldUses } from "./field-uses.ts";
export { declaredText, hover, type Hover } from "./hover.ts";
export { occurrences, refusal, renames, type Occurrences } from "./occurrences.ts";
export { documentSymbols, folds, inlayHints, lenses, type DocumentSymbol } from "./outline.ts";
export { placeAt, type Place } from "./place.ts";
export { at, schemaAt, type Schema } from "./roles.ts";
export { semanticTokens, tokenTypes } from "./tokens.ts";
export { signature } from "./signature.ts";
export { sourceDirectories } from "./source-directories.ts";
export { treePlaceAt } from "./tree-place.ts";
