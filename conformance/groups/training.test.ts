import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openEngine } from "../../runtime/engine/index.ts";
import { golden, loadCase, type Case, type Manifest } from "../case.ts";
import { replay } from "./training.ts";

const test = suite("wrong training cases");
const vectors = fileURLToPath(new URL("../vectors", import.meta.url));
const { engine } = await openEngine("wasm");
const stored = await loadCase(vectors, "training", "av_i2v_accum2_connectors");

const withManifest = (fields: Manifest): Case => ({ ...stored, manifest: { ...stored.manifest, ...fields } });

/** With another first element. */
function withTensor(name: string, change: (x: number) => number): Case {
  const { data, ...rest } = golden(stored.tensors, name);
  const changed = data.map((x, i) => (i === 0 ? change(x) : x));
  return { ...stored, tensors: new Map([...stored.tensors, [name, { ...rest, data: changed }]]) };
}

test("a first gradient that is wrong by 5 % is named alone", async () => {
  const name = "grad.first_step.transformer_blocks.0.attn2.to_k.lora_B.weight";
  const reasons = await replay(
    withTensor(name, (x) => x * 1.05),
    engine,
  );
  assert.is(reasons.length, 1);
  assert.ok(reasons[0]?.startsWith(`${name}[0, 0]: `), reasons[0]);
});

test("a gradient that is missing, or too many, fails", async () => {
  const name = "grad.first_step.transformer_blocks.0.attn1.to_q.lora_B.weight";
  const without = new Map([...stored.tensors].filter(([key]) => key !== name));
  assert.equal(await replay({ ...stored, tensors: without }, engine), [`${name}: made, but the case has none`]);
  const more = new Map([...stored.tensors, ["grad.first_step.other", golden(stored.tensors, name)] as const]);
  assert.match((await replay({ ...stored, tensors: more }, engine)).join(), /^grad\.first_step\.other: stored, but/);
});

test("without its connectors, or with other registers, a case fails", async () => {
  const none = await replay(withManifest({ embeddings_processor: "none" }), engine);
  assert.ok(none.some((reason) => reason.startsWith("grad.first_step.")));
  const settings = { ...stored.manifest["embeddings_processor"], num_learnable_registers: null };
  const others = await replay(withManifest({ embeddings_processor: settings }), engine);
  assert.ok(others.some((reason) => reason.startsWith("out.loss")));
});

test("settings that nobody reads, or that the project has not, fail", async () => {
  const { optimization } = stored.manifest;
  assert.equal(await replay(withManifest({ optimization: { ...optimization, amsgrad: true } }), engine), [
    "the manifest has the unknown key optimization.amsgrad",
  ]);
  const reasons = await replay(withManifest({ optimization: { ...optimization, weight_decay: 0.1 } }), engine);
  assert.equal(reasons, ["weight_decay is 0.01, expected 0.1"]);
});

test("a logged number that is wrong fails", async () => {
  const [first, ...rest] = stored.manifest["logged_metrics"];
  const reasons = await replay(withManifest({ logged_metrics: [{ ...first, "train/loss": 7 }, ...rest] }), engine);
  assert.is(reasons.length, 1);
  assert.match(reasons[0] ?? "", /^train\/loss after step 1/);
});

test.run();
