import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** The numbers of all processes that a process has started, and of those that they have started. Empty where the system does not tell. */
export function descendantsOf(pid: number): number[] {
  const all = process.platform === "linux" ? fromProc() : fromPs();
  const found: number[] = [];
  const left = [pid];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const own = all.filter(({ parent }) => parent === next).map((child) => child.pid);
    found.push(...own);
    left.push(...own);
  }
  return found;
}

interface Started {
  readonly pid: number;
  readonly parent: number;
}

/** Linux tells by files, also in containers without `ps`. */
function fromProc(): Started[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // The program's name, in parentheses, may hold anything; behind it come state and parent.
      const [, parent] = /.*\) \S+ (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, "utf8")) ?? [];
      return parent === undefined ? [] : [{ pid: Number(name), parent: Number(parent) }];
    } catch {
      // It has ended just now.
      return [];
    }
  });
}

function fromPs(): Started[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  return (stdout ?? "").split("\n").flatMap((line) => {
    const [pid, parent] = line.trim().split(/\s+/).map(Number);
    return pid === undefined || parent === undefined ? [] : [{ pid, parent }];
  });
}
