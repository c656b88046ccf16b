/** Face of the engines: opening one, and what can be said of them before. */
export { savedSpeed } from "./engine-speed.ts";
export { foreseeEngine, type ForeseenEngine } from "./foresee-engine.ts";
export { openEngine, titleOf } from "./open-engine.ts";
export { probeEngines, takenByAuto, type EngineProbe } from "./probe-engines.ts";
