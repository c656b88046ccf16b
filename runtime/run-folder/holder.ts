/** Who holds a lock: a process, described so that others can tell whether it still runs. */
import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { basename } from "node:path";
import { processExists } from "../process-exists.ts";

export interface Holder {
  /** Of this one lock: no other has it. */
  readonly token: string;
  readonly host: string;
  readonly pid: number;
  /** When the process started, in the system's own counting; null where the system does not tell. */
  readonly started: string | null;
  /** Of the machine since it was switched on; null where the system does not tell. */
  readonly boot: string | null;
  /** The set of process numbers that `pid` belongs to: a container has its own. Null where the system does not tell. */
  readonly namespace: string | null;
  /** When the lock was taken, as ISO 8601. */
  readonly since: string;
  readonly command: string;
}

/** No system numbers processes beyond 32 bits. */
const MOST_PID = 2 ** 32;

/** This process as the holder of a new lock. */
export function thisProcess(): Holder {
  return {
    token: randomBytes(8).toString("hex"),
    host: hostname(),
    pid: process.pid,
    started: statOf(process.pid)?.started ?? null,
    boot: bootId(),
    namespace: namespaceOfPids(),
    since: new Date().toISOString(),
    command: [basename(process.argv[1] ?? "node"), ...process.argv.slice(2)].join(" ").slice(0, 200),
  };
}

/** The holder that a lock's text describes; null for any other text, such as that of a lock that is being written. */
export function parseHolder(text: string): Holder | null {
  const value = parsed(text);
  const { token, host, pid, started = null, boot = null, namespace = null, since, command } = value;
  const isRight =
    typeof token === "string" &&
    /^[0-9a-f]{16}$/.test(token) &&
    [host, since, command].every((entry) => typeof entry === "string") &&
    [started, boot, namespace].every((entry) => entry === null || typeof entry === "string") &&
    Number.isInteger(pid) &&
    (pid as number) > 0 &&
    (pid as number) <= MOST_PID;
  return isRight ? ({ token, host, pid, started, boot, namespace, since, command } as Holder) : null;
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Without a sign of life for so long, a holder that cannot be looked at counts as ended. */
export const patienceSeconds = 180;

/**
 * Whether a holder still runs. A process of this machine and this set of process numbers is looked at. All others, those of other hosts
 * and containers, are judged by the age of their last sign of life: equal host names and process numbers mean nothing there.
 * @param age seconds since the last sign of life, by the clock of the file system
 * @returns `unseen` for one that cannot be looked at and gave a sign of life not long ago
 */
export function standingOf(holder: Holder, age: number, me: Holder): "running" | "unseen" | "ended" {
  if (isComparable(holder, me)) return isRunning(holder) ? "running" : "ended";
  const hasNoIds = [holder, me].every(({ boot, namespace }) => boot === null && namespace === null);
  if (hasNoIds && holder.host === me.host && !processExists(holder.pid)) return "ended";
  return age > patienceSeconds ? "ended" : "unseen";
}

/** Whether the process numbers of the two mean the same: equal boot and namespace are those of one running kernel. */
function isComparable(a: Holder, b: Holder): boolean {
  return a.boot !== null && a.boot === b.boot && a.namespace !== null && a.namespace === b.namespace;
}

/** A process with this number that started at another time is another one; one that has ended and only waits for its parent does not run. */
function isRunning({ pid, started }: Holder): boolean {
  if (!processExists(pid)) return false;
  const now = statOf(pid);
  // Another user's processes may be hidden.
  if (now === null) return true;
  return (started === null || now.started === started) && !"ZX".includes(now.state);
}

/** State and start (clock ticks since boot) of a process, from Linux's /proc/PID/stat: the fields after the name in parentheses. */
function statOf(pid: number): { readonly state: string; readonly started: string } | null {
  const text = textOf(`/proc/${pid}/stat`);
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ") ?? [];
  const [state, started] = [fields[0], fields[19]];
  return state === undefined || started === undefined ? null : { state, started };
}

const bootId = (): string | null => textOf("/proc/sys/kernel/random/boot_id")?.trim() ?? null;

/** Null, too, where /proc is that of another namespace, whose process numbers are not ours. */
function namespaceOfPids(): string | null {
  try {
    return readlinkSync("/proc/self") === String(process.pid) ? readlinkSync("/proc/self/ns/pid") : null;
  } catch {
    return null;
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
