import { suite } from "uvu";
import * as assert from "uvu/assert";
import { changes, computedBy, drawsByOthers, evaluatesOthers, otherEngine, type Fingerprint } from "./fingerprint.ts";

const test = suite("fingerprint");

const saved: Fingerprint = {
  optimizer_type: "adamw",
  scheduler_type: "linear",
  training_mode: "lora",
  lora_rank: 8,
  lora_alpha: 8,
  target_modules: ["to_k", "to_q"],
  seed: 42,
  strategy: "inpainting",
  source_hash: "sha256:0123456789abcdef",
  params: { mask_threshold: 0.5, mask_latents_dir: "masks" },
  samples: 8,
  samples_hash: "aa",
};

const lines = (now: Fingerprint, before = saved) =>
  changes(before, now).map(
    ({ path, name, before: old, now: recent }) => `${path.join(".")} | ${name}: ${old} -> ${recent}`,
  );

test("the same run has no changes", () => assert.equal(lines({ ...saved }), []));

test("every setting that changed is told, with its place and both values", () => {
  const now = { ...saved, lora_rank: 4, lora_alpha: 16, target_modules: ["to_q"], seed: 7, scheduler_type: "cosine" };
  assert.equal(lines(now), [
    'optimization.scheduler_type | `optimization.scheduler_type`: "linear" -> "cosine"',
    "lora.rank | `lora.rank`: 8 -> 4",
    "lora.alpha | `lora.alpha`: 8 -> 16",
    'lora.target_modules | `lora.target_modules`: ["to_k","to_q"] -> ["to_q"]',
    "seed | `seed`: 42 -> 7",
  ]);
});

test("other blocks with adapters are a change; a state that tells none had them in all", () => {
  const now = { ...saved, lora_blocks: "2-3" };
  assert.equal(lines(now), ['runtime.lora.blocks | `runtime.lora.blocks`: null -> "2-3"']);
  assert.equal(lines(saved, now), ['runtime.lora.blocks | `runtime.lora.blocks`: "2-3" -> null']);
  const { target_modules: _targets, ...official } = saved;
  assert.equal(lines({ ...official, lora_blocks: "2-3" }, official), []);
});

test("files with other contents are one change, unless one of the runs does not tell or the samples are others", () => {
  const before = { ...saved, contents: { latents: "aaaaaaaabbbbbbbb", conditions: "cccccccc????????" } };
  const contents = { latents: "aaaaaaaaBBBBBBBB", conditions: "CCCCCCCCdddddddd" };
  const [change, ...more] = changes(before, { ...saved, samples: 2, contents });
  assert.equal(more, []);
  assert.is(change?.name, "2 of the 4 data files");
  assert.equal(change?.files, [
    { role: "latents", sample: 1 },
    { role: "conditions", sample: 0 },
  ]);
  assert.equal(changes(saved, { ...saved, contents }), []);
  assert.equal(changes(before, saved), []);
  assert.equal(changes(before, { ...before }), []);
  assert.is(changes(before, { ...saved, contents, samples_hash: "bb" })[0]?.now, "8 others");
});

test("other samples to evaluate with are no change of the run, but of its curve", () => {
  const before = { ...saved, held_out: { names_hash: "aa", contents: { latents: "aaaaaaaa" } } };
  const encodedAgain = { ...saved, held_out: { names_hash: "aa", contents: { latents: "bbbbbbbb" } } };
  const others = { ...saved, held_out: { names_hash: "bb", contents: { latents: "aaaaaaaacccccccc" } } };
  assert.equal(changes(before, encodedAgain), []);
  assert.equal(
    [encodedAgain, others, before, saved].map((now) => evaluatesOthers(before, now)),
    [true, true, false, false],
  );
  assert.is(evaluatesOthers(saved, before), false);
});

test("another base model is told where both runs say theirs", () => {
  const [one, other] = ["sha256:0123456789abcdef", "sha256:ffff456789abcdef"];
  const told = 'model.model_path | the base model: "sha256:0123456789ab" -> "sha256:ffff456789ab"';
  assert.equal(lines({ ...saved, base_model: other }, { ...saved, base_model: one }), [told]);
  assert.equal(lines({ ...saved, base_model: other }), []);
});

test("the strategy's source and each of its params count; of another strategy its name", () => {
  const now = {
    ...saved,
    source_hash: "sha256:ffff456789abcdef",
    params: { ...saved.params, mask_threshold: 0.7, extra: 1 },
  };
  assert.equal(lines(now), [
    'training_strategy.name | the source of `inpainting`: "sha256:0123456789ab" -> "sha256:ffff456789ab"',
    "training_strategy.mask_threshold | `training_strategy.mask_threshold`: 0.5 -> 0.7",
    "training_strategy.extra | `training_strategy.extra`: not set -> 1",
  ]);
  assert.equal(lines({ ...now, strategy: "other" }), [
    'training_strategy.name | `training_strategy.name`: "inpainting" -> "other"',
  ]);
});

test("samples that came, went or were swapped are another data set", () => {
  const place = "data.preprocessed_data_root | the list of samples to train on";
  assert.equal(lines({ ...saved, samples: 9, samples_hash: "bb" }), [`${place}: 8 -> 9`]);
  assert.equal(lines({ ...saved, samples_hash: "bb" }), [`${place}: 8 -> 8 others`]);
});

test("what an older state does not tell counts as unchanged", () => {
  const { optimizer_type, scheduler_type, training_mode } = saved;
  const older = { optimizer_type, scheduler_type, training_mode, lora_rank: 8 };
  assert.equal(lines(saved, older), []);
  assert.equal(lines(saved, { ...older, lora_rank: 4 }), ["lora.rank | `lora.rank`: 4 -> 8"]);
});

test("files of samples are compared by setting; a sample that is new, gone or not readable has not changed", () => {
  const before = { ...saved, drawn: { a: "aaaaaaaa", b: "bbbbbbbb", gone: "cccccccc", unread: "????????" } };
  const now = { ...saved, drawn: { a: "xxxxxxxx", b: "bbbbbbbb", new: "dddddddd", unread: "eeeeeeee" } };
  assert.equal([drawsByOthers(before, now), drawsByOthers(before, before)], [["a"], []]);
  assert.equal([drawsByOthers(saved, now), drawsByOthers(before, saved)], [[], []]);
  assert.equal(changes(before, now), []);
});

test("another engine is one of another name, provider or precision; a state that does not tell has no other", () => {
  const [onCpu, onGpu] = (["cpu", "cuda"] as const).map((provider) => computedBy({ name: "torch", provider }));
  if (onCpu === undefined || onGpu === undefined) throw new Error("no engines");
  const other = (now: typeof onCpu) => otherEngine({ ...saved, computed_by: onCpu }, now);
  assert.equal([other(onCpu), other({ ...onCpu })], [null, null]);
  for (const now of [onGpu, computedBy({ name: "wasm" }), { ...onCpu, precision: "bfloat16" }])
    assert.equal(other(now), onCpu);
  for (const damaged of [undefined, null, 5, {}, { engine: 3, precision: [] }])
    assert.is(otherEngine({ ...saved, computed_by: damaged as never }, onCpu), null);
});

test.run();
