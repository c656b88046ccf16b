/** Runs one Python script of this folder and reads what it found. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface CheckResult {
  readonly name: string;
  /** Why it failed; none if it passed. */
  readonly reasons: readonly string[];
}

const here = fileURLToPath(new URL(".", import.meta.url));

/**
 * What `script` says with `args`: one result a line, see report.py. A script that fails, or says nothing, is a failure of its own.
 * @param env added to this process's own variables
 */
export async function runChecks(
  python: string,
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly CheckResult[]> {
  const child = spawn(python, [`${here}${script}`, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    // Its compiled form would be left behind in the repository.
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1", ...env },
  });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const status = await new Promise((done) => child.once("close", done).once("error", done));
  const results = resultsIn(stdout());
  if (status === 0 && results.length > 0) return results;
  const reason = `${script} ${status === 0 ? "checked nothing" : `ended with ${String(status)}`}\n${stderr()}`;
  return [...results, { name: script, reasons: [reason] }];
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  return () => text;
}

/** Other lines are what libraries print. */
function resultsIn(text: string): CheckResult[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith('{"name"'))
    .map((line) => JSON.parse(line) as CheckResult);
}
