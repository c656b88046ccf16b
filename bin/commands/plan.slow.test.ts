import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { makeEmptyTorch } from "../../runtime/testing/empty-torch.ts";
import { expectSums, planned } from "../testing/planned.ts";
import { writeModel } from "../init/model.ts";
import { ltxc, project } from "../testing/testing.ts";

interface PlanJson {
  readonly residentBytes: number;
  readonly plan: { readonly largest: { readonly memory: { readonly weights: number; readonly step: number } } };
}

interface CardPlan {
  readonly engine: object;
  readonly fits: boolean;
  readonly gpu: { readonly title: string; readonly bytes: number } | null;
  readonly speed: { readonly computedFor?: string } | null;
  readonly secondsPerStep: number | null;
  readonly residentBytes: number;
  readonly plan: { readonly largest: { readonly memory: Readonly<Record<string, number>> } };
}

const test = suite("plans compared");
const folder = await project();
test.after(() => rm(folder, { recursive: true }));

test("settings of the command line count", async () => {
  const [one, three] = [
    await planned(folder, "optimization.batch_size=1"),
    await planned(folder, "optimization.batch_size=3"),
  ];
  const [a = 0, b = 0] = [one, three].map(({ plan }) => plan.largest.memory["step"] ?? 0);
  assert.ok(b > 2 * a && b < 4 * a, `${a} and ${b}`);
  const eight = await planned(folder, "optimization.optimizer_type=adamw8bit");
  assert.is(eight.plan.largest.memory["optimizer"], (eight.plan.largest.memory["trained"] ?? 0) / 2);
});

const settings = {
  "a larger batch": ["optimization.batch_size=4", "optimization.gradient_accumulation_steps=3"],
  "eight bits": ["optimization.optimizer_type=adamw8bit", "optimization.enable_gradient_checkpointing=true"],
  "full training": ["model.training_mode=full", "optimization.batch_size=1"],
  "a higher rank": ["lora.rank=32", "lora.alpha=32"],
};

for (const [name, set] of Object.entries(settings)) test(`the parts add up: ${name}`, () => expectSums(folder, set));

test("no advice costs as much memory as what there is, whatever the settings", async () => {
  const choices = ["adamw", "adamw8bit"].flatMap((optimizer) =>
    [true, false].flatMap((checkpointing) =>
      [1, 3].flatMap((batch) =>
        [1, 2].map((accumulation) => [
          `optimization.optimizer_type=${optimizer}`,
          `optimization.enable_gradient_checkpointing=${checkpointing}`,
          `optimization.batch_size=${batch}`,
          `optimization.gradient_accumulation_steps=${accumulation}`,
        ]),
      ),
    ),
  );
  assert.is(choices.length, 16);
  let offered = 0;
  for (const set of choices) {
    const { alternatives, residentBytes, plan } = await planned(folder, ...set);
    assert.is(
      Object.values(plan.largest.memory).reduce((a, b) => a + b),
      residentBytes,
    );
    for (const { settings, residentBytes: less } of alternatives)
      assert.ok(less < residentBytes, `${set.join(" ")}: ${settings.join(" ")} takes ${less} of ${residentBytes}`);
    offered += alternatives.length;
  }
  assert.ok(offered > 16, `only ${offered} offered`);
});

test("a run on torch is reckoned for it: a base model in bfloat16 takes smaller activations", async () => {
  if (process.platform !== "linux") return;
  const torch = await mkdtemp(join(tmpdir(), "ltxc-plan-torch-"));
  await makeEmptyTorch(torch, "2.13.0");
  const on = (precision: string) => [
    `acceleration.mixed_precision_mode="${precision}"`,
    "runtime.engine=torch",
    "runtime.provider=cuda",
    `runtime.torch=${torch}`,
  ];
  try {
    const [narrow, wide] = [await planned(folder, ...on("bf16")), await planned(folder, ...on("no"))];
    assert.equal(narrow.engine, { name: "torch", provider: "cuda", precision: "bfloat16" });
    assert.equal(wide.engine, { name: "torch", provider: "cuda", precision: "float32" });
    const stepOf = ({ plan }: typeof wide) => plan.largest.memory["step"] ?? NaN;
    assert.ok(stepOf(narrow) < 0.8 * stepOf(wide), `${stepOf(narrow)} and ${stepOf(wide)}`);
  } finally {
    await rm(torch, { recursive: true });
  }
});

