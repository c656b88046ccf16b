import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Bag } from "../diagnostics/bag.ts";
import { sourceFile } from "../source/source-file.ts";
import type { Span } from "../source/span.ts";
import { printExpression } from "./expression/print.ts";
import { parseStrategy } from "./strategy.ts";

const test = suite("strategy syntax");

const text = `
strategy: inpainting
description: >
  Fill the masked
  regions.
params:
  mask_latents_dir: {type: string, default: mask_latents}
  p: {type: number, default: 0.5}
sources:
  latents: {directory: latents, kind: video_latents}
  masks: {directory: "a/\${mask_latents_dir}/b", kind: video_latents}
  dino: {directory: dino, kind: tensor, key: features, axes: [token:video, feature]}
let:
  inpaint: mean(tokens(masks), channel) > p
  pseudo(a, b): |
    sqrt((a - b)^2
      + 1) - 1
video:
  latents: latents
  fps: 24
  generate: true
  keep:
    - not inpaint
    - first_frame with probability p
  sigma: -0.5
loss:
  inpaint: 'mse(video.prediction, video.target) over inpaint'
metadata:
  factor: "\${latents.height / 2}"
`;

function parsed() {
  const bag = new Bag();
  const result = parseStrategy(sourceFile("a.strategy", text), bag);
  assert.equal(bag.sorted(), []);
  assert.ok(result);
  return result.syntax;
}
const at = (span: Span | undefined) => text.slice(span?.start, span?.end);

test("keeps every section in its order", () => {
  const syntax = parsed();
  assert.is(syntax.name?.text, "inpainting");
  assert.is(syntax.description?.value, "Fill the masked regions.\n");
  assert.equal(
    syntax.params.map(({ name, schema }) => [name.text, schema]),
    [
      ["mask_latents_dir", { type: "string", default: "mask_latents" }],
      ["p", { type: "number", default: 0.5 }],
    ],
  );
  assert.equal(
    syntax.sources.map(({ name, kind, key }) => [name.text, kind?.text, key?.value]),
    [
      ["latents", "video_latents", undefined],
      ["masks", "video_latents", undefined],
      ["dino", "tensor", "features"],
    ],
  );
  assert.equal(
    syntax.sources[2]?.axes?.value.map((axis) => axis.text),
    ["token:video", "feature"],
  );
  assert.equal(
    syntax.losses.map(({ name, value }) => [name.text, printExpression(value)]),
    [["inpaint", "mse(video.prediction, video.target) over inpaint"]],
  );
});

test("text with interpolations keeps their places", () => {
  const [, masks] = parsed().sources;
  const parts = masks?.directory?.parts ?? [];
  assert.equal(
    parts.map((part) => (part.kind === "text" ? part.text : printExpression(part.value))),
    ["a/", "mask_latents_dir", "/b"],
  );
  const [, middle] = parts;
  assert.ok(middle?.kind === "expression");
  assert.is(at(middle.span), "${mask_latents_dir}");
  assert.is(at(middle.value.span), "mask_latents_dir");
});

test("a `let` entry in a block scalar points into the file", () => {
  const [, pseudo] = parsed().lets;
  assert.equal(
    pseudo?.binder.parameters?.map((name) => name.text),
    ["a", "b"],
  );
  assert.ok(pseudo?.value.kind === "binary");
  assert.is(at(pseudo.value.operatorSpan), "-");
  assert.is(at(pseudo.value.left.span), "sqrt((a - b)^2\n      + 1)");
});

test("modality keys become expressions and entries", () => {
  const { video, audio } = parsed();
  assert.is(audio, null);
  assert.ok(video?.latents && video.fps && video.sigma && video.keep);
  assert.is(printExpression(video.latents.value), "latents");
  assert.is(printExpression(video.fps.value), "24");
  assert.is(printExpression(video.sigma.value), "-0.5");
  assert.is(video.generate?.value, true);
  assert.equal(
    video.keep.items.map((item) => [printExpression(item.value), item.probability?.kind ?? null, at(item.span)]),
    [
      ["not inpaint", null, "not inpaint"],
      ["first_frame", "name", "first_frame with probability p"],
    ],
  );
  assert.is(at(video.keep.keySpan), "keep");
});

test("wrong shapes are left out in silence", () => {
  const bag = new Bag();
  const result = parseStrategy(
    sourceFile("a", "strategy: [1]\nparams: 3\nsources: {a: 1}\nvideo: x\nloss: {a: [b]}\n"),
    bag,
  );
  assert.equal(bag.sorted(), []);
  assert.is(result?.syntax.name, null);
  assert.equal(result?.syntax.params, []);
  assert.is(result?.syntax.sources[0]?.kind, null);
  assert.is(result?.syntax.losses[0]?.value.kind, "error");
});

test("all mistakes in expressions are reported, each in its place", () => {
  const broken = 'let:\n  a: b &&\n  c(: d\n  e: "x + ?"\nsources: {s: {directory: "x/${y"}}\n';
  const bag = new Bag();
  parseStrategy(sourceFile("a", broken), bag);
  assert.equal(
    bag.sorted().map(({ code, span }) => `${code} ${broken.slice(span.start, span.end)}`),
    ["LTX1103 &&", "LTX1101 ", "LTX1101 ", "LTX1102 ?", "LTX1110 ${y"],
  );
});

test.run();
