import { rm } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { RunConfig } from "../../runtime/config/index.ts";
import { writeModel } from "../init/model.ts";
import { ltxc, project } from "../testing/testing.ts";
import { offloadFindings } from "./offload.ts";

const test = suite("weights on the host");
const folder = await project();
test.after(() => rm(folder, { recursive: true }));

interface Json {
  readonly residentBytes: number;
  readonly plan: { readonly largest: { readonly memory: { readonly weights: number } } };
}

test("`auto` leaves weights on the host where the run fits only so, and says it", async () => {
  await writeModel(join(folder, "models/tiny-ltx2.safetensors"), { num_layers: 12 });
  // With the other settings that save memory already there, fewer plans are made.
  const least = ["optimizer_type=adamw8bit", "batch_size=1", "enable_gradient_checkpointing=true"];
  const set = least.flatMap((setting) => ["--set", `optimization.${setting}`]);
  const on = async (offload: string) => {
    const options = ["--gpu", "24 GB", ...set, "--set", `runtime.offload=${offload}`];
    return JSON.parse((await ltxc(["plan", "--json", ...options], { cwd: folder })).out) as Json;
  };
  const [all, two] = [await on("none"), await on("blocks")];
  const saved = all.plan.largest.memory.weights - two.plan.largest.memory.weights;
  assert.ok(saved > 0.5 * all.plan.largest.memory.weights, `${saved} of ${all.plan.largest.memory.weights}`);
  assert.is(all.residentBytes - two.residentBytes, saved);
  const between = `${((all.residentBytes + two.residentBytes) / 2 / 0.98 / 2 ** 30).toFixed(6)} GB`;
  const { out } = await ltxc(["plan", "--gpu", between, ...set], { cwd: folder });
  assert.match(out, /^ {2}offload +weights of blocks wait on the host until they are needed/m);
  assert.match(out, /^It fits: a card with/m);
});

test("where it has no effect, the reason is said", () => {
  const config = (training_mode: string, offload: string) =>
    ({ model: { training_mode }, runtime: { offload } }) as unknown as RunConfig;
  const said = (engine: "onnx" | "torch" | "cpu", mode = "lora", offload = "blocks") =>
    offloadFindings(config(mode, offload), engine)[0]?.message ?? null;
  assert.match(said("onnx") ?? "", "maps the weights from their file already");
  assert.match(said("cpu") ?? "", "only the engine torch can do so, not cpu");
  assert.match(said("torch", "full") ?? "", "a full training has no frozen weights");
  assert.equal([said("torch"), said("onnx", "lora", "auto")], [null, null]);
});

test.run();
