import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openSafetensors, writeSafetensors } from "../../runtime/files/index.ts";
import { configure, ltxc, project } from "../testing/testing.ts";

const test = suite("check of LoRA files");

/** A project that begins with a LoRA of one layer of its model, of rank 3, without a recorded alpha. */
async function beginning(settings: Readonly<Record<string, string | number>>): Promise<string> {
  const cwd = await project();
  const layer = "transformer_blocks.0.attn1.to_q";
  const model = await openSafetensors(join(cwd, "models/tiny-ltx2.safetensors"));
  const [outputs = 0, inputs = 0] = model.tensors.get(`model.diffusion_model.${layer}.weight`)?.shape ?? [];
  await model.close();
  const tensor = (part: string, ...shape: [number, number]) => {
    const data = new Float32Array(shape[0] * shape[1]).fill(0.5);
    return { name: `diffusion_model.${layer}.lora_${part}.weight`, shape, dtype: "F32", data } as const;
  };
  await writeSafetensors(join(cwd, "in.safetensors"), [tensor("A", 3, inputs), tensor("B", outputs, 3)]);
  await configure(cwd, { model_path: "models/tiny-ltx2.safetensors\n  load_checkpoint: in.safetensors", ...settings });
  return cwd;
}

test("another rank is one finding, which --fix corrects; what the run would warn of is said beforehand", async () => {
  const cwd = await beginning({ rank: 4, alpha: 6 });
  const { code, out } = await ltxc(["check", "train.yaml"], { cwd });
  assert.is(code, 1);
  assert.match(out, /^error\[LTX6362\]: .*in\.safetensors has rank 3, `lora\.rank` is 4\n/);
  assert.match(out, "\n1 error\n");
  const fixed = await ltxc(["check", "--fix", "train.yaml"], { cwd });
  assert.match(await readFile(join(cwd, "train.yaml"), "utf8"), /^ {2}rank: 3$/m);
  assert.is(fixed.code, 0, fixed.out);
  assert.match(fixed.out, /warning\[LTX6310\]: .* lacks \d+ of the adapters/);
  assert.match(fixed.out, /warning\[LTX6368\]: .* does not say its alpha; .* so B counts 2 times\n/);
});

test("a layer without a name is one finding, though no layers are left without it", async () => {
  const { code, out } = await ltxc(["check", "train.yaml", "--set", 'lora.target_modules=[""]'], {
    cwd: await project(),
  });
  assert.is(code, 1);
  assert.match(out, "error[LTX6003]: `lora.target_modules[0]` must not be empty");
  assert.match(out, "\n1 error\n");
});

test.run();
