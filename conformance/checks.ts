import type { Engine } from "../runtime/engine/engine.ts";
import type { Case, GoldenTensor, Replay } from "./case.ts";
import { compare, type Numbers, type Tolerance } from "./compare.ts";
import { unknownKeys, type KnownKeys } from "./known.ts";

/** What a kind of case may consist of. Everything else in a case is a failure, so that nothing is passed over in silence. */
interface Declaration {
  /** The manifest's keys besides those that any manifest may have. */
  readonly manifest: KnownKeys;
  /** Names of the tensors that a replay takes in; all others must be compared. */
  readonly inputs?: RegExp;
}

/** Thrown by a replay whose case is about something that this version does not do; the message says what. Such a case is no success. */
export class NotCovered extends Error {}

/** Collects the reasons of failure of one case, and which of its tensors were compared. */
export interface Checks {
  /** More tensors that the replay takes in, where their names depend on the case. */
  takes(names: Iterable<string>): void;
  /** Compares with the stored tensor of that name, which must be there. */
  compare(name: string, actual: Numbers, tolerance: Tolerance): void;
  /** Compares with numbers of the manifest. */
  numbers(label: string, actual: readonly number[], expected: readonly number[], tolerance: Tolerance): void;
  /** Compares plain data by its JSON. */
  same(label: string, actual: unknown, expected: unknown): void;
  fail(...reasons: readonly string[]): void;
}

/** A replay of the cases that a declaration describes. */
export function declared(
  { manifest: known, inputs }: Declaration,
  replay: (golden: Case, checks: Checks, engine: Engine) => void | Promise<void>,
): Replay {
  return async (golden, engine) => {
    const unknown = unknownKeys(golden.manifest, known);
    if (unknown.length > 0) return unknown.map((key) => `the manifest has the unknown key ${key}`);
    const reasons = checkLists(golden);
    const seen = new Set<string>();
    await replay(golden, createChecks(golden, reasons, seen), engine);
    const left = [...golden.tensors.keys()].filter((name) => !seen.has(name) && !inputs?.test(name));
    return [
      ...reasons,
      ...left.map((name) => `${name}: stored, but it is no known input and nothing was compared with it`),
    ];
  };
}

function createChecks({ tensors }: Case, reasons: string[], seen: Set<string>): Checks {
  const vector = (data: readonly number[]): Numbers => ({ shape: [data.length], data });
  return {
    takes(names) {
      for (const name of names) seen.add(name);
    },
    compare(name, actual, tolerance) {
      const expected = tensors.get(name);
      seen.add(name);
      reasons.push(
        ...(expected ? compare(name, actual, expected, tolerance) : [`${name}: made, but the case has none`]),
      );
    },
    numbers(label, actual, expected, tolerance) {
      reasons.push(...compare(label, vector(actual), vector(expected), tolerance));
    },
    same(label, actual, expected) {
      const [is, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
      if (is !== wanted) reasons.push(`${label} is ${is}, expected ${wanted}`);
    },
    fail(...more) {
      reasons.push(...more);
    },
  };
}

type Description = Pick<GoldenTensor, "dtype" | "shape">;

/** The tensors that the manifest lists must be stored, with that type and shape. */
function checkLists({ manifest, tensors }: Case): string[] {
  const { inputs, outputs, predictions, intermediates } = manifest;
  const draws: readonly (Description & { readonly name: string })[] = manifest["draws"] ?? [];
  const listed = [
    ...[inputs, outputs, predictions, intermediates].flatMap((list) => Object.entries<Description>(list ?? {})),
    ...draws.map((draw) => [draw.name, draw] as const),
  ];
  return listed.flatMap(([name, { dtype, shape }]) => {
    const stored = tensors.get(name);
    if (stored === undefined) return [`${name}: listed in the manifest, but not stored`];
    const [is, wanted] = [`${stored.dtype} [${stored.shape.join(", ")}]`, `${dtype} [${shape.join(", ")}]`];
    return is === wanted ? [] : [`${name}: stored as ${is}, listed as ${wanted}`];
  });
}
