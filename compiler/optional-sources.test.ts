// Sources that some samples lack: what `has` says, what enters the model in their place, and which reads are refused.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Batch } from "../runtime/contract.ts";
import { B, batchOf, kept, keptMask, near, run } from "../scripts/run-strategy.ts";
import { check, compilePython } from "./index.ts";

const test = suite("optional sources");

const strategy = (
  { video = "", audio = "", lets = "", loss = "" }: Partial<Record<"video" | "audio" | "lets" | "loss", string>>,
  sources = "",
): string => `strategy: test
sources:
  latents: {directory: latents, kind: video_latents}
  sound: {directory: sound, kind: audio_latents, optional: true}
  depth: {directory: depth, kind: video_latents, optional: true}
  canny: {directory: canny, kind: video_latents, optional: true}
  hole: {directory: hole, kind: video_mask, optional: true}
  conditions: {directory: conditions, kind: text_embeddings}
${sources}${lets === "" ? "" : `let:\n${lets}`}video:
  latents: latents
${video}${audio}loss:
  velocity: mse(video.prediction, video.target)
${loss}`;

const audio = "audio:\n  latents: sound\n";

/** Of two samples those that have the sources; without names both have all. */
function having(first: readonly string[], second: readonly string[]): Batch {
  const names = ["sound", "depth", "canny", "hole", "captions"];
  const marks = names.map((name) => [name, keptMask([first, second].map((has) => has.includes(name)))] as const);
  const lacks = names.filter((name) => !first.includes(name) && !second.includes(name));
  const batch = batchOf();
  const captions = { ...batch.sources["conditions"], video: kept([B, 1, 1], () => 7) };
  return {
    ...batch,
    sources: { ...batch.sources, captions } as Batch["sources"],
    marks: Object.fromEntries(marks),
    lacks,
  };
}

const all = ["sound", "depth", "canny", "hole", "captions"];

const findings = (text: string): string[] =>
  check({ path: "test.strategy", text })
    .diagnostics.filter(({ code }) => code !== "LTX5003" && code !== "LTX5031")
    .map(({ code, message }) => `${code} ${message}`);

test("`has` is a mask over the samples, in expressions and as the region of a loss", async () => {
  const text = strategy({
    loss:
      "  choice: if has(depth) then mean(depth) else 5\n" +
      "  region: mse(video.prediction, tokens(depth)) over has(depth)\n" +
      "  alone: mse(video.prediction, tokens(depth)) over has(depth) over (hole > 0.5 and has(hole))\n",
  });
  const { values } = await run(text, {}, having(all, ["sound", "hole"]));
  assert.is(values.get("loss.choice")?.[1], 5);
  assert.is.not(values.get("loss.choice")?.[0], 5);
  assert.is(values.get("loss.region")?.[1], 0);
  assert.ok((values.get("loss.region")?.[0] ?? 0) > 0);
  assert.is(values.get("loss.alone")?.[1], 0);
});

test("samples without optional audio enter as noise of level 1, whatever is written", async () => {
  const loss = "  audio: mse(audio.prediction, audio.target) over has(sound)\n";
  const { values } = await run(strategy({ audio, loss }), {}, having(all, []));
  near(values.get("audio.sigma"), [0.25, 1]);
  const timesteps = values.get("audio.timesteps") ?? [];
  assert.equal([...new Set(timesteps.slice(4))], [1]);
  assert.is(values.get("loss.audio")?.[1], 0);
  assert.ok((values.get("loss.audio")?.[0] ?? 0) > 0);
  const ofGenerated = loss.replace("over", "over audio.generated over");
  const text = strategy({ audio: `${audio}  keep: first_frame\n`, loss: ofGenerated });
  const kept = await run(text, {}, having(all, []));
  near(kept.values.get("audio.timesteps"), [0, 0.25, 0.25, 0.25, 1, 1, 1, 1]);
  // All of the second sample is the noise that the first draws, too, at other places.
  const [plain, ofKept] = [values.get("audio.latent") ?? [], kept.values.get("audio.latent") ?? []];
  near(ofKept.slice(8), plain.slice(8));
});

