/** Decides whether code that comes with a project may run: asked where code of others would, and never for a user's own. */
import { delimiter, dirname, resolve } from "node:path";
import { hashOf, isWithin } from "../../compiler/source/index.ts";
import type { Io } from "../shell/io.ts";
import { foreignAmong, type Foreign } from "./owners.ts";
import { readTrusted, writeTrusted, type Trusted } from "./trust-list.ts";

/** Why something may not run. */
interface Refused {
  readonly code: "LTX6512" | "LTX6513";
  readonly message: string;
  readonly help: string;
}

/** Code that a strategy imports. */
export interface Imported {
  /** Root of the strategy's project. */
  readonly project: string;
  /** The strategy, what it extends and what it imports; absolute. */
  readonly files: readonly string[];
}

/** Asks for leave to run; null where it is given. */
export interface Guard {
  imports(imported: Imported): Promise<Refused | null>;
  /** A build whose source is not at hand: its content `text` is about to run. */
  build(path: string, text: string): Promise<Refused | null>;
}

type Asked = Pick<Io, "cwd" | "env"> & Partial<Pick<Io, "ask">>;

/** The guard of a command; with `json` nothing is asked, because a program reads what is printed. */
export function guardOf(io: Asked, { json }: { readonly json: boolean }): Guard {
  const ask = json ? null : (io.ask ?? null);
  const agrees = async (question: string) => ask !== null && /^\s*y(es)?\s*$/i.test(await ask(question));
  return {
    imports: (imported) => judgeImports(io, imported, agrees),
    build: (path, text) => judgeBuild(io, path, text, agrees),
  };
}

type Agrees = (question: string) => Promise<boolean>;

/** What the environment variable LTXC_TRUST names, absolute; `*` is everything. */
function namedByEnv({ cwd, env }: Asked): readonly string[] {
  const named = (env["LTXC_TRUST"] ?? "").split(delimiter).filter((path) => path !== "");
  return named.map((path) => (path === "*" ? path : resolve(cwd, path)));
}

async function judgeImports(io: Asked, { project, files }: Imported, agrees: Agrees): Promise<Refused | null> {
  // Whoever owns a folder can replace what is in it.
  const foreign = foreignAmong([project, ...files.flatMap((path) => [path, dirname(path)])], io.env);
  const named = namedByEnv(io);
  if (foreign.length === 0 || named.includes("*")) return null;
  const isCovered = (folders: readonly string[]) => (each: Foreign) => folders.some((at) => isWithin(at, each.path));
  const rest = foreign.filter((each) => !isCovered(named)(each));
  if (rest.length === 0) return null;
  const list = readTrusted(io.env);
  const open = rest.filter(
    (each) => !isCovered(list.flatMap(({ path, sha256 }) => (sha256 === null ? [path] : [])))(each),
  );
  const [first] = open;
  if (first === undefined) return null;
  const folders = [...new Set(open.map(({ path }) => (isWithin(project, path) ? project : dirname(path))))];
  const message = `${first.path} belongs to another user (uid ${first.uid}), and the functions that the strategy imports would run`;
  if (await agrees(`${message}.\nTrust all that is in ${folders.join(" and ")}, from now on? [y/N] `)) {
    writeTrusted(io.env, [...list, ...folders.map((path) => ({ path, sha256: null }))]);
    return null;
  }
  const help = `if you trust what is in it: \`ltxc trust ${folders.join(" ")}\`, or LTXC_TRUST=${folders.join(delimiter)} in the environment`;
  return { code: "LTX6512", message, help };
}

/** The entry of the list for a build. */
export const trustedBuild = (path: string, text: string): Trusted => ({ path, sha256: hashOf([text]) });

async function judgeBuild(io: Asked, path: string, text: string, agrees: Agrees): Promise<Refused | null> {
  const named = namedByEnv(io);
  if (named.includes("*") || named.includes(path)) return null;
  const list = readTrusted(io.env);
  const entry = trustedBuild(path, text);
  const known = list.find((each) => each.path === path && each.sha256 !== null);
  if (known?.sha256 === entry.sha256) return null;
  const message =
    known === undefined
      ? `${path} is a program, and no .strategy file is here that tells what is in it`
      : `${path} was changed since you trusted it`;
  if (await agrees(`${message}.\nTrust it as it is now, and run it? [y/N] `)) {
    writeTrusted(io.env, [...list.filter((each) => each !== known), entry]);
    return null;
  }
  const help = `put the .strategy file next to the run config and \`ltxc compile\` it; if you trust the build: \`ltxc trust ${path}\`, or LTXC_TRUST=${path} in the environment`;
  return { code: "LTX6513", message, help };
}
