import { spawn } from "node:child_process";

/** Runs a program without a shell. Resolves to the last line that it wrote to stderr, if it fails; else to null. */
export function runProgram(command: string, args: readonly string[]): Promise<string | null> {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (text: Buffer) => (said = (said + text.toString()).slice(-4096)));
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => {
      const lines = said.split("\n").filter((line) => line.trim() !== "");
      // Of several lines the first one with an error says more than the last.
      const reason = lines.find((line) => /error/i.test(line)) ?? lines.at(-1);
      resolve(code === 0 ? null : (reason?.trim() ?? `${command} ended with ${code ?? signal}`));
    });
  });
}
