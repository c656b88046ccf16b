/** A project for tests that call the runtime without the command line. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { compile } from "../../compiler/index.ts";
import type { Step } from "../../runtime/contract.ts";
import { projectFiles } from "../init/project.ts";

/** Makes a project in `folder` as `ltxc init --from name` does, and compiles its strategy, changed by `edit`, without a type check. */
export async function compiledProject(
  folder: string,
  name: string,
  edit: (text: string) => string = (text) => text,
): Promise<Step> {
  for (const { path, content } of await projectFiles(name)) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await (typeof content === "string" ? writeFile(target, content) : content(target));
  }
  const path = join(folder, `${name}.strategy`);
  const { artifacts } = await compile({ path, text: edit(await readFile(path, "utf8")) });
  for (const artifact of artifacts) await writeFile(join(folder, artifact.name), artifact.text);
  return (await import(pathToFileURL(join(folder, `${name}.mjs`)).href)) as Step;
}
