/** Every example as a project of `ltxc init --target ltx-trainer` with its module, for examples.py to start. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { exampleNames } from "../../bin/init/example.ts";
import { projectFiles } from "../../bin/init/project.ts";
import { refusedInPython, sourceAt } from "../../compiler/4-emit/strategies-on-record.ts";
import { compilePython } from "../../compiler/index.ts";

/** Writes the projects below `folder`. An example that this target refuses is given with its finding, and no module. */
export async function recordExamples(folder: string, pattern: RegExp): Promise<readonly unknown[]> {
  const names = (await exampleNames()).filter((name) => pattern.test(name));
  const recorded = [];
  for (const name of names) recorded.push(await recordExample(join(folder, "examples", name), name));
  return recorded;
}

async function recordExample(project: string, name: string): Promise<unknown> {
  for (const { path, content } of await projectFiles(name, true)) {
    const target = join(project, path);
    await mkdir(dirname(target), { recursive: true });
    await (typeof content === "function" ? content(target) : writeFile(target, content));
  }
  const { source, library } = sourceAt(join(project, `${name}.strategy`));
  const { artifacts, diagnostics } = compilePython(source, { library });
  const [made] = artifacts;
  const refusal = refusedInPython.get(name) ?? null;
  const errors = diagnostics.flatMap(({ code, severity }) => (severity === "error" ? [code] : []));
  if (made === undefined)
    return { name, project, module: null, isExpected: errors.some((code) => code === refusal), errors };
  await mkdir(join(project, "build"), { recursive: true });
  await writeFile(join(project, "build", made.name), made.text);
  return { name, project, module: join(project, "build", made.name), isExpected: refusal === null, errors };
}
