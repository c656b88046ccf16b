// A second Ctrl-C ends a run at once; `second-interrupt.slow.test.ts` tries it in every phase.
import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { project } from "./testing/testing.ts";

const test = suite("second Ctrl-C while a step is computed");
const bundle = fileURLToPath(new URL("../dist/ltxc.mjs", import.meta.url));

test("ends the process by the signal, which a shell shows as 130", async () => {
  // The step takes minutes, so that the first Ctrl-C can not have ended the run.
  const cwd = await project({ gradient_accumulation_steps: 100_000 });
  const child = spawn(process.execPath, [bundle, "run"], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let [text, presses] = ["", 0];
  const seen = (part: Buffer) => {
    text += part.toString();
    if (!text.includes(["training `", "Ctrl-C again stops at once"][presses] ?? "\0")) return;
    presses++;
    child.kill("SIGINT");
  };
  child.stdout.on("data", seen);
  child.stderr.on("data", seen);
  const how = await new Promise((resolve) => child.on("close", (...code) => resolve(code)));
  await rm(cwd, { recursive: true });
  assert.equal([how, presses], [[null, "SIGINT"], 2], text);
});

test.run();