test("what a sample lacks changes nothing, whatever stands in its place", async () => {
  const loss =
    "  audio: mse(audio.prediction, audio.target) over has(sound)\n" +
    "  depth: if has(depth) then mean(abs(video.denoised - tokens(depth))) / mean(depth) else mean(video.denoised)\n";
  const text = strategy({ video: "  keep: has(hole) and hole > 0.5\n", audio, loss }).replace(
    "video.target)",
    "video.target) over video.generated",
  );
  const outcome = async (sound: number, depth: number) => {
    const batch = having(["sound"], ["depth"]);
    const changed = (name: "sound" | "depth", sample: number, value: number) => {
      const source = batch.sources[name] as Extract<Batch["sources"][string], { latents: unknown }>;
      const size = source.latents.shape.slice(1).reduce((a, b) => a * b, 1);
      return { ...source, latents: kept(source.latents.shape, (i) => (i < size === (sample === 0) ? value : i + 1)) };
    };
    const sources = { ...batch.sources, sound: changed("sound", 1, sound), depth: changed("depth", 0, depth) };
    const { values } = await run(text, {}, { ...batch, sources });
    return [...values].filter(([name]) => !/target|generated/.test(name));
  };
  assert.equal(await outcome(3, 5), await outcome(-7, 11));
});

test("a reference takes part in batches that have it", async () => {
  const text = strategy({ video: "  references: [canny, depth with probability 1]\n" });
  const tokens = async (first: string[], second = first) =>
    (await run(text, {}, having(first, second))).values.get("video.timesteps")?.length;
  assert.is(await tokens(["canny", "depth"]), 2 * (6 + 12 + 12));
  assert.is(await tokens(["canny"]), 2 * (6 + 12));
  assert.is(await tokens(["depth"]), 2 * (12 + 12));
  assert.is(await tokens([]), 2 * 12);
});

test("a text that samples may lack is followed by what the others get", async () => {
  const captions = "  captions: {directory: captions, kind: text_embeddings, optional: true}\n";
  const text = strategy({ video: "  text: [captions, conditions]\n" }, captions);
  const { values } = await run(text, {}, having(["captions"], []));
  assert.equal(values.get("video.context"), [7, 0]);
  const rarely = strategy({ video: "  text:\n    - captions with probability 0\n    - conditions\n" }, captions);
  assert.equal((await run(rarely, {}, having(["captions"], []))).values.get("video.context"), [0, 0]);
  const last = strategy({ video: "  text: captions\n" }, captions);
  assert.match(findings(last).join(), /LTX5074 `captions` is needed by every sample: `video` attends to it/);
});

const reads = (what: string) => [`LTX5073 ${what}`];
const depthIsRead = reads("`depth` is read in samples that may lack it");

test("reads outside of a guard are refused, each once", () => {
  const unguarded = [
    "mse(video.prediction, tokens(depth))",
    "float(has(depth)) * mse(video.prediction, tokens(depth))",
    "mse(video.prediction, tokens(depth)) over not has(depth)",
    "if not has(depth) then mean(depth) else 0",
    "if has(depth) or has(hole) then mean(depth) else 0",
    "if has(canny) then mean(depth) else 0",
    "mean(if has(depth) then 1 else depth)",
    "if has(depth) then mean(others(depth)) else 0",
    "depth.frames * mse(video.prediction, video.target)",
    "mean(video.prediction) * mean(depth) + mean(depth)",
  ];
  for (const loss of unguarded) assert.equal(findings(strategy({ loss: `  x: ${loss}\n` })), depthIsRead, loss);
});

test("reads inside of a guard are not", () => {
  const guarded = [
    "if has(depth) then mean(depth) else 0",
    "if not has(depth) then 0 else mean(depth)",
    "if has(depth) and mean(depth) > 0 then 1 else 0",
    "if not has(depth) or mean(depth) > 0 then 1 else 0",
    "if there then mean(depth) else 0",
    "where(has(depth) and has(hole), mean(depth) + mean(hole), 0)",
    "mse(video.prediction, tokens(depth)) over has(depth)",
    "mse(video.prediction, tokens(depth)) over (has(depth) and video.first_frame)",
    "mean(others(if has(depth) then mean(depth) else 0))",
    "if has(hole) then (if has(depth) then mean(depth) * mean(hole) else 0) else 0",
  ];
  const lets = "  there: has(depth)\n";
  for (const loss of guarded) {
    const found = findings(strategy({ lets: loss.includes("there") ? lets : "", loss: `  x: ${loss}\n` }));
    assert.equal(
      found.filter((each) => /LTX507/.test(each)),
      [],
      loss,
    );
  }
});

