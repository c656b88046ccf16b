/**
 * Something wrong in a run config, a data file or a checkpoint, as plain data. `path` is the setting in the run config that the user
 * must change or that named the file (keys and indices from the top); the command line shows its line.
 */
export interface Finding {
  /** e.g. LTX6001, from the catalog of codes. */
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly help?: string;
  /** The known word that was probably meant by the key (LTX6001) or by the value. */
  readonly near?: string;
  /** The key that is not there below `path` (LTX6004). */
  readonly missing?: string;
  /** The value is text as it is written, which YAML reads as something else without quotes. */
  readonly asText?: true;
  /** Changes of the run config that are certain to mend it. */
  readonly rewrites?: readonly Rewrite[];
}

/** Keys and values to write in place of the key at `path`; with none, the key is removed. */
export interface Rewrite {
  readonly path: Finding["path"];
  readonly entries: Readonly<Record<string, unknown>>;
  /** Where the section has no such key, they are added to it. */
  readonly orAdd?: true;
}

/** The setting that findings about data files point at. */
export const DATA_ROOT: Finding["path"] = ["data", "preprocessed_data_root"];

/**
 * Ends an operation because of something the user can fix: a broken file, a full disk, a loss that is not a number.
 * The command line prints its findings; any other exception is a bug in this program.
 */
export class FindingsError extends Error {
  readonly findings: readonly Finding[];

  constructor(findings: readonly Finding[]) {
    super(findings.map((finding) => `${finding.code}: ${finding.message}`).join("\n"));
    this.findings = findings;
    this.name = "FindingsError";
  }
}

/** Throws a single error finding. */
export function fail(code: string, message: string, help?: string, path: Finding["path"] = []): never {
  throw new FindingsError([{ code, severity: "error", path, message, ...(help === undefined ? {} : { help }) }]);
}

/**
 * Runs checks that do not depend on each other; returns their results.
 * @throws FindingsError with the findings of all of them, if one fails
 */
export async function together<Checks extends readonly (() => unknown)[]>(
  checks: readonly [...Checks],
): Promise<{ [K in keyof Checks]: Awaited<ReturnType<Checks[K]>> }> {
  const findings: Finding[] = [];
  const results: unknown[] = [];
  for (const check of checks) {
    try {
      results.push(await check());
    } catch (error) {
      if (!(error instanceof FindingsError)) throw error;
      findings.push(...error.findings);
    }
  }
  if (findings.length > 0) throw new FindingsError(findings);
  return results as { [K in keyof Checks]: Awaited<ReturnType<Checks[K]>> };
}
