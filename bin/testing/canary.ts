/** A project that imports code which leaves a trace when it runs, for tests of what commands run. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { ltxc, project } from "./testing.ts";

export interface CanaryProject {
  cwd: string;
  env: Record<string, string>;
}

/** Name of the global variable in which code of the project counts how often it has run. */
const canary = (cwd: string) => `canary of ${cwd}`;
const globals = globalThis as unknown as Record<string, number | undefined>;

/** How often code of the project has run since this was last asked. */
export function runs(cwd: string): number {
  const count = globals[canary(cwd)] ?? 0;
  delete globals[canary(cwd)];
  return count;
}

/** A statement that counts a run; `any` is a type cast where it stands in TypeScript. */
export function countRun(cwd: string, any = ""): string {
  const name = JSON.stringify(canary(cwd));
  return `(globalThis${any})[${name}] = ((globalThis${any})[${name}] ?? 0) + 1;\n`;
}

/** The example `edge_loss` with a canary in what it imports, and an empty list of what is trusted. */
export async function canaryProject(): Promise<CanaryProject> {
  const cwd = await project({ steps: 1, interval: 1 }, "edge_loss");
  const path = join(cwd, "edges.ts");
  await writeFile(path, countRun(cwd, " as any") + (await readFile(path, "utf8")));
  return { cwd, env: { XDG_CONFIG_HOME: join(cwd, "config") } };
}

/** Runs a command that must succeed, and tells whether code of the project ran. */
export async function ran({ cwd, env }: CanaryProject, ...args: readonly string[]): Promise<boolean> {
  const { code, out, err } = await ltxc(args, { cwd, env });
  assert.is(code, 0, `${args.join(" ")}\n${out}${err}`);
  return runs(cwd) > 0;
}
