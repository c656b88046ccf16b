import { mkdtemp, rm } from "node:fs/promises";
import { totalmem, tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { planBytes, planOf, type PlannedEngine } from "../../runtime/index.ts";
import { preflight } from "../../runtime/opening/preflight.ts";
import { configOf } from "../../runtime/testing/opened-run.ts";
import { bytes } from "../shell/text.ts";
import { usableMemory } from "../shell/machine.ts";
import { compiledProject } from "../testing/compiled-project.ts";
import { hopeless, judgeMemory, memoryFindings } from "./memory-check.ts";

const test = suite("memory that does not fit");
const room = { bytes: 16 * 2 ** 30, owner: "this machine" };
const said = (gib: number, isIgnored = false) => judgeMemory(gib * 2 ** 30, room, isIgnored, "write less")[0];

test("what fits is not mentioned, nor what can not be known", () => {
  assert.equal(judgeMemory(16 * 2 ** 30, room, false, ""), []);
  assert.equal(judgeMemory(2 ** 50, null, false, ""), []);
});

test("more than there is is a warning with both numbers, more than twice as much an error, unless that is asked for", () => {
  const [warning, error, asked] = [said(17), said(33), said(33, true)];
  assert.equal([warning?.code, warning?.severity], ["LTX6240", "warning"]);
  assert.match(warning?.message ?? "", "about 17.0 GiB of memory, and this machine has 16.0 GiB");
  assert.is(warning?.help, "write less. `ltxc plan` shows all that would save memory");
  assert.is(said(32)?.severity, "warning");
  assert.equal([error?.code, error?.severity], ["LTX6241", "error"]);
  assert.match(error?.help ?? "", "runtime.ignore_memory: true");
  assert.equal([asked?.code, asked?.severity], ["LTX6240", "warning"]);
});

test("a container's limit counts, where it is less than the machine has", () => {
  assert.ok(usableMemory() > 0 && usableMemory() <= totalmem());
});

test("the change that saves most is named, with what the run then needs", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ltxc-memory-"));
  try {
    const step = await compiledProject(folder, "text_to_video");
    // With 8-bit moments already, and in a model too small for checkpointing to save anything, smaller batches are the change that is left.
    const saving = { batch_size: 1, gradient_accumulation_steps: 2, optimizer_type: "adamw8bit" };
    const config = configOf(folder, "text_to_video", { optimization: saving });
    const examined = await preflight(config, step);
    const engine: PlannedEngine = { name: "onnx", provider: "cpu", precision: "float32" };
    const optimization = { ...config.optimization, batch_size: 2, gradient_accumulation_steps: 1 };
    const wanted = { ...config, optimization };
    const [plan, less] = [await planOf(wanted, step, examined, engine), await planOf(config, step, examined, engine)];
    const on = async (size: number) =>
      await memoryFindings({ config: wanted, step, plan, engine, room: { bytes: size, owner: "this card" } }, examined);
    assert.equal(await on(planBytes(plan)), []);
    const [enough] = await on(planBytes(less));
    assert.is(enough?.code, "LTX6240");
    const saves = "`batch_size: 1, gradient_accumulation_steps: 2` saves most: then it needs about ";
    assert.match(enough?.help ?? "none", `${saves}${bytes(planBytes(less))}, and fits. `);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("adapters that are far too large are said before anything is made, with the rank that would do", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ltxc-rank-"));
  try {
    const step = await compiledProject(folder, "text_to_video");
    const config = configOf(folder, "text_to_video", { lora: { rank: 64 } });
    const examined = await preflight(config, step);
    const [found] = await hopeless(config, examined, { bytes: 2 ** 17, owner: "this card" });
    assert.is(found?.code, "LTX6241");
    const [, rank] = /`lora.rank: (\d+)` needs about/.exec(found?.help ?? "") ?? [];
    assert.ok(rank !== undefined && Number(rank) < 64, found?.help ?? "");
    assert.equal(
      await hopeless({ ...config, lora: config.lora && { ...config.lora, rank: Number(rank) } }, examined, room),
      [],
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.run();
