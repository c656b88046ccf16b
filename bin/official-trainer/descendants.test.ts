import { spawn } from "node:child_process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { descendantsOf } from "./descendants.ts";

const test = suite("descendants");

test("processes of processes are found, also in a session of their own", async () => {
  const inner = `const { spawn } = require("node:child_process"); const c = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" }); console.log(c.pid); setInterval(() => {}, 1000);`;
  const outer = spawn(process.execPath, ["-e", inner], { stdio: ["ignore", "pipe", "inherit"] });
  const innermost = Number(await new Promise<Buffer>((done) => outer.stdout.once("data", done)));
  try {
    assert.ok(outer.pid !== undefined && descendantsOf(process.pid).includes(outer.pid));
    assert.equal(descendantsOf(outer.pid), [innermost]);
  } finally {
    process.kill(innermost, "SIGKILL");
    outer.kill("SIGKILL");
  }
});

test("a process that is not there has none", () => assert.equal(descendantsOf(2 ** 30), []));

test.run();
