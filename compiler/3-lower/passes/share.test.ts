// What a program says several times is calculated once, and nothing else changes.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { emitIr } from "../../index.ts";

const test = suite("sharing");

/** Lines of the typed program, without the type. */
function linesOf(video: string, loss: string): string[] {
  const { text, diagnostics } = emitIr({
    path: "a.strategy",
    text: `strategy: a
sources:
  latents: {directory: latents, kind: video_latents}
  hole: {directory: hole, kind: video_mask}
  conditions: {directory: conditions, kind: text_embeddings}
let:
  unused_twice(x): x + x
video:
  latents: latents
${video}loss:
${loss}`,
  });
  assert.equal(
    diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message),
    [],
  );
  return (text ?? "").split("\n").map((line) => line.trim().replace(/^([\w.]+): .*? = /, "$1 = "));
}

const velocity = "  velocity: mse(video.prediction, video.target)\n";

test("a value that two statements need gets a name, before the first of them", () => {
  const lines = linesOf(
    "  sigma: sampled() per frame\n  keep: prefix(1) or suffix(1)\n",
    `${velocity.trimEnd()} over video.generated\n`,
  );
  assert.ok(lines.includes("video.frameIndex = video.frame_index"));
  assert.ok(
    lines.includes(
      "video.keep = broadcast(or(less(video.frameIndex, 1), less(sub(sub(video.frames, 1), video.frameIndex), 1)))",
    ),
  );
  assert.ok(
    lines.indexOf("video.frameIndex = video.frame_index") < lines.findIndex((line) => line.startsWith("video.keep")),
  );
  assert.ok(lines.includes("video.sigma.tokens = tokens(video.sigma)"));
});

test("a value inside of a shared one gets no name of its own", () => {
  const lines = linesOf(
    "",
    `${velocity}  a: mean(unused_twice(abs(video.prediction * 3)))\n  b: hole_size()\n`.replace(
      "  b: hole_size()\n",
      "",
    ),
  );
  const parts = lines.filter((line) => line.startsWith("loss.size"));
  assert.equal(parts, ["loss.size = abs(mul(video.prediction, 3))"]);
});

test("a binding that says the same as an earlier one refers to it", () => {
  const keys = "  keep: hole > 0.5\n  noise: randn() * float(hole > 0.5)\n";
  const lines = linesOf(keys, "  a: mse(video.prediction, video.target) over video.generated\n");
  assert.is(lines.filter((line) => line.includes("greater(source hole")).length, 1);
  assert.ok(
    lines.some((line) => /^video.noise = .*float\(video.keep\)/.test(line)),
    lines.join("\n"),
  );
});

test("names, sources and plain numbers get none", () => {
  const lines = linesOf("", `${velocity}  a: mean(video.prediction * hole) + mean(hole + video.prediction)\n`);
  assert.not.ok(
    lines.some((line) => /^loss\.(part|sum|mean|product|difference) /.test(line)),
    lines.join("\n"),
  );
});

test.run();
