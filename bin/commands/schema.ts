import { join, resolve } from "node:path";
import { readText } from "../../runtime/files/index.ts";
import { exitCode } from "../shell/exit.ts";
import { readEach, strategiesHere } from "../shell/files.ts";
import type { Io } from "../shell/io.ts";
import {
  isOwnSchema,
  isProjectSchema,
  outlineOf,
  projectSchemas,
  schemaFolder,
  schemaNames,
  type Outline,
} from "../project/schemas.ts";
import { say, sayJson, type Session } from "../shell/session.ts";
import { refuseNoFolder, refuseToReplace, replaceText } from "../shell/write.ts";

interface Found {
  readonly outlines: readonly Outline[];
  /** Paths of the strategies with errors: their parameters are not known for certain. */
  readonly broken: readonly string[];
}

async function strategiesOf(io: Io): Promise<Found> {
  const { files, unread } = await readEach(io, await strategiesHere(io));
  const all = files.map((file) => ({ path: file.path, outline: outlineOf(file, io.cwd) }));
  const broken = all.flatMap(({ path, outline }) => (outline === null ? [path] : []));
  return {
    outlines: all.flatMap(({ outline }) => outline ?? []),
    broken: [...broken, ...unread.map(({ file }) => file.path)].toSorted(),
  };
}

async function write(io: Io, folder: string, outlines: readonly Outline[]): Promise<string[]> {
  const files = (await projectSchemas(outlines)).map(({ name, text }) => ({ path: join(folder, name), text }));
  for (const { path, text } of files) await replaceText(io, path, text);
  return files.map(({ path }) => path);
}

/** Updates the schemas of a project that has some. Not while a strategy has errors: it would be missing in the new ones. */
export async function refreshSchemas(io: Io): Promise<void> {
  const text = await readText(resolve(io.cwd, schemaFolder, "train.schema.json")).catch(() => "");
  if (!isProjectSchema(text)) return;
  const { outlines, broken } = await strategiesOf(io);
  if (broken.length === 0) await write(io, schemaFolder, outlines);
}

/** `ltxc schema`: writes the schemas by which editors complete and check strategies, and run configs with this folder's strategies. */
export async function schema(session: Session, folder: string): Promise<number> {
  await refuseNoFolder(session.io, "ltxc schema DIR", folder);
  const paths = schemaNames.map((name) => join(folder, name));
  await refuseToReplace(session.io, "ltxc schema DIR", paths, isOwnSchema);
  const { outlines, broken } = await strategiesOf(session.io);
  const files = await write(session.io, folder, outlines);
  if (session.json) sayJson(session, { files, broken });
  else for (const path of files) say(session, `wrote ${path}`);
  for (const path of broken) session.io.err(`${path} has errors and is left out; \`ltxc check ${path}\` shows them\n`);
  return broken.length > 0 ? exitCode.findings : exitCode.ok;
}
