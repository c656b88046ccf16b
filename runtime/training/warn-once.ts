/** Emits a warning, unless one with this `key` was emitted before in the run. */
export type WarnOnce = (key: string, ...warning: Warning) => void;

type Warning = readonly [code: string, message: string, help?: string];

export function createWarnOnce(emit: (...warning: Warning) => void): WarnOnce {
  const emitted = new Set<string>();
  return (key, ...warning) => {
    if (emitted.has(key)) return;
    emitted.add(key);
    emit(...warning);
  };
}
