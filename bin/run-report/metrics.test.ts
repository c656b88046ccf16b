import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readMetrics } from "./metrics.ts";

const test = suite("metrics of a report");

const line = (value: unknown) => `${JSON.stringify(value)}\n`;
const started = (globalStep: number) => line({ type: "started", globalStep, strategy: "s" });
const step = (globalStep: number, loss: number) =>
  line({ type: "step", globalStep, steps: 9, loss, terms: { a: loss }, sigmaBuckets: { "0.00-0.25": loss } });
const read = (text: string) => readMetrics(text.split("\n"));
const stepsOf = async (text: string) => (await read(text)).steps.map(({ globalStep, loss }) => [globalStep, loss]);

test("reads steps and evaluations in the order of steps", async () => {
  const evaluation = line({ type: "evaluation", globalStep: 1, loss: 5, sigmas: [{ sigma: 0.5, loss: 4 }] });
  const metrics = await read(
    started(0) + step(1, 3) + evaluation + step(2, 2) + line({ type: "finished", globalStep: 2 }),
  );
  assert.equal(
    metrics.steps.map(({ terms }) => terms),
    [{ a: 3 }, { a: 2 }],
  );
  assert.equal(metrics.evaluations, [{ globalStep: 1, loss: 5, sigmas: [{ sigma: 0.5, loss: 4 }], datasets: {} }]);
  assert.is(metrics.end, "finished");
  assert.is(metrics.damaged, 0);
});

test("a resumed run replaces the steps that it did again", async () => {
  const text = started(0) + step(1, 1) + step(2, 2) + step(3, 3) + started(1) + step(2, 20);
  assert.equal(await stepsOf(text), [
    [1, 1],
    [2, 20],
  ]);
  assert.is((await read(text)).started.length, 2);
  assert.is((await read(text)).end, null);
});

test("a new run in the same folder is the only one that counts", async () => {
  const other = started(0) + step(1, 1) + step(2, 2) + line({ type: "finished", globalStep: 2 });
  const metrics = await read(other + started(0) + step(1, 7));
  assert.equal(
    metrics.steps.map(({ loss }) => loss),
    [7],
  );
  assert.is(metrics.started.length, 1);
  assert.is(metrics.end, null);
});

test("cut off lines, rubbish and lines of other kinds are counted or passed over", async () => {
  const text = `${started(0)}${step(1, 1)}not json\n[1]\n"text"\n{"a":1}\n\n${line({ type: "later invention" })}{"type":"step","globalSt`;
  const metrics = await read(text);
  assert.equal(await stepsOf(text), [[1, 1]]);
  assert.is(metrics.damaged, 5);
});

test("values that are missing or of the wrong kind are no numbers", async () => {
  const text = line({ type: "step", globalStep: 1, loss: null, terms: [1], sigmaBuckets: { a: "x" } });
  const [only] = (await read(text + line({ type: "step", globalStep: "2" }))).steps;
  assert.ok(Number.isNaN(only?.loss) && Number.isNaN(only?.gradNorm));
  assert.equal([only?.terms, Object.keys(only?.sigmaBuckets ?? {})], [{}, ["a"]]);
  assert.equal((await read(line({ type: "evaluation", globalStep: 1, sigmas: "x" }))).evaluations[0]?.sigmas, []);
});

test("nothing at all is a run without a step", async () => {
  assert.equal(await read(""), { started: [], steps: [], evaluations: [], warnings: [], end: null, damaged: 0 });
});

test("warnings keep their code", async () => {
  const text = line({ type: "warning", finding: { code: "LTX7003", message: "m" } }) + line({ type: "warning" });
  assert.equal((await read(text)).warnings, ["LTX7003: m", "undefined: undefined"]);
});

test.run();
