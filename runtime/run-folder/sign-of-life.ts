import { Worker } from "node:worker_threads";
import type { TakenLock } from "./lock-file.ts";

/** Seconds from one sign of life to the next: far fewer than others wait for one. */
const interval = 15;

/**
 * The thread writes the lock's text again, so that the file system dates it. A thread of its own, because engines may compute for
 * minutes without a turn of the event loop. It writes through the open file: where another process has replaced it, nothing is touched.
 */
const program = `
const { workerData: { fd, text, interval } } = require("node:worker_threads");
const { writeSync, fsyncSync } = require("node:fs");
setInterval(() => {
  try {
    writeSync(fd, text, 0);
    fsyncSync(fd);
  } catch {}
}, interval * 1000);
`;

/** Gives signs of life for a lock until it is called off. The thread does not keep the process alive. */
export function giveSignsOfLife({ handle, text }: TakenLock, every = interval): () => Promise<void> {
  const worker = new Worker(program, {
    eval: true,
    execArgv: [],
    workerData: { fd: handle.fd, text, interval: every },
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2 },
  });
  worker.on("error", () => undefined);
  worker.unref();
  return async () => void (await worker.terminate());
}
