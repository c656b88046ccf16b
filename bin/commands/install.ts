import { cudaPlatform, fetchCuda, tryCuda } from "../../runtime/index.ts";
import { exitCode } from "../shell/exit.ts";
import { say, sayJson, type Session } from "../shell/session.ts";

/** What can be installed in addition to what npm brings. */
export type Installable = "cuda";

/**
 * `ltxc install cuda`: fetches what ONNX Runtime needs to compute on an NVIDIA GPU into ONNX Runtime's package, then tries it.
 * Exit code 1 if it cannot be fetched or used.
 */
export async function install(session: Session, what: Installable): Promise<number> {
  const here = `${process.platform}/${process.arch}`;
  if (here !== cudaPlatform)
    return end(session, what, `the CUDA provider exists for ${cudaPlatform} only, this is ${here}`);
  say(session, "fetching the CUDA provider of ONNX Runtime from nuget.org (some hundred MB) …");
  const failure = await fetchCuda();
  if (failure !== null) return end(session, what, `it could not be fetched: ${failure}`);
  const problem = await tryCuda();
  return end(session, what, problem === null ? null : `it is installed, but cannot be used yet: ${problem}`);
}

function end(session: Session, what: Installable, problem: string | null): number {
  if (session.json) sayJson(session, { provider: what, works: problem === null, reason: problem });
  else if (problem === null) session.io.out("CUDA works: `runtime.engine: auto` uses it from now on\n");
  else session.io.err(`${problem}\n`);
  return problem === null ? exitCode.ok : exitCode.findings;
}
