import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { writeTextAtomically } from "../../runtime/files/index.ts";
import { FindingsError } from "../../runtime/findings.ts";
import { UsageError } from "./exit.ts";
import type { Io } from "./io.ts";

/** Replaces a file that the user named, as a whole or not at all; if it is a link, the linked file. Throws `UsageError` if that fails. */
export async function replaceText(io: Io, path: string, text: string): Promise<void> {
  const absolute = resolve(io.cwd, path);
  try {
    await writeTextAtomically(await realpath(absolute).catch(() => absolute), text);
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    const { message, help } = error.findings[0] ?? { message: `${path} cannot be written` };
    throw new UsageError(message, help);
  }
}
