import { isTensor, toFloat32, type PtTensor, type PtValue } from "../../../runtime/files/pt/index.ts";
import { golden, type Case } from "../../case.ts";
import type { Checks } from "../../checks.ts";
import { compare } from "../../compare.ts";
import { storages } from "../../golden-batch.ts";
import { widen } from "../../widen.ts";

/**
 * Compares what a file holds with its description: `{tensor, stride, storage_offset, requires_grad}` for a tensor, whose values the
 * case stores under its dotted path; `{value, type}` for all else; a list of descriptions for a list or a tuple; an object of
 * descriptions for a dictionary. A list may also be the `value` or `items` of a description with its type, or stand in an object under
 * the type's name alone; numbers, texts, booleans and null may stand for themselves.
 */
export function checkValue(replayed: Case, checks: Checks, path: string, actual: PtValue, expected: unknown): void {
  const at = path || "the file";
  if (!isObject(expected)) {
    return Array.isArray(expected)
      ? checkList(replayed, checks, path, actual, expected)
      : checkPlain(checks, at, actual, expected);
  }
  if (isTensorDescription(expected)) return checkTensor(replayed, checks, path, actual, expected);
  const content = actual instanceof Map && !("value" in expected) ? null : contentOf(expected);
  if (content === null) return checkDictionary(replayed, checks, path, actual, expected);
  const type = kinds[content.type];
  if (type === undefined) return checks.fail(`${at}: no value is of the type ${content.type}`);
  if (!type(actual)) return checks.fail(`${at} is ${show(actual)}, expected the type ${content.type}`);
  checkValue(replayed, checks, path, actual, content.value);
}

/** Python's types. Lists and tuples are read as arrays, dictionaries as maps, whole numbers and others as numbers. */
const kinds: Readonly<Record<string, (value: PtValue) => boolean>> = {
  int: (value) => Number.isInteger(value) || typeof value === "bigint",
  float: (value) => typeof value === "number",
  bool: (value) => typeof value === "boolean",
  str: (value) => typeof value === "string",
  NoneType: (value) => value === null,
  list: Array.isArray,
  tuple: Array.isArray,
  dict: (value) => value instanceof Map,
  OrderedDict: (value) => value instanceof Map,
};

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

interface TensorDescription extends Fields {
  readonly tensor: { readonly dtype: string; readonly shape: readonly number[] };
}

const isTensorDescription = (value: Fields): value is TensorDescription =>
  isObject(value["tensor"]) && "dtype" in value["tensor"];

/** Of a description by type: the type and what is of it, `{type, value}` or `{list: [...]}`; null for a dictionary of descriptions. */
function contentOf({ type, ...rest }: Fields): { readonly type: string; readonly value: unknown } | null {
  const [name = "", ...others] = Object.keys(rest);
  if (others.length > 0) return null;
  if (typeof type === "string") return name === "value" || name === "items" ? { type, value: rest[name] } : null;
  return (name === "list" || name === "tuple") && Array.isArray(rest[name]) ? { type: name, value: rest[name] } : null;
}

function checkPlain(checks: Checks, at: string, actual: PtValue, expected: unknown): void {
  const plain = typeof actual === "bigint" ? Number(actual) : actual;
  if (plain !== expected) checks.fail(`${at} is ${show(actual)}, expected ${JSON.stringify(expected)}`);
}

function checkList(replayed: Case, checks: Checks, path: string, actual: PtValue, expected: readonly unknown[]): void {
  const at = path || "the file";
  if (!Array.isArray(actual)) return checks.fail(`${at} is ${show(actual)}, expected a list`);
  const found: readonly PtValue[] = actual;
  if (found.length !== expected.length) {
    checks.fail(`${at} has ${found.length} elements, expected ${expected.length}`);
  }
  expected
    .slice(0, found.length)
    .forEach((element, i) => checkValue(replayed, checks, below(path, String(i)), found[i] ?? null, element));
}

/** Keys are compared by their text, in their order. */
function checkDictionary(replayed: Case, checks: Checks, path: string, actual: PtValue, expected: Fields): void {
  const at = path || "the file";
  if (!(actual instanceof Map)) return checks.fail(`${at} is ${show(actual)}, expected a dictionary`);
  const entries = new Map(Array.from(actual as ReadonlyMap<PtValue, PtValue>, ([key, value]) => [String(key), value]));
  checks.same(`${at}: keys`, [...entries.keys()], Object.keys(expected));
  for (const [key, description] of Object.entries(expected)) {
    if (entries.has(key)) checkValue(replayed, checks, below(path, key), entries.get(key) ?? null, description);
  }
}

const below = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`);

/** The storage as it is, read by its strides, and what the project makes of it. */
function checkTensor(
  { tensors }: Case,
  checks: Checks,
  path: string,
  actual: PtValue,
  { tensor: { dtype, shape }, ...expected }: TensorDescription,
): void {
  const at = path || "the file";
  if (!isTensor(actual)) return checks.fail(`${at} is ${show(actual)}, expected a tensor`);
  const { stride, offset: storage_offset, requiresGrad: requires_grad } = actual;
  const is: Fields = { stride, storage_offset, requires_grad };
  for (const [key, value] of Object.entries(expected)) {
    if (key in is) checks.same(`${at}: ${key}`, is[key], value);
    else checks.fail(`${at}: no tensor has a ${key}`);
  }
  checks.same(`${at}: storage`, actual.storage, storages[dtype]);
  checks.same(`${at}: shape`, actual.shape, shape);
  checks.compare(path, { shape: actual.shape, data: stored(actual, dtype) }, "exact");
  const rounded = Float64Array.from(golden(tensors, path).data, Math.fround);
  const read = { shape: actual.shape, data: toFloat32(actual) };
  checks.fail(...compare(`${at}, as float32`, read, { shape, data: rounded }, "exact"));
}

/** The elements in row-major order. */
function stored({ shape, stride, offset, data }: PtTensor, dtype: string): Float64Array {
  const storage = widen(dtype, data.bytes);
  const count = shape.reduce((a, b) => a * b, 1);
  return Float64Array.from({ length: count }, (_, i) => {
    let [rest, at] = [i, offset];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis] ?? 1;
      at += (rest % size) * (stride[axis] ?? 0);
      rest = Math.floor(rest / size);
    }
    return storage[at] ?? NaN;
  });
}

/** For messages. */
function show(value: PtValue): string {
  if (isTensor(value)) return "a tensor";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Map) return "a dictionary";
  return typeof value === "bigint" ? String(value) : JSON.stringify(value);
}
