/**
 * Opens and reads regular files alone. Opening a named pipe would wait for somebody to write to it, and a device may never end; so files
 * are opened without waiting, looked at, and refused where they are anything else. Looking before opening would leave a gap in between.
 */
import { closeSync, constants, fstatSync, open, openSync, read, readSync, type Stats } from "node:fs";
import { promisify } from "node:util";
import { HEAD_BYTES, isUtf16 } from "./kinds/first-bytes.ts";

/** The largest text that is read as a whole unless the caller says otherwise: strategies, run configs, their imports. */
export const MAX_TEXT_BYTES = 4 * 2 ** 20;

const openDescriptor = promisify(open);
const readDescriptor = promisify(read);

/** Some systems lack one of these flags; what they prevent does not exist there. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/** A file that is there and may be opened, but is not what can be read. */
class UnfitFile extends Error {
  readonly problem: string;
  readonly help: string;
  readonly isOther: boolean;

  constructor(problem: string, help: string, isOther: boolean) {
    super(problem);
    this.isOther = isOther;
    this.name = "UnfitFile";
    this.problem = problem;
    this.help = help;
  }
}

/** Why a file cannot be read, to be put behind its name. */
export interface Unreadable {
  /** "does not exist", "is a folder, not a file" */
  readonly problem: string;
  readonly help: string;
  readonly isMissing: boolean;
  /** Whether it is a regular file, with content of another kind. */
  readonly isOther: boolean;
}

const refusals: Readonly<Record<string, readonly [problem: string, help: string]>> = {
  ENOENT: ["does not exist", "correct the path"],
  ENOTDIR: ["does not exist: a part of its path is a file", "correct the path"],
  EISDIR: ["is a folder, not a file", "name a file in it"],
  ENXIO: ["is a socket or an unused device, not a file", "name a regular file"],
  EACCES: ["may not be read", "its permissions, or those of a folder above it, forbid it"],
  EPERM: ["may not be read", "its permissions, or those of a folder above it, forbid it"],
  ELOOP: ["is a link that leads back to itself", "correct the link"],
  ENAMETOOLONG: ["cannot exist: the name is too long", "correct the path"],
};

/** What opening or reading a file threw, in words; null for an error that says nothing about the file: a bug. */
export function unreadable(error: unknown): Unreadable | null {
  if (error instanceof UnfitFile)
    return { problem: error.problem, help: error.help, isMissing: false, isOther: error.isOther };
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === "ERR_INVALID_ARG_VALUE")
    return {
      problem: "cannot exist: no name holds the character U+0000",
      help: "correct the path",
      isMissing: true,
      isOther: false,
    };
  if (typeof code !== "string" || syscall === undefined) return null;
  const [problem, help] = refusals[code] ?? [`cannot be read (${code})`, "look at the disk or at the network"];
  return { problem, help, isMissing: code === "ENOENT" || code === "ENOTDIR", isOther: false };
}

/** What something that is no regular file is: "a folder", "a named pipe". Null for a regular file. */
export function otherKind(stats: Stats): string | null {
  if (stats.isFile()) return null;
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a named pipe";
  if (stats.isSocket()) return "a socket";
  return "a device";
}

function refuseOther(stats: Stats): void {
  const kind = otherKind(stats);
  if (kind === null) return;
  throw new UnfitFile(
    `is ${kind}, not a file`,
    kind === "a folder" ? "name a file in it" : "name a regular file",
    false,
  );
}

/** A descriptor of a regular file, and what it is. Errors: those of the system, and others that `unreadable` explains. */
export async function openRegular(path: string): Promise<{ readonly descriptor: number; readonly stats: Stats }> {
  return examined(await openDescriptor(path, FLAGS));
}

