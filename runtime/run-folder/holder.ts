/** Who holds a lock: a process, described so that others can tell whether it still runs. */
import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { basename } from "node:path";
import { processExists } from "../process-exists.ts";

interface Process {
  readonly pid: number;
  /** When the process started, in the system's own counting; null where the system does not tell. */
  readonly started: string | null;
}

export interface Holder extends Process {
  /** Of this one lock: no other has it. */
  readonly token: string;
  readonly host: string;
  /** Of the machine since it was switched on; null where the system does not tell. */
  readonly boot: string | null;
  /** The set of process numbers that `pid` belongs to: a container has its own. Null where the system does not tell. */
  readonly namespace: string | null;
  /** When the lock was taken, as ISO 8601. */
  readonly since: string;
  readonly command: string;
  /** A process that it started, which works in the folder as well and may outlive it: the official trainer. */
  readonly child?: Process;
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

/** The same holder, with a process that it has started. */
export const withChild = (holder: Holder, pid: number): Holder => ({
  ...holder,
  child: { pid, started: statOf(pid)?.started ?? null },
});

/** The holder that a lock's text describes; null for any other text, such as that of a lock that is being written. */
export function parseHolder(text: string): Holder | null {
  const value = parsed(text);
  const { token, host, pid, started = null, boot = null, namespace = null, since, command } = value;
  const child = asProcess(value["child"]);
  const isRight =
    typeof token === "string" &&
    /^[0-9a-f]{16}$/.test(token) &&
    [host, since, command].every((entry) => typeof entry === "string") &&
    [boot, namespace].every((entry) => entry === null || typeof entry === "string") &&
    asProcess({ pid, started }) !== null;
  if (!isRight) return null;
  const holder = { token, host, pid, started, boot, namespace, since, command } as Holder;
  return child === null ? holder : { ...holder, child };
}

function asProcess(value: unknown): Process | null {
  const { pid, started = null } = { ...(value as { pid?: unknown; started?: unknown } | null | undefined) };
  if (!Number.isInteger(pid) || (pid as number) <= 0 || (pid as number) > MOST_PID) return null;
  return started === null || typeof started === "string" ? { pid: pid as number, started } : null;
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
  if (isComparable(holder, me)) return isRunning(holder) || isChildRunning(holder) ? "running" : "ended";
  const hasNoIds = [holder, me].every(({ boot, namespace }) => boot === null && namespace === null);
  if (hasNoIds && holder.host === me.host && !processExists(holder.pid)) return "ended";
  return age > patienceSeconds ? "ended" : "unseen";
}

const isChildRunning = ({ child }: Holder): boolean => child !== undefined && isRunning(child);

/** The process that a holder of this machine has left behind: it still runs, and the holder itself has ended. */
export function orphanOf(holder: Holder): number | null {
  const isOrphan = isComparable(holder, thisProcess()) && !isRunning(holder) && isChildRunning(holder);
  return isOrphan ? (holder.child?.pid ?? null) : null;
}

/** Whether the process numbers of the two mean the same: equal boot and namespace are those of one running kernel. */
function isComparable(a: Holder, b: Holder): boolean {
  return a.boot !== null && a.boot === b.boot && a.namespace !== null && a.namespace === b.namespace;
}

/** A process with this number that started at another time is another one; one that has ended and only waits for its parent does not run. */
function isRunning({ pid, started }: Process): boolean {
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
