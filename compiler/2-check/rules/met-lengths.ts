/**
 * How long the `channel` or `hidden` of some sources is only their files say: of tensors, and of latents that the model is not given. Where
 * they are added to what the model knows, or subtracted from it, the run compares both: a single one would be repeated in silence.
 */
import type { Binding, CheckedLoss } from "../checked.ts";
import type { Axis, Core, Elementwise, ModalityName } from "../core.ts";
import type { Declarations } from "../declarations.ts";
import { allNodes } from "../dependencies.ts";
import type { ModalityContext } from "../modality.ts";
import type { PassContext } from "../passes.ts";

interface Strategy {
  readonly declarations: Declarations;
  readonly contexts: readonly ModalityContext[];
  readonly passes: readonly PassContext[];
  readonly losses: readonly CheckedLoss[];
  readonly bindings: ReadonlyMap<string, Binding>;
}

/** By source, the modalities whose channels, and the taps whose stream, must be as long as its own. */
export function metLengths(strategy: Strategy): ReadonlyMap<string, ReadonlySet<string>> {
  const { losses, bindings } = strategy;
  const met = new Map<string, Set<string>>();
  const given = givenToModel(strategy);
  const roots = [...losses, ...bindings.values()].map(({ core }) => core);
  for (const node of allNodes(roots, bindings)) {
    if (node.op !== "map" || !sums.has(node.fn)) continue;
    for (const axis of ["channel", "hidden"]) {
      const [a, b] = node.args.map((side) => lengthsOf(side, axis, given, strategy));
      if (a === undefined || b === undefined) continue;
      for (const [files, known] of [
        [a.files, b.known],
        [b.files, a.known],
      ] as const)
        for (const file of files) met.set(file, new Set([...(met.get(file) ?? []), ...known]));
    }
  }
  return new Map([...met].filter(([, known]) => known.size > 0));
}

const sums: ReadonlySet<Elementwise> = new Set(["add", "sub"]);

/** Latents by the modality that they are given to the model as, in any call: as targets or as references. */
function givenToModel({ contexts, passes }: Strategy): ReadonlyMap<string, ModalityName> {
  const all = [...contexts, ...passes.flatMap((pass) => [...pass.contexts.values()])];
  return new Map(
    all.flatMap(({ syntax, latents, references }) =>
      [latents, ...references.map(({ source }) => source)].map((source) => [source, syntax.name] as const),
    ),
  );
}

/** What says how long an axis of a value is: files alone, or the model. */
interface Lengths {
  readonly files: ReadonlySet<string>;
  readonly known: ReadonlySet<string>;
}

function lengthsOf(
  side: Core,
  axis: Axis,
  given: ReadonlyMap<string, ModalityName>,
  { declarations, bindings }: Strategy,
): Lengths {
  const [files, known] = [new Set<string>(), new Set<string>()];
  const has = (node: Core) => node.type.axes.includes(axis);
  // A product with a weight is as long as the longer of both.
  const isProduct = (node: Core) => node.op === "map" && !sums.has(node.fn) && node.args.filter(has).length > 1;
  for (const node of allNodes(side, bindings, (each) => !has(each) || ends.has(each.op) || isProduct(each))) {
    if (!has(node)) continue;
    if (node.op === "prediction" || node.op === "passPrediction") known.add(node.modality);
    if (node.op === "output" && declarations.outputs.get(node.name)?.kind === "tap") known.add(node.name);
    if (node.op !== "source") continue;
    const modality = given.get(node.source);
    if (modality !== undefined) known.add(modality);
    else if (isPerToken(node.source, declarations)) files.add(node.source);
  }
  return { files, known };
}

/** What they make has a length of its own. */
const ends: ReadonlySet<Core["op"]> = new Set(["network", "import", "concat", "passInputs", "pass"]);

/** Whether all channels of a token lie along one axis. */
function isPerToken(name: string, { byName }: Declarations): boolean {
  const declared = byName.get(name);
  if (declared?.kind !== "source") return false;
  return !(declared.syntax.axes?.value ?? []).some(({ text }) => text === "mel");
}
