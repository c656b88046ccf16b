import { serve } from "../lsp/server.ts";
import { exitCode } from "../shell/exit.ts";
import type { Session } from "../shell/session.ts";

/** `ltxc lsp`: serves an editor over stdin and stdout until it goes. */
export async function lsp({ io }: Session): Promise<number> {
  await serve(io, process.stdin, process.stdout);
  return exitCode.ok;
}