test("what the model is given is guarded, too", () => {
  const keep = (mask: string) => findings(strategy({ video: `  keep: ${mask}\n` })).filter((f) => f.includes("LTX507"));
  assert.equal(keep("hole > 0.5"), reads("`hole` is read in samples that may lack it"));
  assert.equal(keep("has(hole) and hole > 0.5"), []);
  assert.match(findings(strategy({ video: "  noise: 0.5 * tokens(depth)\n" })).join(), /LTX5073 `depth`/);
  assert.match(
    findings(`${strategy({})}metadata:\n  f: "\${latents.height / canny.height}"\n`).join(),
    /LTX5073 `canny`/,
  );
  assert.match(findings(`${strategy({})}expect:\n  - depth > 0\n`).join(), /LTX5073 `depth`/);
  const sigma = '  references:\n    - {source: depth, sigma: "uniform(0, 0.1)"}\n';
  assert.equal(findings(strategy({ video: sigma })), []);
});

test("the target and the prediction of optional audio are read where there is some", () => {
  const loss = (text: string) => findings(strategy({ audio, loss: `  audio: ${text}\n` }));
  const [only, ...more] = loss("mse(audio.prediction, audio.target)");
  assert.match(only ?? "", /LTX5073 what the model makes of `audio` means nothing in samples without `sound`/);
  assert.equal(more, []);
  assert.equal(loss("mse(audio.prediction, audio.target) over has(sound)"), []);
  assert.equal(loss("if has(sound) then mse(audio.denoised, audio.clean) else 0"), []);
  const taps = "outputs:\n  mid: {tap: block 1, modality: audio}\n";
  const tapped = (term: string) =>
    findings(
      strategy({
        audio,
        loss: `  heard: mse(audio.prediction, audio.target) over has(sound)\n  tap: ${term}\n${taps}`,
      }),
    );
  assert.match(tapped("mean(mid^2)").join(), /LTX5073 what the model makes of `audio`/);
  assert.equal(tapped("if has(sound) then mean(mid^2) else 0"), []);
});

test("what every sample needs is not optional", () => {
  const needed = (text: string) => findings(text).find((each) => each.includes("LTX5074")) ?? "";
  const plain = strategy({});
  const optional = (source: string) => plain.replace(new RegExp(`(${source}: \\{.*)\\}`), "$1, optional: true}");
  assert.match(needed(optional("  latents")), /`latents` is needed by every sample: its grid/);
  assert.match(needed(optional("conditions")), /`conditions`.*attends to it/);
  assert.match(needed(strategy({ audio: `${audio}  generate: false\n` })), /`sound`.*a frozen modality enters clean/);
  const worse = "  worse: {directory: worse, kind: video_latents, like: latents, optional: true}\n";
  const passes = "passes:\n  lose: {video: {latents: worse}}\n";
  const withPass = strategy({ loss: "  x: mean(lose.video.prediction)\n" }, worse + passes);
  assert.match(needed(withPass), /`worse`.*the pass `lose` calls the model with it/);
});

test("`has` asks for an optional source", () => {
  const asked = (of: string) => findings(strategy({ loss: `  x: if has(${of}) then 1 else mean(video.sigma)\n` }));
  assert.match(asked("latents").join(), /LTX5072 every sample has `latents`/);
  assert.match(asked("video").join(), /LTX3001|LTX5072/);
  assert.match(asked("dept").join(), /LTX3001 nothing is named `dept`/);
  assert.match(asked("1").join(), /LTX5072 `has` asks for a source that is optional; this is none/);
});

test("a value that is named `has` keeps its meaning", () => {
  assert.equal(
    findings(strategy({ lets: "  has: 2\n", loss: "  x: has * mse(video.prediction, video.target)\n" })),
    [],
  );
});

test("the official trainer leaves such samples out, so its target refuses the source", () => {
  const { diagnostics } = compilePython({
    path: "test.strategy",
    text: strategy({ audio, loss: "  a: mse(audio.prediction, audio.target) over has(sound)\n" }),
  });
  const refused = diagnostics.filter(({ code }) => code === "LTX6389");
  assert.is(refused.length, 4);
});

test.run();
