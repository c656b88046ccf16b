/** What is said when mapped memory can not be read: the system then sends SIGBUS, which ends the process without a word. */

const listeners = new Set<() => void>();

/**
 * Calls `listener` right before SIGBUS ends the process. The thread that read the memory stands still until then, and the event loop gets
 * no further turn: what `listener` does it must do at once. Windows has no such signal; on macOS Node.js itself uses it, for WebAssembly.
 */
export function beforeBusError(listener: () => void): void {
  if (process.platform === "win32" || process.platform === "darwin") return;
  if (listeners.size === 0) process.on("SIGBUS", tellAndEnd);
  listeners.add(listener);
}

function tellAndEnd(): void {
  try {
    for (const listener of listeners) listener();
  } finally {
    // The system's own handling is back. The thread would read the memory again, and the signal may have come from another process.
    process.off("SIGBUS", tellAndEnd);
    process.kill(process.pid, "SIGBUS");
  }
}
