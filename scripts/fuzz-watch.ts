import { Worker } from "node:worker_threads";

/** Runs on a thread of its own, since a loop without an end leaves the main one no time. */
const watcher = `
  const { workerData: { count, longest, message } } = require("node:worker_threads");
  let [last, since] = [0, Date.now()];
  setInterval(() => {
    const now = Atomics.load(count, 0);
    if (now !== last) [last, since] = [now, Date.now()];
    else if (Date.now() - since > longest) {
      require("node:fs").writeSync(2, message + "\\n");
      process.kill(process.pid, "SIGKILL");
    }
  }, 500);
`;

/** Ends the process with a message when `tick` is not called for longer than some milliseconds. */
export function watchForHang(longest: number, message: string): { tick(): void; end(): Promise<unknown> } {
  const count = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(watcher, { eval: true, workerData: { count, longest: 2 * longest, message } });
  worker.unref();
  return { tick: () => void Atomics.add(count, 0, 1), end: () => worker.terminate() };
}
