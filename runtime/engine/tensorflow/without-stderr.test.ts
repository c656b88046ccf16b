import { spawnSync } from "node:child_process";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("without stderr");

test("what a function and its libraries write is kept back, what comes after it is not, and errors pass", () => {
  const module = JSON.stringify(new URL("./without-stderr.ts", import.meta.url).href);
  const script = `
    const { withoutStderr } = await import(${module});
    const { writeSync } = await import("node:fs");
    const told = (text) => () => { writeSync(2, text); return text.length; };
    writeSync(2, "before ");
    console.log(withoutStderr(told("inside ")));
    try { withoutStderr(() => { throw new Error("thrown"); }); } catch (error) { console.log(error.message); }
    writeSync(2, "after");`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "-e", script],
    {
      encoding: "utf8",
    },
  );
  const kept = process.platform === "linux" ? "before after" : "before inside after";
  assert.equal([status, stdout, stderr], [0, "7\nthrown\n", kept]);
});

test.run();
