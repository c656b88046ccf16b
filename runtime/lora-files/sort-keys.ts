import type { SafetensorsFile } from "../files/safetensors/index.ts";
import { FindingsError, type Finding } from "../findings.ts";
import { readKey, type Part, type Scheme } from "./keys.ts";
import { some } from "../some.ts";

/** The tensors of one adapter, and its sizes. */
export interface Pair {
  readonly module: string;
  readonly a: string;
  readonly b: string;
  readonly alpha: string | null;
  readonly rank: number;
  readonly inputs: number;
  readonly outputs: number;
}

export interface SortedKeys {
  readonly scheme: Scheme;
  /** In the order of the file. */
  readonly pairs: readonly Pair[];
  readonly warnings: readonly Finding[];
}

type Parts = Partial<Record<Part, string>>;

interface Sorting {
  scheme: Scheme | null;
  readonly modules: Map<string, Parts>;
  /** Further tensors for a part that a module already has. */
  readonly twice: string[];
  readonly methods: Map<string, string[]>;
  readonly otherModels: string[];
  readonly unknown: string[];
}

/**
 * Sorts a file's tensors by the layers that they belong to.
 * @throws FindingsError LTX6360, LTX6364 or LTX6366, one for each kind of fault
 */
export function sortKeys(file: SafetensorsFile, place: Finding["path"], own?: ReadonlySet<string>): SortedKeys {
  const sorting: Sorting = {
    scheme: null,
    modules: new Map(),
    twice: [],
    methods: new Map(),
    otherModels: [],
    unknown: [],
  };
  for (const key of file.tensors.keys()) sortKey(sorting, key, own);
  const { scheme, modules, otherModels, unknown } = sorting;
  const pairs = [...modules].map(([module, parts]) => pairOf(file, module, parts));
  const whole = pairs.flatMap((pair) => (typeof pair === "string" ? [] : [pair]));
  const halves = pairs.flatMap((pair) => (typeof pair === "string" ? [pair] : []));
  const errors = [...ofMethods(sorting), ...ofHalves(halves), ...ofTwice(sorting.twice)];
  if (errors.length === 0 && whole.length === 0) errors.push(nothing(unknown, otherModels));
  if (errors.length > 0 || scheme === null) {
    throw new FindingsError(
      errors.map(([code, what, help]) => finding("error", place, code, `${file.path} ${what}`, help)),
    );
  }
  const warn = (what: string, help: string) => finding("warning", place, "LTX6365", `${file.path} ${what}`, help);
  return {
    scheme,
    pairs: whole,
    warnings: [
      ...(otherModels.length === 0 ? [] : [warn(...ofOthers(otherModels))]),
      ...(unknown.length === 0 ? [] : [warn(...ofUnknown(unknown))]),
    ],
  };
}

function sortKey(sorting: Sorting, key: string, own?: ReadonlySet<string>): void {
  const read = readKey(key, own);
  switch (read.kind) {
    case "adapter": {
      // Alphas are named alike by all.
      if (read.part !== "alpha") sorting.scheme ??= read.scheme;
      const parts = sorting.modules.get(read.module) ?? {};
      if (parts[read.part] !== undefined) sorting.twice.push(key);
      parts[read.part] ??= key;
      sorting.modules.set(read.module, parts);
      return;
    }
    case "other-method":
      sorting.methods.set(read.what, [...(sorting.methods.get(read.what) ?? []), key]);
      return;
    case "other-model":
      sorting.otherModels.push(key);
      return;
    case "unknown":
      sorting.unknown.push(key);
  }
}

/** The pair, or the name of what stands without its other half. */
function pairOf(file: SafetensorsFile, module: string, { a, b, alpha = undefined }: Parts): Pair | string {
  if (a === undefined || b === undefined) return a ?? b ?? alpha ?? module;
  const [ofA, ofB] = [matrixOf(file, a), matrixOf(file, b)];
  if (ofA === null || ofB === null || ofA[0] !== ofB[1]) return a;
  const [rank, inputs] = ofA;
  return { module, a, b, alpha: alpha ?? null, rank, inputs, outputs: ofB[0] };
}

/** Rows and columns; the kernel of a 1 x 1 convolution is a matrix as well. Null for other shapes. */
function matrixOf(file: SafetensorsFile, name: string): readonly [number, number] | null {
  const [rows = 0, columns = 0, ...kernel] = file.tensors.get(name)?.shape ?? [];
  return rows > 0 && columns > 0 && kernel.every((size) => size === 1) ? [rows, columns] : null;
}

type Fault = readonly [code: string, what: string, help: string];

function ofMethods({ methods }: Sorting): Fault[] {
  if (methods.size === 0) return [];
  const what = [...methods].map(([name, keys]) => `${name} (${some(keys)})`).join("; ");
  const help = "take a plain LoRA; the program that made this one may be able to save it as such";
  return [["LTX6360", `is not a plain LoRA: it has ${what}. Without these tensors it would mean other weights`, help]];
}

function ofHalves(halves: readonly string[]): Fault[] {
  if (halves.length === 0) return [];
  const help = "write the file again with the program that made it: A is [rank, inputs] and B [outputs, rank]";
  return [["LTX6364", `has tensors without a second half that fits: ${some(halves)}`, help]];
}

function ofTwice(twice: readonly string[]): Fault[] {
  if (twice.length === 0) return [];
  const help = "save one adapter in each file, or merge them first with the program that made them";
  return [["LTX6364", `has more than one adapter for the same layer: ${some(twice)}`, help]];
}

function nothing(unknown: readonly string[], otherModels: readonly string[]): Fault {
  const help = "take a LoRA of LTX-2's transformer; its layers are called like `transformer_blocks.0.attn1.to_q`";
  const names = [...unknown, ...otherModels];
  return [
    "LTX6366",
    `has no adapter of an LTX-2 transformer${names.length === 0 ? "" : `, only ${some(names)}`}`,
    help,
  ];
}

function ofOthers(names: readonly string[]): readonly [string, string] {
  const count = names.length === 1 ? "1 tensor" : `${names.length} tensors`;
  const what = `has ${count} of a text encoder or another model, which ltxc does not train: ${some(names)}`;
  return [what, "nothing, if that part of the LoRA may be lost"];
}

function ofUnknown(names: readonly string[]): readonly [string, string] {
  const count = names.length === 1 ? "1 tensor that belongs" : `${names.length} tensors that belong`;
  return [
    `has ${count} to no layer of LTX-2, and leaves them out: ${some(names)}`,
    "see whether it is a LoRA of LTX-2",
  ];
}

function finding(
  severity: Finding["severity"],
  path: Finding["path"],
  code: string,
  message: string,
  help: string,
): Finding {
  return { code, severity, path, message, help };
}
