// Data sets that are mixed: what `in` says, which reads it guards, and what of their shares and sources is refused.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { batchOf, keptMask, run } from "../scripts/run-strategy.ts";
import { check, compilePython } from "./index.ts";

const test = suite("data sets");

const usual = "  subject: {}\n  prior: {root: class_clips, share: 0.5, without: [depth]}\n";

const strategy = (loss: string, datasets = usual, more = "") => `strategy: test
params: {part: {type: number, default: 0.5}, folder: {type: string, default: class_clips}}
sources:
  latents: {directory: latents, kind: video_latents}
  depth: {directory: depth, kind: video_latents}
  hole: {directory: hole, kind: video_mask, optional: true}
  conditions: {directory: conditions, kind: text_embeddings}
datasets:
${datasets}video:
  latents: latents
${more}loss:
  velocity: mse(video.prediction, video.target)
  x: ${loss}
`;

const findings = (text: string): string[] =>
  check({ path: "test.strategy", text })
    .diagnostics.filter(({ code }) => code !== "LTX5003" && code !== "LTX5031")
    .map(({ code, message }) => `${code} ${message}`);

const factor = (mask: string) => strategy(`(if ${mask} then 3 else 1) * mse(video.prediction, video.target)`);

test("`in` is a mask over the samples, and the region of a loss", async () => {
  const marks = { prior: keptMask([false, true]), subject: keptMask([true, false]), depth: keptMask([true, false]) };
  const { values, step } = await run(factor("in(prior)"), {}, { ...batchOf(), marks });
  const [own, other] = values.get("loss.velocity") ?? [];
  assert.equal(values.get("loss.x"), [own, Math.fround(3 * (other ?? 0))]);
  assert.equal(step.strategy.datasets, [
    { name: "subject" },
    { name: "prior", root: "class_clips", share: 0.5, without: ["depth"] },
  ]);
  const region = strategy("mse(video.prediction, video.target) over in(prior)");
  assert.equal((await run(region, {}, { ...batchOf(), marks })).values.get("loss.x"), [0, other]);
});

test("a data set without a source is where the others have it", () => {
  const read = "mse(video.denoised, tokens(depth))";
  const guarded = [
    `if in(subject) then ${read} else 0`,
    `if not in(prior) then ${read} else 0`,
    `${read} over in(subject)`,
    `${read} over has(depth)`,
    `${read} over (in(subject) and video.first_frame)`,
    `if in(prior) or not has(depth) then 0 else ${read}`,
  ];
  for (const loss of guarded) assert.equal(findings(strategy(loss)), [], loss);
  const unguarded = [read, `if in(prior) then ${read} else 0`, `if in(subject) or in(prior) then ${read} else 0`];
  for (const loss of unguarded)
    assert.match(findings(strategy(loss)).join(), /^LTX5073 `depth` is read in samples that may lack it$/, loss);
});

test("conditions on several data sets add up", () => {
  const three =
    "  a: {}\n  b: {root: b, share: 0.25, without: [depth]}\n  c: {root: c, share: 0.25, without: [depth]}\n";
  const read = (mask: string) => findings(strategy(`if ${mask} then mean(depth) else 0`, three));
  assert.equal(read("not in(b) and not in(c)"), []);
  assert.equal(read("not (in(b) or in(c))"), []);
  assert.match(read("not in(b)").join(), /LTX5073/);
  // What is optional may be missing in any data set.
  const hole = findings(strategy("if in(a) then mean(hole) else 0", three));
  assert.match(hole.join(), /LTX5073 `hole`/);
});

test("shares are a whole batch, and numbers or parameters", () => {
  const of = (datasets: string) => findings(strategy("mean(video.denoised^2)", datasets)).join();
  assert.equal(of("  subject: {}\n"), "");
  assert.equal(of("  a: {share: 0.25}\n  b: {root: b, share: 0.75}\n"), "");
  assert.equal(of("  a: {}\n  b: {root: '${folder}', share: part}\n"), "");
  assert.match(of("  a: {}\n  b: {root: b}\n"), /LTX5075 `a` and `b` have no share/);
  assert.match(of("  a: {share: 0.5}\n  b: {root: b, share: 0.4}\n"), /LTX5075 the shares are 0.9 together/);
  assert.match(of("  a: {}\n  b: {root: b, share: 0.5}\n  c: {root: c, share: 0.5}\n"), /nothing is left for `a`/);
  assert.match(of("  a: {}\n  b: {root: b, share: folder}\n"), /LTX5075 `share` is a number/);
  assert.match(of("  a: {}\n  b: {root: b, share: prat}\n"), /LTX3001 nothing is named `prat`/);
  assert.match(of("  a: {}\n  b: {root: b, share: 1.5}\n"), /LTX\d+/);
  assert.match(of("  a: {}\n  b: {root: ../b, share: 0.5}\n"), /LTX\d+ .*inside the data root/);
});

test("what every sample needs no data set is without, and `without` lists sources", () => {
  const without = (list: string, more = "") => {
    const datasets = `  subject: {}\n  prior: {root: class_clips, share: 0.5, without: [${list}]}\n`;
    return findings(strategy("mean(video.denoised^2)", datasets, more)).join();
  };
  assert.match(without("latents"), /LTX5074 `latents` is needed by every sample: its grid/);
  assert.match(without("conditions"), /LTX5074 `conditions` is needed/);
  assert.match(
    without("depth", "  references: [depth]\n"),
    /LTX5074 `depth`.*a reference takes part for a whole batch/,
  );
  assert.match(without("depth, depth"), /LTX5076 `depth` is listed twice/);
  assert.match(without("part"), /LTX5076 `without` lists sources; `part` is a parameter/);
  assert.match(without("dept"), /LTX3001 nothing is named `dept`/);
});

test("`in` asks for a data set", () => {
  const [known] = findings(factor("in(depth)"));
  assert.match(known ?? "", /LTX5077 `in` asks for a data set; `depth` is a source/);
  assert.match(findings(factor("in(priro)")).join(), /LTX3001 nothing is named `priro`/);
  assert.match(findings(strategy("prior * mean(video.sigma)")).join(), /LTX4006 `prior` is a data set, not a value/);
  assert.match(findings(factor("has(depth)")).join(), /^$/);
});

test("words of others for data sets are answered with what to write", () => {
  const helps = (text: string) =>
    check({ path: "test.strategy", text }).diagnostics.flatMap(({ code, help }) =>
      code === "LTX5003" ? [] : [help ?? ""],
    );
  const own = "mse(video.prediction, video.target)";
  assert.equal(
    helps(strategy(own, usual.replace("share", "weight"))).map((help) => help.slice(0, 18)),
    ["write `share: 0.5`"],
  );
  assert.match(helps(factor("in prior")).join(), /write `in\(prior\)`/);
  assert.match(helps(factor('dataset == "prior"')).join(), /`in\(prior\)` is true for the samples of a data set/);
  assert.match(helps(factor("exists(hole)")).join(), /`has\(depth\)` is true for the samples that have a file/);
});

test("the official trainer has one data set", () => {
  const { diagnostics } = compilePython({ path: "test.strategy", text: factor("in(prior)") });
  assert.ok(diagnostics.some(({ code, message }) => code === "LTX6389" && message.includes("one data set")));
});

test.run();
