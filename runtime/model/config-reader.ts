import type { Finding } from "../findings.ts";

/** A section of the checkpoint's configuration, as JSON. */
export type ConfigSection = Readonly<Record<string, unknown>>;

/**
 * Reads typed values from the checkpoint's configuration and collects what is wrong with it, so that everything is reported at once.
 * A read that fails gives a harmless value of its type; the caller must look at `findings` before it uses any.
 */
export interface ConfigReader {
  readonly findings: Finding[];
  has(key: string): boolean;
  equals(key: string, value: string): boolean;
  integer(key: string, fallback?: number): number;
  number(key: string, fallback: number): number;
  boolean(key: string, fallback: boolean): boolean;
  numbers(key: string, fallback: readonly number[]): readonly number[];
  choice<T extends string>(key: string, choices: readonly T[], fallback: T): T;
  /** Demands that a key has one certain value; an absent key counts as null. */
  fixed(key: string, expected: unknown): void;
}

/** `path` is the place in the run config that named the checkpoint. */
export function createConfigReader(section: ConfigSection, path: Finding["path"]): ConfigReader {
  const findings: Finding[] = [];
  const refuse = (code: string, message: string, help: string) => {
    // A key may be read in two places.
    if (findings.some((finding) => finding.message === message)) return;
    findings.push({ code, severity: "error", path, message, help });
  };
  const read = <T>(
    key: string,
    fallback: T | undefined,
    harmless: T,
    expected: string,
    accept: (x: unknown) => T | null,
  ) => {
    const found = section[key];
    if (found === undefined && fallback !== undefined) return fallback;
    if (found === undefined) {
      refuse("LTX6202", `the checkpoint's config lacks \`${key}\`, which has no default`, missingHelp);
      return harmless;
    }
    const value = accept(found);
    if (value !== null) return value;
    refuse("LTX6203", `the checkpoint's config has ${key} = ${show(found)}, expected ${expected}`, editHelp);
    return harmless;
  };
  return {
    findings,
    has: (key) => section[key] !== undefined,
    equals: (key, value) => section[key] === value,
    integer: (key, fallback) => read(key, fallback, 1, "a positive whole number", (x) => (isCount(x) ? x : null)),
    number: (key, fallback) => read(key, fallback, 1, "a number above 0", (x) => (isPositive(x) ? x : null)),
    boolean: (key, fallback) => read(key, fallback, false, "true or false", asBoolean),
    numbers: (key, fallback) =>
      read(key, fallback, fallback, `${fallback.length} numbers above 0`, (x) =>
        Array.isArray(x) && x.length === fallback.length && x.every(isPositive) ? x : null,
      ),
    choice: (key, choices, fallback) =>
      read(
        key,
        fallback,
        fallback,
        choices.map((c) => `"${c}"`).join(" or "),
        (x) => choices.find((c) => c === x) ?? null,
      ),
    fixed: (key, expected) => {
      const found = section[key] ?? null;
      if (sameValue(found, expected)) return;
      refuse("LTX6201", `the checkpoint's config has ${key} = ${show(found)}, expected ${show(expected)}`, fixedHelp);
    },
  };
}

const missingHelp = "the file is not a complete LTX-2 checkpoint; download it again or name another one";
const editHelp = "the file's metadata was damaged or written by hand; name an LTX-2 checkpoint as it was published";
const fixedHelp = "ltxc implements the LTX-2 transformer with this one value; name an LTX-2 checkpoint";

function show(value: unknown): string {
  return value === null ? "nothing" : JSON.stringify(value);
}

/** Numbers and booleans compare by their numeric value, as in the language that writes these files. */
function sameValue(a: unknown, b: unknown): boolean {
  return plain(a) === plain(b);
}

function plain(x: unknown): unknown {
  return typeof x === "boolean" ? Number(x) : x;
}

function isPositive(x: unknown): x is number {
  return typeof x === "number" && Number.isFinite(x) && x > 0;
}

function isCount(x: unknown): x is number {
  return isPositive(x) && Number.isInteger(x);
}

function asBoolean(x: unknown): boolean | null {
  if (x === null) return false;
  return typeof x === "boolean" ? x : x === 0 || x === 1 ? x === 1 : null;
}
