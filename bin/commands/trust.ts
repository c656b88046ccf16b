import { readFileSync, realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { visible } from "../../compiler/diagnostics/index.ts";
import { projectRootOf } from "../../compiler/source/index.ts";
import { exitCode, UsageError } from "../shell/exit.ts";
import { say, sayJson, type Session } from "../shell/session.ts";
import { trustedBuild } from "../trust/guard.ts";
import { readTrusted, writeTrusted, type Trusted } from "../trust/trust-list.ts";

export interface TrustOptions {
  readonly list?: true;
  readonly remove?: true;
}

/** A folder stands for the project that it lies in, a file for itself with its content. */
function entryOf(cwd: string, named: string): Trusted {
  const path = resolve(cwd, named);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return { path: projectRootOf(realpathSync(path)), sha256: null };
  if (found?.isFile() === true && path.endsWith(".mjs")) return trustedBuild(path, readFileSync(path, "utf8"));
  const help = "name a project's folder, or a build such as build/my.mjs";
  throw new UsageError(
    found === undefined ? `${named} does not exist` : `${named} is neither a folder nor a build`,
    help,
  );
}

/** Takes entries out of the list: by the path that it shows, or as they were named when they were added. */
function without(session: Session, list: readonly Trusted[], named: readonly string[]): readonly Trusted[] {
  const gone = named.map((path) => {
    const absolute = resolve(session.io.cwd, path);
    const isThere = statSync(absolute, { throwIfNoEntry: false })?.isDirectory() === true;
    const known = [absolute, ...(isThere ? [projectRootOf(realpathSync(absolute))] : [])];
    const entry = list.find((each) => known.includes(each.path));
    if (entry === undefined) throw new UsageError(`${path} is not in the list`, "`ltxc trust --list` shows what is");
    return entry;
  });
  return list.filter((each) => !gone.includes(each));
}

/** `ltxc trust`: says of projects and builds that what they bring may run; lists and takes back. */
export async function trust(session: Session, named: readonly string[], options: TrustOptions): Promise<number> {
  const { env, cwd } = session.io;
  if (options.list === true && (named.length > 0 || options.remove === true))
    throw new UsageError("`--list` takes nothing else", "`ltxc trust --list`");
  const list = readTrusted(env);
  const paths = named.length > 0 ? named : ["."];
  if (options.list !== true) {
    const added = options.remove === true ? [] : paths.map((path) => entryOf(cwd, path));
    const kept =
      options.remove === true
        ? without(session, list, paths)
        : list.filter(({ path }) => !added.some((each) => each.path === path));
    writeTrusted(env, [...kept, ...added]);
    for (const { path } of added) say(session, `trusted: ${visible(path)}`);
    if (options.remove === true) for (const path of paths) say(session, `no longer trusted: ${visible(path)}`);
  }
  const now = options.list === true ? list : readTrusted(env);
  if (session.json) sayJson(session, { trusted: now });
  else if (options.list === true)
    for (const { path, sha256 } of now) session.io.out(`${visible(path)}${sha256 === null ? "" : `  ${sha256}`}\n`);
  return exitCode.ok;
}
