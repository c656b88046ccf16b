import { access } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { makeFolder } from "../../runtime/files/index.ts";
import { exitCode, UsageError } from "../shell/exit.ts";
import { exampleNames, readExample } from "../init/example.ts";
import type { ProjectFile } from "../init/project-file.ts";
import { shellWord, table } from "../shell/text.ts";
import { paint, say, sayJson, type Session } from "../shell/session.ts";
import { refusal, refuseNoFolder, replaceText } from "../shell/write.ts";

export interface InitOptions {
  /** The name of an example. */
  readonly from: string;
  /** What trains, if not ltxc itself. */
  readonly target?: "ltx-trainer";
  readonly force?: true;
  readonly list?: true;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** @throws UsageError that lists every file which already exists */
async function refuseToOverwrite(folder: string, files: readonly ProjectFile[]): Promise<void> {
  const there: string[] = [];
  for (const { path } of files) if (await exists(join(folder, path))) there.push(path);
  if (there.length === 0) return;
  const shown = there.length > 8 ? [...there.slice(0, 8), `and ${there.length - 8} more`] : there;
  throw new UsageError(
    `these files are there already, nothing was written:\n${shown.map((path) => `  ${path}`).join("\n")}`,
    "choose another folder (`ltxc init NAME`), or replace them with `--force`",
  );
}

async function write(folder: string, { path, content }: ProjectFile): Promise<void> {
  const target = join(folder, path);
  const help = "choose a folder in which you may write";
  if (typeof content === "string") return replaceText({ cwd: folder }, path, content, help);
  try {
    await makeFolder(dirname(target));
    await content(target);
  } catch (error) {
    throw refusal(error, target, help);
  }
}

function advice(session: Session, directory: string, { from, target }: InitOptions): string {
  const { bold } = paint(session);
  const made = table([
    [`  ${from}.strategy`, "what is trained: change it"],
    ["  train.yaml", "how it is trained"],
    ["  data/", "eight sample clips in the official .pt layout"],
    ["  models/tiny-ltx2.safetensors", "a tiny LTX-2 with random weights"],
    ...(target === undefined ? [] : [["  models/gemma/", "sizes of a text encoder, for the official trainer"]]),
    ["  schemas/ .vscode/", "completion and checks while you type"],
  ]);
  const commands =
    target === undefined
      ? ["  ltxc compile", "  ltxc run"]
      : [
          `  ltxc compile --target ${target}`,
          "  ltxc run   # on the official trainer; where there is none, it says what to install",
        ];
  const next = [...(directory === "." ? [] : [`  cd ${shellWord(directory)}`]), ...commands].join("\n");
  return `${bold(`Made a project${directory === "." ? "" : ` in ${directory}`}:`)}\n${made}\n\n${bold("Next:")}\n${next}`;
}

async function list(session: Session): Promise<number> {
  const examples = await Promise.all((await exampleNames()).map(readExample));
  const rows = examples.map(({ name, program }) => ({ name, description: program.description }));
  if (session.json) sayJson(session, rows);
  else say(session, table(rows.map(({ name, description }) => [name, description])));
  return exitCode.ok;
}

/** `ltxc init`: writes a project that trains as it is. Without `--force` it overwrites nothing. */
export async function init(session: Session, directory: string, options: InitOptions): Promise<number> {
  if (options.list === true) return list(session);
  await refuseNoFolder(session.io, "ltxc init NAME", directory);
  const folder = resolve(session.io.cwd, directory);
  // Not loaded for `--list`: it brings the runtime.
  const { projectFiles } = await import("../init/project.ts");
  const files = await projectFiles(options.from, options.target !== undefined);
  if (options.force !== true) await refuseToOverwrite(folder, files);
  for (const file of files) await write(folder, file);
  if (session.json) sayJson(session, { folder, files: files.map(({ path }) => path) });
  say(session, advice(session, directory, options));
  return exitCode.ok;
}
