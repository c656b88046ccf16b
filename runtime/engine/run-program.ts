import { spawn } from "node:child_process";

/** Characters of a program's output that are kept. */
const MOST_SAID = 4096;

/** Runs a program without a shell. Resolves to why it failed, in words for the user; null if it did not. */
export function runProgram(command: string, args: readonly string[], env = process.env): Promise<string | null> {
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text: Buffer) => (said = (said + text.toString()).slice(-MOST_SAID)));
  return new Promise((resolve) => {
    child.on("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code === "ENOENT" ? `there is no \`${command}\` here` : error.message),
    );
    child.on("close", (code, signal) =>
      resolve(code === 0 ? null : reasonIn(said) || `${command} ended with ${code ?? signal}`),
    );
  });
}

/** pip's errors say so; of a compiler's the first one counts; venv's are several sentences at the end. */
function reasonIn(said: string): string {
  const lines = said.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
  const ofPip = lines.filter((line) => line.startsWith("ERROR:"));
  if (ofPip.length > 0) return ofPip.slice(-3).join(" ");
  return lines.find((line) => /error/i.test(line)) ?? lines.slice(-3).join(" ");
}
