import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openEngine } from "../../runtime/engine/index.ts";
import { golden, loadCase, type Case } from "../case.ts";
import { replay } from "./training.ts";
import { withManifest } from "./with-manifest.ts";

const test = suite("wrong training cases");
const vectors = fileURLToPath(new URL("../vectors", import.meta.url));
const { engine } = await openEngine("wasm");
const stored = await loadCase(vectors, "training", "av_i2v_accum2_connectors");

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

test("settings that nobody reads, or that the project has not, fail", async () => {
  const { optimization } = stored.manifest;
  assert.equal(await replay(withManifest(stored, { optimization: { ...optimization, amsgrad: true } }), engine), [
    "the manifest has the unknown key optimization.amsgrad",
  ]);
  const reasons = await replay(withManifest(stored, { optimization: { ...optimization, weight_decay: 0.1 } }), engine);
  assert.equal(reasons, ["weight_decay is 0.01, expected 0.1"]);
});

test("a logged number that is wrong fails", async () => {
  const [first, ...rest] = stored.manifest["logged_metrics"];
  const reasons = await replay(
    withManifest(stored, { logged_metrics: [{ ...first, "train/loss": 7 }, ...rest] }),
    engine,
  );
  assert.is(reasons.length, 1);
  assert.match(reasons[0] ?? "", /^train\/loss after step 1/);
});

test.run();
