import { spawn } from "node:child_process";
import { join } from "node:path";
import { startDevice } from "../../runtime/engine/onnx/device.ts";
import { providerNeeds, runtimeFolder } from "../../runtime/engine/onnx/provider.ts";
import { exitCode } from "../shell/exit.ts";
import { say, sayJson, type Session } from "../shell/session.ts";

/** What can be installed beside what npm brings. */
export type Installable = "cuda";

/** The only one for which the provider is published. */
const platform = "linux/x64";

/**
 * `ltxc install cuda`: fetches what ONNX Runtime needs to compute on an NVIDIA GPU, by the runtime's own script, into its package;
 * then tries it. Exit code 1 where it can not be fetched or used.
 */
export async function install(session: Session, what: Installable): Promise<number> {
  const here = `${process.platform}/${process.arch}`;
  if (here !== platform) return end(session, what, `the CUDA provider exists for ${platform} only, this is ${here}`);
  say(session, "fetching the CUDA provider of ONNX Runtime from nuget.org (some hundred MB) …");
  const failure = await runScript();
  if (failure !== null) return end(session, what, `it could not be fetched: ${failure}`);
  try {
    await startDevice({ provider: "cuda" });
    return end(session, what, null);
  } catch (error) {
    const reason = (error as Error).message.split("\n")[0];
    return end(session, what, `it is installed, but can not be used yet: ${reason} (it needs ${providerNeeds[what]})`);
  }
}

function end(session: Session, what: Installable, problem: string | null): number {
  if (session.json) sayJson(session, { provider: what, works: problem === null, reason: problem });
  else if (problem === null) session.io.out("CUDA works: `runtime.engine: auto` takes it from now on\n");
  else session.io.err(`${problem}\n`);
  return problem === null ? exitCode.ok : exitCode.findings;
}

/** What the script says is wrong, in a line; null if it did its work. */
function runScript(): Promise<string | null> {
  const args = [join(runtimeFolder(), "script/install.js"), "--onnxruntime-node-install=cuda12"];
  const script = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  script.stderr.on("data", (text: Buffer) => (said += text.toString()));
  return new Promise((resolve) => {
    script.on("error", (error) => resolve(error.message));
    script.on("close", (code) => {
      const reason = /^(?:\w*Error: )(.*)$/m.exec(said)?.[1];
      resolve(code === 0 ? null : (reason ?? `the script ended with ${code}`));
    });
  });
}