function examined(descriptor: number): { readonly descriptor: number; readonly stats: Stats } {
  try {
    const stats = fstatSync(descriptor);
    refuseOther(stats);
    return { descriptor, stats };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** The first `count` bytes of a regular file, or all of a shorter one. Errors: as `openRegular`. */
export async function readBeginning(path: string, count: number): Promise<Buffer> {
  const { descriptor } = await openRegular(path);
  try {
    const bytes = Buffer.alloc(count);
    return bytes.subarray(0, readSync(descriptor, bytes, 0, count, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** Reads a regular file of at most `limit` bytes. Errors: as `openRegular`; a larger file throws one, too. */
export async function readBytes(path: string, limit = MAX_TEXT_BYTES): Promise<Buffer> {
  const { descriptor, stats } = await openRegular(path);
  try {
    const pieces = new Pieces(stats.size, limit);
    while (!pieces.isDone) {
      const { bytesRead } = await readDescriptor(descriptor, pieces.next(), 0, pieces.room, null);
      pieces.took(bytesRead);
    }
    return pieces.whole();
  } finally {
    closeSync(descriptor);
  }
}

/** The same as text, in UTF-8 or UTF-16. Errors: as `readBytes`. */
export async function readText(path: string, limit = MAX_TEXT_BYTES): Promise<string> {
  return textOf(await readBytes(path, limit));
}

/** UTF-16 is what some editors and shells on Windows write. */
function textOf(bytes: Buffer): string {
  const head = bytes.subarray(0, HEAD_BYTES);
  if (isUtf16(head)) {
    const isBig = head.toString("latin1", 0, 2) === "\xfe\xff" || (head[0] === 0 && head[1] !== 0);
    return new TextDecoder(isBig ? "utf-16be" : "utf-16le").decode(bytes);
  }
  return bytes.toString("utf8");
}

/** As `readText`, for places that cannot wait. */
export function readTextSync(path: string, limit = MAX_TEXT_BYTES): string {
  const { descriptor, stats } = examined(openSync(path, FLAGS));
  try {
    const pieces = new Pieces(stats.size, limit);
    while (!pieces.isDone) pieces.took(readSync(descriptor, pieces.next(), 0, pieces.room, null));
    return textOf(pieces.whole());
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The lines of a regular file that may be large or still be written to, one by one; of a line that is longer than `longest` bytes,
 * the beginning. What is added after the file was opened is left out. Errors: as `readBytes`.
 */
export async function* linesOf(path: string, limit: number, longest = 2 ** 20): AsyncGenerator<string> {
  const { descriptor, stats } = await openRegular(path);
  try {
    if (stats.size > limit) throw tooLarge(stats.size, limit);
    const memory = Buffer.allocUnsafeSlow(2 ** 18);
    let rest: Buffer = Buffer.alloc(0);
    for (let at = 0; at < stats.size;) {
      const wanted = Math.min(memory.length, stats.size - at);
      const { bytesRead } = await readDescriptor(descriptor, memory, 0, wanted, at);
      if (bytesRead === 0) break;
      at += bytesRead;
      const bytes = Buffer.concat([rest, memory.subarray(0, bytesRead)]);
      let start = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
        yield bytes.toString("utf8", start, Math.min(end, start + longest));
        start = end + 1;
      }
      rest = bytes.subarray(start, Math.min(bytes.length, start + longest));
    }
    if (rest.length > 0) yield rest.toString("utf8");
  } finally {
    closeSync(descriptor);
  }
}

const count = (bytes: number): string => bytes.toLocaleString("en");

const tooLarge = (size: number | null, limit: number): UnfitFile =>
  new UnfitFile(
    `is too large: it has ${size === null ? "more than" : `${count(size)} bytes, and at most`} ${count(limit)}${size === null ? " bytes, the most that are read" : " are read"}`,
    "this is probably another file than was meant",
    true,
  );

/**
 * Collects a file piece by piece. Its size is no more than a guess: files of /proc say 0 and have contents, and others grow while they
 * are read.
 */
class Pieces {
  readonly #limit: number;
  readonly #pieces: Buffer[] = [];
  #memory: Buffer;
  #total = 0;
  isDone = false;

  constructor(size: number, limit: number) {
    if (size > limit) throw tooLarge(size, limit);
    this.#limit = limit;
    // One byte more than the file has, so that the first read mostly finds its end.
    this.#memory = Buffer.allocUnsafeSlow(Math.max(size + 1, 4096));
  }

  next(): Buffer {
    return this.#memory;
  }

  get room(): number {
    return this.#memory.length;
  }

  took(bytes: number): void {
    this.#total += bytes;
    if (this.#total > this.#limit) throw tooLarge(null, this.#limit);
    this.isDone = bytes === 0;
    if (bytes === 0) return;
    this.#pieces.push(this.#memory.subarray(0, bytes));
    this.#memory = Buffer.allocUnsafeSlow(65536);
  }

  whole(): Buffer {
    return this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces);
  }
}