test("where nothing fits, it is said with how many frames or with which picture it would", async () => {
  const least = ["optimizer_type=adamw8bit", "batch_size=1", "enable_gradient_checkpointing=true"];
  const set = least.flatMap((setting) => ["--set", `optimization.${setting}`]);
  const { out } = await ltxc(["plan", "--json", "--gpu", "24 GB", ...set], { cwd: folder });
  const { residentBytes, plan } = JSON.parse(out) as PlanJson;
  // A card on which a fifth of what a step makes is too much.
  const wanted = residentBytes - 0.2 * plan.largest.memory.step;
  const card = `${(wanted / 0.98 / 2 ** 30).toFixed(6)} GB`;
  const { out: text, code } = await ltxc(["plan", "--gpu", card, "--table", ...set], { cwd: folder });
  assert.is(code, 1);
  assert.match(text, /^As it is and with other settings\n {2}as it is +about \d+\.\d MiB {2}\d+\.\d KiB too much$/m);
  // The clips are 17 x 192 x 192.
  assert.match(text, /^ {2}9 frames instead of 17 +about \d+\.\d MiB {2}fits$/m);
  assert.match(text, /It would with 9 frames instead of 17, or with \d+ x \d+ pixels instead of 192 x 192\.$/m);
  // With the setting that is left out here the samples fit as they are.
  const fitting = `${(residentBytes / 0.98 / 2 ** 30 + 1e-6).toFixed(6)} GB`;
  const more = await ltxc(["plan", "--gpu", fitting, "--table", ...set.slice(0, 4)], { cwd: folder });
  assert.match(more.out, /^ {2}checkpointing +about \d+\.\d MiB {2}fits$/m);
  assert.not.match(more.out, /checkpointing and .* instead of/);
});

test("`auto` leaves weights on the host where the run fits only so, and says it", async () => {
  await writeModel(join(folder, "models/tiny-ltx2.safetensors"), { num_layers: 12 });
  // With the other settings that save memory already there, fewer plans are made.
  const least = ["optimizer_type=adamw8bit", "batch_size=1", "enable_gradient_checkpointing=true"];
  const set = least.flatMap((setting) => ["--set", `optimization.${setting}`]);
  const on = async (offload: string) => {
    const options = ["--gpu", "24 GB", ...set, "--set", `runtime.offload=${offload}`];
    return JSON.parse((await ltxc(["plan", "--json", ...options], { cwd: folder })).out) as PlanJson;
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

test("--gpu plans for a card that is not here, by its name or its memory", async () => {
  const on = async (...options: string[]) => {
    const { out, code } = await ltxc(["plan", "--json", ...options], { cwd: folder });
    return { ...(JSON.parse(out) as CardPlan), code };
  };
  const [named, sized] = [await on("--gpu", "RTX 4090"), await on("--gpu", "24 GB")];
  assert.equal(named.engine, { name: "torch", provider: "cuda", precision: "bfloat16" });
  assert.equal(named.gpu, { title: "RTX 4090 (24 GiB)", bytes: Math.round(0.98 * 24 * 2 ** 30) });
  assert.is(named.speed?.computedFor, "RTX 4090");
  assert.equal([sized.speed, sized.secondsPerStep, sized.gpu?.bytes], [null, null, named.gpu?.bytes]);
  assert.ok(named.fits && named.code === 0);
  const { out } = await ltxc(["plan", "--gpu", "h100"], { cwd: folder });
  assert.match(
    out,
    /^train\.yaml on the engine torch on cuda, in bfloat16, for H100 \(80 GiB\); the run config says `engine: wasm`, /m,
  );
  assert.match(out, /^ {2}speed +494500 GFLOP\/s, 2345 GB\/s: computed, not measured/m);
  assert.match(out, /^It fits: H100 \(80 GiB\) has about 78\.4 GiB for a run\.$/m);
});

test.run();
