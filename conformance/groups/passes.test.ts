// One step of strategies with passes, on engines of this project, against the same step in PyTorch: `../passes/make_vectors.py`.
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openEngine } from "../../runtime/engine/index.ts";
import { folders, golden, loadCase } from "../case.ts";
import { replay } from "./passes.ts";

const test = suite("passes against PyTorch");
const vectors = fileURLToPath(new URL("../vectors", import.meta.url));
const names = await folders(`${vectors}/passes`);

for (const engineName of ["cpu", "wasm", "onnx"] as const) {
  test(`losses and gradients of a step, on ${engineName}`, async () => {
    const { engine } = await openEngine(engineName);
    const before = engine.memory().tensors;
    assert.equal(names, ["diffusion_dpo", "guidance_distillation"]);
    for (const name of names) assert.equal(await replay(await loadCase(vectors, "passes", name), engine), [], name);
    assert.is(engine.memory().tensors, before);
  });
}

test("a loss and a gradient that are wrong by little are named", async () => {
  const { engine } = await openEngine("wasm");
  for (const name of names) {
    const stored = await loadCase(vectors, "passes", name);
    for (const changed of ["out.loss", "grad.transformer_blocks.1.attn1.to_q.lora_A.weight"]) {
      const { data, ...rest } = golden(stored.tensors, changed);
      const wrong = { ...rest, data: data.map((x, i) => (i === 0 ? x + 5e-5 : x)) };
      const reasons = await replay({ ...stored, tensors: new Map([...stored.tensors, [changed, wrong]]) }, engine);
      assert.is(reasons.length, 1);
      assert.ok(reasons[0]?.startsWith(`${changed}[0`), reasons[0]);
    }
  }
});

test.run();
