/** What `ltxc plan` says of a project and what `ltxc run` then takes, each in a process of its own, as a user would. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const ltxc = fileURLToPath(new URL("../dist/ltxc.mjs", import.meta.url));

/** What `ltxc --json` prints for a command, a line each. Throws where it fails. */
export function events(cwd: string, ...args: readonly string[]): Record<string, unknown>[] {
  const { stdout, stderr, status } = spawnSync(process.execPath, [ltxc, "--json", ...args], { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`ltxc ${args.join(" ")} failed:\n${stdout}${stderr}`);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

interface Foretold {
  readonly residentBytes: number;
  readonly secondsPerStep: number;
}

export function foretold(cwd: string, ...options: readonly string[]): Foretold {
  const [plan] = events(cwd, "plan", ...options);
  return plan as unknown as Foretold;
}

interface Taken {
  /** Of the median step behind the first two, of which one records the step and one the optimizer anew. */
  readonly seconds: number;
  readonly bytes: number;
}

export function taken(cwd: string, ...options: readonly string[]): Taken {
  const steps = events(cwd, "run", ...options).filter(({ type }) => type === "step");
  const times = steps.slice(2).map(({ secondsPerStep }) => secondsPerStep as number);
  const median = times.toSorted((a, b) => a - b)[times.length >> 1] ?? NaN;
  return { seconds: median, bytes: steps.at(-1)?.["peakMemoryBytes"] as number };
}
