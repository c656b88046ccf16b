import type { Finding } from "./contract.ts";

/**
 * Ends an operation because of something the user can mend: a broken file, a full disk, a loss that is not a number.
 * The command line prints its findings; any other exception is a bug of ours.
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
