/** What optimizers that compute on the engine have in common: what they remember, and which parameters are updated at once. */
import type { Ops, Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { freeMemory } from "../free-memory.ts";
import type { Gradients } from "./gradients.ts";
import { rateOf, type MomentKind, type Optimizer, type Rate, type StoredMoments } from "./optimizer.ts";

/** A parameter that is updated. `kept` are its moments, in the order of the rule's kinds. */
export interface Entry {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly kept: readonly Tensor[];
}

/** What parameters that are updated alike have in common. */
export interface Alike {
  /** Updates with this one. */
  readonly t: number;
  readonly rate: number;
  /** The weight decay. */
  readonly decay: number;
}

/** How an optimizer updates parameters. */
export interface Rule {
  /** `start`, which no update changes, stands last. */
  readonly kinds: readonly MomentKind[];
  /** How many scalars `update` returns on top, which are summed over all parameters for `told`; none if not given. */
  readonly sums?: number;
  /**
   * The new parameters, then for each kind but `start` the new moments, then the scalars. `name` gives an input its name: it stays the same from
   * update to update, since a recording engine goes by it.
   */
  update(
    entries: readonly Entry[],
    alike: Alike,
    given: { readonly factor: Tensor | null; name(input: string): string },
  ): readonly Tensor[];
  told?(sums: readonly number[]): void;
}

/** β mean + (1 - β) x */
export const mix = (ops: Ops, mean: Tensor, x: Tensor, beta: number): Tensor =>
  ops.add(ops.mul(mean, beta), ops.mul(x, 1 - beta));

/** A scalar of an update, rounded from double precision, under a name that stays the same from update to update. */
export const scalarInput = (ops: Ops, name: string, x: number): Tensor =>
  ops.input(name, { shape: [], dtype: "float32", data: Float32Array.of(x) });

/** Scalars as one vector. */
export const inOne = (ops: Ops, scalars: readonly Tensor[]): Tensor =>
  ops.concat(
    scalars.map((x) => ops.reshape(x, [1])),
    0,
  );

interface Moments {
  readonly t: number;
  readonly kept: readonly Tensor[];
}

/**
 * A group is updated at once, so that an engine that records makes one graph of it; old and new values are there together. So many groups
 * there may be before they grow, within these numbers of elements.
 */
const [GROUPS, FEWEST, MOST] = [32, 2 ** 20, 2 ** 24];

/** An optimizer that updates by `rule`; `decays` has the weight decay of each parameter. */
export function createOnEngine(engine: Engine, decays: readonly number[], rule: Rule): Optimizer {
  const moments: (Moments | null)[] = decays.map(() => null);
  const changing = rule.kinds.filter((kind) => kind !== "start").length;
  const forget = (i: number) => {
    engine.dispose(...(moments[i]?.kept ?? []));
    moments[i] = null;
  };
  return {
    kinds: rule.kinds,
    async update(parameters, gradients, rate, factor) {
      const updated = [...parameters];
      const scalars: Tensor[] = [];
      for (const group of inGroups(parameters, (i) => (gradients[i] ?? null) !== null)) {
        // The first update computes what all others do, for an engine that records.
        for (const i of group) moments[i] ??= await fresh(engine, parameters[i] as Tensor, rule.kinds);
        const parts = partsOf(group, moments, rate, decays);
        const entry = (i: number) => entryOf(parameters, gradients, moments, i);
        const made = engine.tidy(() =>
          parts.map(({ members, ...alike }, nth) =>
            rule.update(members.map(entry), alike, { factor, name: (input) => `${input}.${nth}` }),
          ),
        );
        parts.forEach(({ members, t }, part) => {
          const lists = made[part] ?? [];
          const at = (list: number, k: number) => lists[list * members.length + k] as Tensor;
          members.forEach((i, k) => {
            const old = moments[i]?.kept ?? [];
            engine.dispose(...old.slice(0, changing));
            const made = old.slice(0, changing).map((_, kind) => at(kind + 1, k));
            moments[i] = { t, kept: [...made, ...old.slice(changing)] };
            engine.dispose(parameters[i] ?? null);
            updated[i] = at(0, k);
          });
          scalars.push(...lists.slice((changing + 1) * members.length));
        });
      }
      rule.told?.(await sumsOf(engine, scalars, rule.sums ?? 0));
      return updated;
    },
    save: () => Promise.all(moments.map((entry) => (entry === null ? null : store(engine, entry, rule.kinds)))),
    restore(stored) {
      stored.forEach((entry, i) => {
        forget(i);
        moments[i] = entry === null ? null : { t: entry.t, kept: restored(engine, entry, rule.kinds) };
      });
    },
    dispose: () => moments.forEach((_, i) => forget(i)),
  };
}

async function copyOf(engine: Engine, x: Tensor): Promise<Tensor> {
  const value = await engine.read(x);
  const copy = engine.keep(value);
  freeMemory(value.data);
  return copy;
}

const sizeOf = ({ shape }: Tensor): number => shape.reduce((a, b) => a * b, 1);

/** What is remembered of a parameter before its first update: means and sums of nothing yet. */
async function fresh(engine: Engine, parameter: Tensor, kinds: readonly MomentKind[]): Promise<Moments> {
  const kept: Tensor[] = [];
  for (const kind of kinds) {
    kept.push(kind === "start" ? await copyOf(engine, parameter) : engine.zeros(parameter.shape));
  }
  return { t: 0, kept };
}

/**
 * The places of tensors, of all or of those that are chosen, in groups of a limited number of elements. Of tensors of one shape as many as
 * fit make a group, again and again, for which an engine that records needs one graph; what is left over comes together.
 */
export function inGroups(parameters: readonly Tensor[], isChosen: (i: number) => boolean = () => true): number[][] {
  const elementsOf = (i: number) => sizeOf(parameters[i] as Tensor);
  const all = parameters.reduce((sum, _, i) => sum + (isChosen(i) ? elementsOf(i) : 0), 0);
  const most = Math.min(MOST, Math.max(FEWEST, Math.floor(all / GROUPS)));
  const alike = new Map<string, number[]>();
  parameters.forEach(({ shape }, i) => {
    if (!isChosen(i)) return;
    const places = alike.get(shape.join()) ?? [];
    alike.set(shape.join(), places);
    places.push(i);
  });
  const groups: number[][] = [];
  const left: number[] = [];
  for (const places of alike.values()) {
    const size = Math.max(1, Math.floor(most / elementsOf(places[0] as number)));
    const whole = places.length - (places.length % size);
    for (let i = 0; i < whole; i += size) groups.push(places.slice(i, i + size));
    left.push(...places.slice(whole));
  }
  left.sort((a, b) => a - b);
  return [...groups, ...inOrder(left, elementsOf, most)];
}

/** Places one after the other, as many to a group as fit. */
function inOrder(places: readonly number[], elementsOf: (i: number) => number, most: number): number[][] {
  const groups: number[][] = [];
  let room = 0;
  for (const i of places) {
    if (room < elementsOf(i)) {
      groups.push([]);
      room = most;
    }
    room -= elementsOf(i);
    groups.at(-1)?.push(i);
  }
  return groups;
}

/** Parameters of a group, by what they have in common. */
function partsOf(
  group: readonly number[],
  moments: readonly (Moments | null)[],
  rates: Rate,
  decays: readonly number[],
): readonly (Alike & { readonly members: readonly number[] })[] {
  const parts = new Map<string, Alike & { readonly members: number[] }>();
  for (const i of group) {
    const alike = { t: (moments[i]?.t ?? 0) + 1, rate: rateOf(rates, i), decay: decays[i] ?? NaN };
    const key = JSON.stringify(alike);
    const part = parts.get(key) ?? { ...alike, members: [] };
    part.members.push(i);
    parts.set(key, part);
  }
  return [...parts.values()];
}

function entryOf(
  parameters: readonly Tensor[],
  gradients: Gradients,
  moments: readonly (Moments | null)[],
  i: number,
): Entry {
  const [parameter, gradient, last] = [parameters[i], gradients[i], moments[i]];
  if (parameter === undefined || !gradient || !last) throw new Error(`parameter ${i} has no gradient`);
  return { parameter, gradient, kept: last.kept };
}

/** Reads scalars back at once: `count` of each part, summed over the parts in double precision. */
async function sumsOf(engine: Engine, scalars: readonly Tensor[], count: number): Promise<readonly number[]> {
  const sums = Array.from({ length: count }, () => 0);
  if (scalars.length === 0) return sums;
  const together = engine.tidy(() => inOne(engine.ops, scalars));
  const { data } = await engine.read(together);
  engine.dispose(together, ...scalars);
  for (const [i, x] of data.entries()) sums[i % count] = (sums[i % count] ?? 0) + x;
  return sums;
}

async function store(engine: Engine, { t, kept }: Moments, kinds: readonly MomentKind[]): Promise<StoredMoments> {
  const values = await Promise.all(kept.map((x) => engine.read(x)));
  return { t, ...Object.fromEntries(kinds.map((kind, i) => [kind, values[i]])) };
}

function restored(engine: Engine, stored: StoredMoments, kinds: readonly MomentKind[]): readonly Tensor[] {
  return kinds.map((kind) => {
    const value = stored[kind];
    if (value === undefined) throw new Error(`stored moments without ${kind}`);
    return engine.keep(value);
  });
}
