/** Inputs that a run stops at or warns of, each as a change of a sound project. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ltxc, project } from "../testing.ts";

export interface BrokenInput {
  readonly name: string;
  /** Breaks the project in `cwd`. */
  readonly arrange: (cwd: string) => Promise<unknown>;
  /** What `check` says where a run, or `compile` before it, says something else. */
  readonly says?: string;
  /** The run meets it only when it reads the file. */
  readonly isMetLater?: true;
  /** An error of the run is a warning of `check`, since `ltxc run --new` would train. */
  readonly isMild?: true;
  /** Leaves it whole again, where others would suffer. */
  readonly after?: () => Promise<unknown>;
}

/** A compiled project of four steps, a whole epoch, and with a finished run of two steps in `trained/`. */
export async function soundProject(): Promise<string> {
  const cwd = await project({ steps: 4 });
  const { code, err } = await ltxc(["run", "--set", "optimization.steps=2", "--set", "output_dir=trained"], { cwd });
  if (code !== 0) throw new Error(err);
  return cwd;
}

/** Replaces text in a file of the project. */
export const replace =
  (file: string, from: string | RegExp, to: string) =>
  async (cwd: string): Promise<void> => {
    const text = await readFile(join(cwd, file), "utf8");
    const changed = text.replace(from, to);
    if (changed === text) throw new Error(`${file} has no ${from}`);
    await writeFile(join(cwd, file), changed);
  };

/** Writes lines below a section of train.yaml, which may be a new one. */
export const setting =
  (section: string, ...lines: readonly string[]) =>
  async (cwd: string): Promise<void> => {
    const path = join(cwd, "train.yaml");
    const text = await readFile(path, "utf8");
    const keys = lines.map((line) => line.split(":")[0]);
    const below = new RegExp(`^${section}:\n((?:(?: .*|)\n)*)`, "m");
    const added = lines.map((line) => `  ${line}\n`).join("");
    const changed = text.replace(below, (_, rest: string) => {
      const kept = rest.split("\n").filter((line) => !keys.some((key) => line.startsWith(`  ${key}:`)));
      return `${section}:\n${added}${kept.join("\n")}`;
    });
    await writeFile(path, changed === text ? `${text}\n${section}:\n${added}` : changed);
  };

/** One of the project's files as bytes, replaced by what `edit` makes of it. */
export const bytesOf =
  (file: string, edit: (bytes: Buffer) => Buffer) =>
  async (cwd: string): Promise<void> => {
    const path = join(cwd, file);
    await writeFile(path, edit(await readFile(path)));
  };
