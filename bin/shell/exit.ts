/** Exit codes of the process. */
export const exitCode = { ok: 0, findings: 1, usage: 2, internal: 70, interrupted: 130 } as const;

/** The command line itself is wrong: a file that is not there, options that exclude each other. Printed without a stack, exit code 2. */
export class UsageError extends Error {
  /** What to do; as a function where more has to be loaded to say it. */
  readonly help: string | null | (() => Promise<string>);

  constructor(message: string, help: UsageError["help"] = null) {
    super(message);
    this.name = "UsageError";
    this.help = help;
  }
}
