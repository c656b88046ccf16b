import type { StorageType } from "../contract.ts";
import { fail, DATA_ROOT } from "../findings.ts";
import { isTensor, readDescription, toFloat32, withPt, type PtTensor, type PtValue } from "../files/pt/index.ts";

/** A tensor of a data file, contiguous and row-major. */
export interface FileTensor {
  readonly shape: readonly number[];
  /** How the file stores it; `values` are widened, or rounded if float32 can not hold them. */
  readonly storage: StorageType;
  readonly values: Float32Array;
}

/** The named entries of a data file; every complaint names the file. */
export interface Entries {
  has(key: string): boolean;
  /** Errors: FindingsError LTX6130 (missing), LTX6131 (no tensor), LTX6133 (without a value), LTX6152 (not all finite). */
  tensor(key: string): FileTensor;
  /** A number, also one that is stored as a tensor; null where the file has none. Errors: FindingsError LTX6131. */
  number(key: string): number | null;
  fail(code: string, message: string, help?: string): never;
}

/**
 * Reads the entries of a `.pt` file, which are there until `use` has returned; the tensors that it took stay.
 * Errors: FindingsError LTX61xx of `readPt`, LTX6131 if the file is no mapping.
 */
export function withEntries<Result>(path: string, use: (entries: Entries) => Result): Promise<Result> {
  return withPt(path, (value) => use(entriesOf(path, value)));
}

/** Leaves a description that does not tell what is asked of it. */
const untold = Symbol("untold");

/** Elements above which a description is not believed. */
const MOST_ELEMENTS = 2 ** 28;

/** Zeros for the tensor's contents. */
const blank: Contents = {
  values({ shape }) {
    const elements = shape.reduce((a, b) => a * b, 1);
    if (elements > MOST_ELEMENTS) throw untold;
    return new Float32Array(elements);
  },
  single() {
    throw untold;
  },
};

/**
 * Like `withEntries`, but from the file's first bytes where they are enough: tensors have their shapes, and zeros for contents.
 * Errors: those of `withEntries`; what is wrong behind the first bytes is not noticed.
 */
export async function withDescription<Result>(path: string, use: (entries: Entries) => Result): Promise<Result> {
  const described = await readDescription(path);
  try {
    if (described !== null) return use(entriesOf(path, described, blank));
  } catch (error) {
    if (error !== untold) throw error;
  }
  return withEntries(path, use);
}

/** How the numbers of tensors are got. */
interface Contents {
  values(tensor: PtTensor): Float32Array;
  /** Of a tensor that stands for a number. */
  single(tensor: PtTensor): Float32Array;
}

const stored: Contents = { values: toFloat32, single: toFloat32 };

/** The entries of `content`, read from the file `path`. */
export function entriesOf(path: string, content: PtValue, { values: valuesOf, single }: Contents = stored): Entries {
  const refuse = (code: string, message: string, help?: string): never =>
    fail(code, `${path}: ${message}`, help, DATA_ROOT);
  if (!(content instanceof Map)) {
    return refuse("LTX6131", `the file holds ${describe(content)}, expected named entries`, "save a dictionary");
  }
  const entries: ReadonlyMap<PtValue, PtValue> = content;
  return {
    has: (key) => entries.has(key),
    tensor(key) {
      const value = entries.get(key);
      if (value === undefined) {
        const present = [...entries.keys()].map((name) => `\`${String(name)}\``).join(", ") || "nothing";
        return refuse("LTX6130", `\`${key}\` is missing; the file has ${present}`, "check the source's `kind`");
      }
      if (!isTensor(value)) return refuse("LTX6131", `\`${key}\` is ${describe(value)}, expected a tensor`);
      const values = valuesOf(value);
      const again = "preprocess the sample again";
      const shape = value.shape.join(", ");
      if (values.length === 0) return refuse("LTX6133", `\`${key}\` [${shape}] holds no value`, again);
      if (isFinite(values)) return { shape: value.shape, storage: value.storage, values };
      const { count, first } = notFinite(values);
      const which = `${count} of the ${values.length} numbers are NaN or infinite, first number ${first} in memory order`;
      return refuse("LTX6152", `\`${key}\` [${shape}]: ${which}`, again);
    },
    number(key) {
      const value = entries.get(key);
      if (value === undefined) return null;
      if (typeof value === "number" || typeof value === "bigint") return Number(value);
      const [number, ...more] = isTensor(value) ? single(value) : [];
      if (number !== undefined && more.length === 0) return number;
      return refuse("LTX6131", `\`${key}\` is ${describe(value)}, expected a number`);
    },
    fail: refuse,
  };
}

/** Whether no number is NaN or infinite: these less themselves are NaN. Four sums, so that none has to wait for the one before. */
function isFinite(values: Float32Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0];
  const at = (i: number): number => values[i] as number;
  const end = values.length - (values.length % 4);
  for (let i = 0; i < end; i += 4) {
    a += at(i) - at(i);
    b += at(i + 1) - at(i + 1);
    c += at(i + 2) - at(i + 2);
    d += at(i + 3) - at(i + 3);
  }
  for (let i = end; i < values.length; i++) a += at(i) - at(i);
  return a + b + c + d === 0;
}

function notFinite(values: Float32Array): { readonly count: number; readonly first: number } {
  const bad = (x: number) => !Number.isFinite(x);
  return { count: values.reduce((count, x) => count + (bad(x) ? 1 : 0), 0), first: values.findIndex(bad) };
}

function describe(value: PtValue): string {
  if (value === null) return "nothing (None)";
  if (isTensor(value)) return `a tensor [${value.shape.join(", ")}]`;
  if (Array.isArray(value)) return "a list";
  return value instanceof Map ? "a dictionary" : `the ${typeof value} ${JSON.stringify(String(value))}`;
}
