import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { preflight } from "../../runtime/opening/preflight.ts";
import { planBytes, stepSeconds, type PlannedEngine } from "../../runtime/index.ts";
import { configOf } from "../../runtime/testing/opened-run.ts";
import { compiledProject } from "../testing/compiled-project.ts";
import { expectedOf, foreseenRows, type Foreseen } from "./foreseen.ts";
import { memoryBefore } from "./memory-check.ts";
import { planRows } from "./plan-text.ts";

const test = suite("what a run says of its memory and time before its first step");
const folder = await mkdtemp(join(tmpdir(), "ltxc-foreseen-"));
test.after(() => rm(folder, { recursive: true }));
const step = await compiledProject(folder, "text_to_video");
const config = configOf(folder, "text_to_video", {});
const examined = await preflight(config, step);

async function before(name: "onnx" | "wasm"): Promise<Foreseen> {
  const { findings, foreseen } = await memoryBefore({ config, step, engine: { name } }, examined);
  assert.equal(findings, []);
  if (foreseen === null) throw new Error("nothing is foreseen");
  return foreseen;
}

test("a run that surely fits says them too, in the words of a plan, and what there is to do where no speed was measured", async () => {
  const foreseen = await before("onnx");
  const { plan, engine } = foreseen;
  if (plan === null) throw new Error("no plan was made");
  const speed = { matmulGflops: 100, bandwidthGBs: 10, measuredAt: "2026-11-28T08:00:00.000Z" };
  const said = planRows(plan, { steps: 1, trainingState: "full", optimization: {} }, speed);
  const rows = foreseenRows({ ...foreseen, speed });
  assert.equal(
    rows.map(([name]) => name),
    ["memory", "time"],
  );
  for (const row of rows) assert.ok(said.some((other) => String(other) === String(row)));
  assert.match(String(rows[1]), /about .* a step \(products /);
  const expected = { engine, insteadOf: null, residentBytes: planBytes(plan) };
  const { matmulFlops: flopsPerStep } = plan.commonest.cost;
  const secondsPerStep = stepSeconds(plan.commonest, speed);
  assert.equal(expectedOf({ ...foreseen, speed }), { ...expected, flopsPerStep, secondsPerStep });
  const [, time, unknown] = foreseenRows({ ...foreseen, speed: null });
  assert.match(String(time), /^time,\d+ MFLOP a step$/);
  assert.match(String(unknown), "not measured on this machine yet");
  assert.is(expectedOf({ ...foreseen, speed: null })?.secondsPerStep, null);
});

test("an engine that records nothing can not be reckoned: no plan is made where the run surely fits, else one for another engine", async () => {
  const foreseen = await before("wasm");
  assert.is(foreseen.plan, null);
  assert.is(expectedOf(foreseen), null);
  assert.match(String(foreseenRows(foreseen)), "not reckoned for the engine wasm");
  const { plan } = await before("onnx");
  const engine: PlannedEngine = { name: "onnx", provider: "cpu", precision: "float32" };
  const [computed] = foreseenRows({ engine, insteadOf: "wasm", speed: null, plan });
  assert.match(String(computed), "computed by,the engine onnx on cpu, in float32; the run takes the engine wasm");
});

test.run();
