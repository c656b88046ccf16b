/** What a value depends on, through references. */
import type { Binding } from "./checked.ts";
import { childrenOf, type Core, type ModalityName } from "./core.ts";

/**
 * Every node that values are made of, references followed; each binding is visited once.
 * @param isEnd of a node that is yielded, but not what it is made of
 */
export function* allNodes(
  cores: Core | readonly Core[],
  bindings: ReadonlyMap<string, Binding>,
  isEnd: (node: Core) => boolean = () => false,
): Generator<Core> {
  const seen = new Set<string>();
  // Not by recursion: bindings may refer to each other thousands deep.
  const left = [cores].flat();
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    yield node;
    if (isEnd(node)) continue;
    left.push(...childrenOf(node).toReversed());
    if (node.op !== "ref" || seen.has(node.key)) continue;
    seen.add(node.key);
    const target = bindings.get(node.key);
    if (target !== undefined) left.push(target.core);
  }
}

/** Modalities whose prediction a value depends on, video first; else those whose tokens or values it reads. */
export function modalitiesRead(core: Core, bindings: ReadonlyMap<string, Binding>): ModalityName[] {
  const predicted = new Set<ModalityName>();
  const touched = new Set<ModalityName>();
  for (const node of allNodes(core, bindings)) {
    if (node.op === "prediction" || node.op === "passPrediction") predicted.add(node.modality);
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

/** Whether it depends on what the model predicts, in any of the step's calls, of one modality or of any. */
export function readsPrediction(core: Core, bindings: ReadonlyMap<string, Binding>, modality?: ModalityName): boolean {
  for (const node of allNodes(core, bindings)) {
    const isPrediction = node.op === "prediction" || node.op === "passPrediction";
    if (isPrediction && (modality === undefined || node.modality === modality)) return true;
  }
  return false;
}

/** Whether it depends on what the step's own call predicts of a modality, by way of other calls, too. */
export function readsOwnPrediction(
  core: Core,
  bindings: ReadonlyMap<string, Binding>,
  modality: ModalityName,
): boolean {
  for (const node of allNodes(core, bindings)) if (node.op === "prediction" && node.modality === modality) return true;
  return false;
}

/** The same text for the same value, wherever it was written. */
export function structureOf(core: Core): string {
  const { span: _, type, ...rest } = core;
  const own = Object.fromEntries(
    Object.entries(rest).filter(([, value]) => typeof value !== "object" || value === null),
  );
  return `${JSON.stringify(own)}${type.axes.join()}(${childrenOf(core).map(structureOf).join()})`;
}

/** What a value is, behind names and changes of layout. */
export function behind(core: Core, bindings: ReadonlyMap<string, Binding>): Core {
  let found = core;
  for (let steps = 0; steps < maxSteps; steps++) {
    const next = layoutOf(found) ?? (found.op === "ref" ? bindings.get(found.key)?.core : undefined);
    if (next === undefined) break;
    found = next;
  }
  return found;
}

/** More names in a row than anybody writes. */
const maxSteps = 1000;

function layoutOf(core: Core): Core | undefined {
  const isLayout = core.op === "broadcast" || core.op === "tokens" || core.op === "grid" || core.op === "round";
  return isLayout ? core.arg : undefined;
}

/** The factors of a product, names followed: `a * (b * c)` and `2 * w` with `w: x * y`. */
export function factorsOf(core: Core, bindings: ReadonlyMap<string, Binding>): readonly Core[] {
  const factors: Core[] = [];
  const left = [core];
  for (let next = left.pop(); next !== undefined && factors.length < maxFactors; next = left.pop()) {
    const value = behind(next, bindings);
    if (value.op === "map" && value.fn === "mul") left.push(...value.args.toReversed());
    else factors.push(next);
  }
  return factors;
}

const maxFactors = 64;
