/** Inputs that a run stops at, each as a change of a sound project. */
import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ltxc, project } from "../testing.ts";

export interface BrokenInput {
  readonly name: string;
  /** Breaks the project in `cwd`. */
  readonly arrange: (cwd: string) => Promise<unknown>;
  /** What `check` says where a run, or `compile` before it, says something else. */
  readonly says?: string;
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

/** A copy of a project, to break. */
async function copyOf(sound: string): Promise<string> {
  const cwd = await mkdtemp(join(tmpdir(), "ltxc-broken-"));
  await cp(sound, cwd, { recursive: true });
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

/** What a command said of a project: its exit code, and the codes of its findings that are errors, and of all. */
interface Said {
  readonly code: number;
  readonly errors: ReadonlySet<string>;
  readonly all: ReadonlySet<string>;
  readonly text: string;
}

interface Found {
  readonly code: string;
  readonly severity: string;
}

async function saidBy(cwd: string, args: readonly string[]): Promise<Said> {
  const { code, out, err } = await ltxc([...args, "--json"], { cwd });
  if (code === 70) return { code, errors: new Set(), all: new Set(), text: err };
  const objects = args[0] === "run" ? out.split("\n").filter((line) => line.startsWith("{")) : [out];
  const found = objects.flatMap((text) => (JSON.parse(text) as { diagnostics?: readonly Found[] }).diagnostics ?? []);
  const codes = (those: readonly Found[]) => new Set(those.map((each) => each.code));
  return {
    code,
    errors: codes(found.filter(({ severity }) => severity === "error")),
    all: codes(found),
    text: out + err,
  };
}

/** Strategies are compiled before they run; what that refuses counts as the run's. */
async function compiledAndRun(cwd: string): Promise<Said> {
  const compiled = await saidBy(cwd, ["compile"]);
  return compiled.code === 0 ? saidBy(cwd, ["run"]) : compiled;
}

/** What a run stopped at and `check` had not seen, or that they disagree in another way; null where `check` foresaw the run. */
export async function unforeseen(sound: string, broken: BrokenInput): Promise<string | null> {
  const cwd = await copyOf(sound);
  await broken.arrange(cwd);
  try {
    const checked = await saidBy(cwd, ["check", "train.yaml"]);
    const ran = await compiledAndRun(cwd);
    const missed = broken.says === undefined ? [...ran.errors] : [broken.says];
    const codes = `check ${checked.code}: ${[...checked.all].join(" ")}; run ${ran.code}: ${[...ran.errors].join(" ")}`;
    if (checked.code === 70 || ran.code === 70) return `${codes}\n${checked.text}${ran.text}`;
    if (ran.code === 0) return `the run does not stop; ${codes}`;
    if (missed.some((code) => !checked.all.has(code)))
      return `unforeseen ${missed.join(" ")}; ${codes}\n${ran.text.slice(-1500)}`;
    return null;
  } finally {
    await broken.after?.();
  }
}
