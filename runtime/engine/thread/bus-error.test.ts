import { spawnSync } from "node:child_process";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("bus errors");

test("every listener is called before the signal ends the process", () => {
  if (process.platform !== "linux") return;
  const file = JSON.stringify(new URL("./bus-error.ts", import.meta.url).href);
  const program = `
    import { writeSync } from "node:fs";
    const { beforeBusError } = await import(${file});
    beforeBusError(() => writeSync(2, "first "));
    beforeBusError(() => writeSync(2, "second"));
    setInterval(() => writeSync(2, "too late"), 1000);
    process.kill(process.pid, "SIGBUS");`;
  const args = ["--import", "tsx", "--input-type=module", "-e", program];
  const { signal, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.is(signal, "SIGBUS", stderr);
  assert.is(stderr, "first second");
});

test.run();
