/** Exit codes of the process. */
export const exitCode = { ok: 0, findings: 1, usage: 2, internal: 70, interrupted: 130 } as const;

/** The command line itself is wrong: a file that is not there, options that exclude each other. Printed without a stack, exit code 2. */
export class UsageError extends Error {
  readonly help: string | null;

  constructor(message: string, help: string | null = null) {
    super(message);
    this.name = "UsageError";
    this.help = help;
  }
}
