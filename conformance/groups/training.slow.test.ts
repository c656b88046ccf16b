import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openEngine } from "../../runtime/engine/index.ts";
import { golden, loadCase } from "../case.ts";
import { replay } from "./training.ts";
import { withManifest } from "./with-manifest.ts";

const test = suite("training cases with other parts");
const vectors = fileURLToPath(new URL("../vectors", import.meta.url));
const { engine } = await openEngine("wasm");
const stored = await loadCase(vectors, "training", "av_i2v_accum2_connectors");

test("a gradient that is missing, or too many, fails", async () => {
  const name = "grad.first_step.transformer_blocks.0.attn1.to_q.lora_B.weight";
  const without = new Map([...stored.tensors].filter(([key]) => key !== name));
  assert.equal(await replay({ ...stored, tensors: without }, engine), [`${name}: made, but the case has none`]);
  const more = new Map([...stored.tensors, ["grad.first_step.other", golden(stored.tensors, name)] as const]);
  assert.match((await replay({ ...stored, tensors: more }, engine)).join(), /^grad\.first_step\.other: stored, but/);
});

test("without its connectors, or with other registers, a case fails", async () => {
  const none = await replay(withManifest(stored, { embeddings_processor: "none" }), engine);
  assert.ok(none.some((reason) => reason.startsWith("grad.first_step.")));
  const settings = { ...stored.manifest["embeddings_processor"], num_learnable_registers: null };
  const others = await replay(withManifest(stored, { embeddings_processor: settings }), engine);
  assert.ok(others.some((reason) => reason.startsWith("out.loss")));
});

test.run();
