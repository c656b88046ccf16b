/** What a value depends on, through references. */
import type { Binding } from "./checked.ts";
import { childrenOf, type Core, type ModalityName } from "./core.ts";

/** Every node that a value is made of, references followed; each binding is visited once. */
export function* allNodes(
  core: Core,
  bindings: ReadonlyMap<string, Binding>,
  seen = new Set<string>(),
): Generator<Core> {
  yield core;
  for (const child of childrenOf(core)) yield* allNodes(child, bindings, seen);
  if (core.op !== "ref" || seen.has(core.key)) return;
  seen.add(core.key);
  const target = bindings.get(core.key);
  if (target !== undefined) yield* allNodes(target.core, bindings, seen);
}

/** Modalities whose prediction a value depends on, video first; else those whose tokens or values it reads. */
export function modalitiesRead(core: Core, bindings: ReadonlyMap<string, Binding>): ModalityName[] {
  const predicted = new Set<ModalityName>();
  const touched = new Set<ModalityName>();
  for (const node of allNodes(core, bindings)) {
    if (node.op === "prediction") predicted.add(node.modality);
    for (const modality of ["video", "audio"] as const) {
      if (node.type.axes.includes(`token:${modality}`)) touched.add(modality);
    }
  }
  const read = predicted.size > 0 ? predicted : touched;
  return (["video", "audio"] as const).filter((modality) => read.has(modality));
}

/** Whether a value exists only after the model has run. */
export function readsModel(core: Core, bindings: ReadonlyMap<string, Binding>): boolean {
  for (const { op } of allNodes(core, bindings)) if (op === "prediction" || op === "output") return true;
  return false;
}

/** Whether it depends on what the model predicts, of one modality or of any. */
export function readsPrediction(core: Core, bindings: ReadonlyMap<string, Binding>, modality?: ModalityName): boolean {
  for (const node of allNodes(core, bindings)) {
    if (node.op === "prediction" && (modality === undefined || node.modality === modality)) return true;
  }
  return false;
}
