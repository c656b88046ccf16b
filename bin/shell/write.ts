/** Writes what the user asked for to where the user said: a file, stdout, a device, a pipe or a socket. */
import { constants, writeSync } from "node:fs";
import { open, readlink, stat } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, resolve } from "node:path";
import { otherKind, writeTextAtomically } from "../../runtime/files/index.ts";
import { FindingsError } from "../../runtime/findings.ts";
import { refuseAddress, refuseForeign, refuseOthers, type IsOwn } from "./existing.ts";
import { UsageError } from "./exit.ts";
import type { Io } from "./io.ts";
import type { Session } from "./session.ts";

/** How options that name an output file spell stdout. */
const STDOUT = "-";

interface Output {
  readonly option: string;
  readonly path: string;
  readonly isOwn: IsOwn;
}

/**
 * Writes a text to where an option such as `--out` says: `-` is stdout, a file is replaced as a whole or not at all, and into anything
 * else it is written. Returns whether that is stdout, where nothing else must be printed then.
 * @param option for messages, such as `--out`
 * @param isOwn which files may be replaced
 * @throws UsageError where it cannot be written, or where something else lies
 */
export async function writeOutput(session: Session, { option, path, isOwn }: Output, text: string): Promise<boolean> {
  const { io, json } = session;
  const place: Place = path === STDOUT ? { descriptor: 1 } : await placeOf(resolve(io.cwd, path));
  if ("descriptor" in place && place.descriptor === 1) {
    if (json)
      throw new UsageError(`\`--json\` and \`${option} ${path}\` both print to stdout`, "leave out one of them");
    io.data(text);
    return true;
  }
  if ("path" in place) await refuseOthers(place.path, { option, shown: path, isOwn });
  const help = `choose another place with \`${option}\`, or \`-\` for stdout`;
  try {
    if ("descriptor" in place) writeInto(place.descriptor, text);
    else await writeTo(place.path, text);
  } catch (error) {
    throw refusal(error, path, help);
  }
  return false;
}

/**
 * Replaces a file that the user named, as a whole or not at all; if it is a link, the linked file.
 * @param help what to do where that fails
 * @throws UsageError
 */
export async function replaceText(
  io: Pick<Io, "cwd">,
  path: string,
  text: string,
  help: string | null = null,
): Promise<void> {
  const place = await placeOf(resolve(io.cwd, path));
  try {
    await writeTextAtomically("path" in place ? place.path : resolve(io.cwd, path), text);
  } catch (error) {
    throw refusal(error, path, help);
  }
}

/**
 * Refuses to write files of which one would replace something that ltxc did not write. Nothing is written before all are looked at.
 * @throws UsageError
 */
export async function refuseToReplace(
  io: Pick<Io, "cwd">,
  option: string,
  paths: readonly string[],
  isOwn: IsOwn,
): Promise<void> {
  for (const shown of paths) {
    const place = await placeOf(resolve(io.cwd, shown));
    if ("path" in place) await refuseForeign(place.path, { option, shown, isOwn });
  }
}

/** Where links lead: to a path, or to something that this process has open. */
type Place = { readonly path: string } | { readonly descriptor: number };

/** As many links one after the other as Linux follows. */
const MOST_LINKS = 40;

/** Names of open files of this process. Their links lead to names, and a name would be opened anew or be replaced. */
const ownDescriptor = new RegExp(`^/(?:dev/fd|proc/(?:self|thread-self|${process.pid})/fd)/(\\d+)$`);
const standard: Readonly<Record<string, number>> = { "/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2 };

async function placeOf(path: string): Promise<Place> {
  let at = path;
  for (let links = 0; links < MOST_LINKS; links++) {
    const descriptor = standard[at] ?? ownDescriptor.exec(at)?.[1];
    if (descriptor !== undefined) return { descriptor: Number(descriptor) };
    const target = await readlink(at).catch(() => null);
    if (target === null) break;
    at = resolve(dirname(at), target);
  }
  return { path: at };
}

/** Whether a path is stdout, or something that is written into: no file that will be found there. */
export async function isStream({ cwd }: Pick<Io, "cwd">, path: string): Promise<boolean> {
  if (path === STDOUT) return true;
  const place = await placeOf(resolve(cwd, path));
  if ("descriptor" in place) return true;
  const info = await stat(place.path).catch(() => null);
  return info !== null && !info.isFile() && !info.isDirectory();
}

function writeInto(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
}

/** A file is replaced; a device or a pipe is opened and stays what it is. */
async function writeTo(path: string, text: string): Promise<void> {
  const info = await stat(path).catch(() => null);
  if (info === null || info.isFile() || info.isDirectory()) return writeTextAtomically(path, text);
  if (info.isSocket()) return send(path, text);
  // Waits for a reader where it is a named pipe; makes nothing should it have vanished meanwhile.
  const file = await open(path, constants.O_WRONLY | (constants.O_NOCTTY ?? 0));
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}

function send(path: string, text: string): Promise<void> {
  return new Promise((done, failed) => {
    const socket = connect(path, () => socket.end(text));
    socket.on("error", failed).on("close", (hadError) => hadError || done());
    socket.resume();
  });
}

/** The UsageError for what the system, or a write that is atomic, says of `path`; any other error as it is. */
export function refusal(error: unknown, path: string, help: string | null): unknown {
  if (error instanceof FindingsError) {
    const { message, help: own } = error.findings[0] ?? { message: `${path} cannot be written` };
    return new UsageError(message, help ?? own ?? null);
  }
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  return new UsageError(`${path} cannot be written (${code})`, help);
}

/**
 * Refuses an output folder that is something else, before anything is made.
 * @throws UsageError
 */
export async function refuseNoFolder({ cwd }: Pick<Io, "cwd">, option: string, path: string): Promise<void> {
  refuseAddress(option, path);
  const info = path === STDOUT ? null : await stat(resolve(cwd, path)).catch(() => null);
  const kind = path === STDOUT ? "stdout" : info === null ? null : (otherKind(info) ?? "a file");
  if (kind === null || kind === "a folder") return;
  throw new UsageError(`${path} is ${kind}, and the results are several files`, `name a folder with \`${option}\``);
}
