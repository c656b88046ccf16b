/** What already lies where a command is to write: only what ltxc wrote is replaced without being asked to. */
import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { onOneLine } from "../../compiler/source/index.ts";
import { describeFile, readBeginning } from "../../runtime/files/index.ts";
import { UsageError } from "./exit.ts";

/** Whether ltxc wrote a file of this kind, by the text at its beginning. */
export type IsOwn = (beginning: string) => boolean;

/** Bytes of a file that are looked at: the bundle of a strategy has what it imports before its own code. */
const MOST = 32 * 2 ** 20;

/** What `ltxc compile` makes: modules that name the hash of their source, source maps, schemas of params, Python. */
export const isOwnBuild: IsOwn = (text) =>
  /\bsourceHash: "[0-9a-f]{64}"|^"""\n[^]{0,2000}^Made by ltxc |"title": "Parameters of the strategy |^\{\s*"version": 3,/m.test(
    text,
  );

interface Asked {
  readonly option: string;
  /** As the user wrote it, or as it is shown. */
  readonly shown: string;
  readonly isOwn: IsOwn;
}

/**
 * Refuses to replace a file that ltxc did not write, and to write into a folder that is not there. Empty files hold nothing to lose.
 * @param path absolute
 * @throws UsageError
 */
export async function refuseOthers(path: string, { option, shown, isOwn }: Asked): Promise<void> {
  const info = await stat(path).catch(() => null);
  if (info === null) return refuseMissingFolder(path, option, shown);
  if (info.isDirectory())
    throw new UsageError(`${shown} is a folder`, `name a file in it, as in \`${option} ${join(shown, "page.html")}\``);
  await refuseForeign(path, { option, shown, isOwn });
}

/**
 * As `refuseOthers`, for one of several files of a folder that is made if it is missing.
 * @throws UsageError
 */
export async function refuseForeign(path: string, { option, shown, isOwn }: Asked): Promise<void> {
  const info = await stat(path).catch(() => null);
  if (info === null || !info.isFile() || info.size === 0) return;
  const text = await readBeginning(path, Math.min(info.size, MOST)).catch(() => Buffer.alloc(0));
  if (isOwn(text.toString())) return;
  throw new UsageError(
    `${shown} is there already, and ltxc did not write it: ${await contentOf(path, text.toString())}`,
    `choose another place with \`${option}\`, or move ${basename(shown)} away if it is to be replaced`,
  );
}

/** Whether a path leads to a file that ltxc wrote; false where nothing can be read. */
export async function isOwnFile(path: string, isOwn: IsOwn): Promise<boolean> {
  const info = await stat(path).catch(() => null);
  if (info === null || !info.isFile()) return false;
  return readBeginning(path, Math.min(info.size, MOST)).then(
    (bytes) => isOwn(bytes.toString()),
    () => false,
  );
}

/** What a file holds, so that the user sees what would have been lost. */
async function contentOf(path: string, text: string): Promise<string> {
  const what = await describeFile(path).catch(() => null);
  if (what !== null) return `it ${what}`;
  const first =
    text
      .split("\n")
      .find((line) => line.trim() !== "")
      ?.trim() ?? "";
  return `it begins with \`${onOneLine(first.length > 60 ? `${first.slice(0, 60)}…` : first)}\``;
}

async function refuseMissingFolder(path: string, option: string, shown: string): Promise<void> {
  const folder = dirname(path);
  const info = await stat(folder).catch(() => null);
  if (info !== null) {
    if (info.isDirectory()) return;
    throw new UsageError(
      `${shown} cannot be written: ${dirname(shown)} is not a folder`,
      `choose another place with \`${option}\``,
    );
  }
  if (shown.startsWith("~")) {
    const help = `write \`${option} ${shown}\` with a space and without quotes, or the path itself`;
    throw new UsageError(`${shown} begins with \`~\`, which only a shell replaces`, help);
  }
  refuseAddress(option, shown);
  throw new UsageError(
    `${shown} cannot be written: there is no folder ${dirname(shown)}`,
    `correct the path, or make the folder: \`mkdir -p ${dirname(shown)}\``,
  );
}

/**
 * Refuses an address where a file or a folder is to be written: a folder of that name would be made.
 * @throws UsageError
 */
export function refuseAddress(option: string, path: string): void {
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(path)) return;
  throw new UsageError(
    `${path} is an address, not a path`,
    `write it to this machine with \`${option}\`, and copy it there`,
  );
}
