// Networks whose weights are not trained: what they are given, what they give, and what is refused.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { B, near, run, wave } from "../scripts/run-strategy.ts";
import { check, compilePython } from "./index.ts";

const test = suite("networks of the strategy");

const strategy = (networks: string, loss: string, more = "") => `strategy: test
language: 2
sources:
  latents: {directory: latents, kind: video_latents}
  worse: {directory: worse, kind: video_latents}
  pictures: {directory: pictures, kind: tensor, key: rgb, axes: [rgb, pixel_frame, pixel_row, pixel_column]}
  conditions: {directory: conditions, kind: text_embeddings}
networks:
  ${networks}
video:
  latents: latents
${more}loss:
  video: mse(video.prediction, video.target)
  own: ${loss}
`;

const decode = "decode: {architecture: ltx_video_decoder}";

const codes = (...made: Parameters<typeof strategy>): string[] =>
  check({ path: "test.strategy", text: strategy(...made) })
    .diagnostics.filter(({ code }) => code !== "LTX5003")
    .map(({ code, help }) => `${code} ${help ?? ""}`);

const first = async (...made: Parameters<typeof strategy>) => {
  const { values, step } = await run(strategy(...made));
  return { loss: values.get("loss.own"), step };
};

/** The sums of the two channels of each cell of a sample of `latents`, `[2, 2, 2, 3]`. */
const cells = (sample: number): readonly number[] =>
  Array.from({ length: 12 }, (_, cell) => wave(sample * 24 + cell) + wave(sample * 24 + 12 + cell));

test("the decoder is given tokens on their grid, and what it gives is reduced along pixels", async () => {
  // The stand-in makes s, 2 s and 3 s of the sum s of a cell's channels.
  const { loss, step } = await first(decode, "mean(decode(video.clean))");
  near(
    loss,
    Array.from({ length: B }, (_, i) => (2 * cells(i).reduce((a, b) => a + b, 0)) / 12),
  );
  assert.equal(step.strategy.networks, [{ name: "decode", architecture: "ltx_video_decoder", input: "channel" }]);
  const { loss: largest } = await first(decode, "max(max(max(decode(latents), axis=pixel_frame), axis=rgb))");
  near(
    largest,
    Array.from({ length: B }, (_, i) => Math.max(...cells(i).flatMap((s) => [s, 3 * s]))),
  );
});

test("a window is the same part of the grid for all calls of a network", async () => {
  const window = "decode: {architecture: ltx_video_decoder, window: {frames: 1, height: 1, width: 2}}";
  const { loss } = await first(window, "mean(abs(decode(latents) - decode(video.clean)))");
  near(loss, [0, 0]);
  const { loss: one, step } = await first(
    window,
    "max(decode(latents), axis=pixel_column, axis=pixel_row, axis=pixel_frame, axis=rgb)",
  );
  // The largest of two neighbours in one row of one frame.
  const pairs = [0, 1].map((i) =>
    [0, 3, 6, 9].flatMap((row) =>
      [row, row + 1].map((at) =>
        Math.max(
          ...cells(i)
            .slice(at, at + 2)
            .flatMap((s) => [s, 3 * s]),
        ),
      ),
    ),
  );
  one?.forEach((value, i) =>
    assert.ok(
      pairs[i]?.some((pair) => Math.abs(pair - value) < 1e-5),
      `${value}`,
    ),
  );
  assert.equal(step.strategy.networks?.[0]?.window, { frames: 1, height: 1, width: 2 });
});

/** The mean over the cells of a mask of |s|, 2 |s| and 3 |s|, for the sums s of their channels. */
const masked = (chosen: (cell: number) => boolean): readonly number[] =>
  Array.from({ length: B }, (_, i) => {
    const own = cells(i).filter((_, cell) => chosen(cell));
    return (2 * own.reduce((sum, s) => sum + Math.abs(s), 0)) / own.length;
  });

test("a mask of latent cells restricts a loss of pixels, in a window, too", async () => {
  const { loss } = await first(decode, "mae(decode(latents), 0) over (video.frame_index == 1)");
  near(
    loss,
    masked((cell) => cell >= 6),
  );
  const { loss: tokens } = await first(decode, "mae(decode(latents), 0) over (video.column < 2) over video.row");
  near(
    tokens,
    masked((cell) => cell % 3 < 2 && cell % 6 >= 3),
  );
  const all = "decode: {architecture: ltx_video_decoder, window: {width: 1}}";
  const { loss: column } = await first(all, "mae(decode(latents), 0) over (video.frame_index == 0)");
  const columns = [0, 1, 2].map((column) => masked((cell) => cell < 6 && cell % 3 === column));
  assert.ok(
    columns.some((each) => each.every((value, i) => Math.abs(value - (column?.[i] ?? NaN)) < 1e-5)),
    column?.join(),
  );
});

test("layers work along the channels, which their file must have as many of", async () => {
  const judge = "judge: {architecture: [linear 8, gelu, linear 2], from: judge.safetensors, prefix: head.}";
  // The stand-in doubles what it is given.
  const { loss, step } = await first(judge, "mean(judge(video.clean), axis=feature, axis=token)");
  near(
    loss,
    Array.from({ length: B }, (_, i) => cells(i).reduce((a, b) => a + b, 0) / 12),
  );
  assert.equal(step.strategy.networks?.[0], {
    name: "judge",
    architecture: [{ kind: "linear", features: 8 }, { kind: "gelu" }, { kind: "linear", features: 2 }],
    from: "judge.safetensors",
    prefix: "head.",
    input: "channel",
  });
});

test("convolutions are given frames, rows and columns, and pixels as well", () => {
  const see = "see: {architecture: [conv 4 1x3x3, relu, conv 2], from: see.safetensors}";
  assert.equal(codes(see, "mse(see(video.denoised), see(latents))"), []);
  assert.equal(codes(`${decode}\n  ${see}`, "mse(see(decode(video.denoised)), see(pictures))"), []);
  assert.match(codes(see, "mean(see(mean(video.denoised, axis=token)))").join(), /^LTX4032 /);
});

test("pixels are compared with pixels of the same grid, be they decoded or read", () => {
  assert.equal(codes(decode, "mae(decode(video.denoised), pictures)"), []);
  assert.equal(
    codes(`${decode}\n  encode: {architecture: ltx_video_encoder}`, "mse(encode(pictures), video.denoised)"),
    [],
  );
  for (const loss of ["mse(decode(video.denoised), video.clean)", "mean(decode(video.denoised) * video.timesteps)"])
    assert.match(codes(decode, loss).join(), /^LTX4031 decode the other value, too/);
  const small = "small: {architecture: ltx_video_decoder, window: {frames: 1}}";
  assert.match(
    codes(`${decode}\n  ${small}`, "mse(decode(video.denoised), small(video.clean))").join(),
    /^LTX4031 decode both by the same network/,
  );
  const references = "  references: [worse]\n";
  assert.match(codes(decode, "mse(decode(video.denoised), decode(worse))", references).join(), /^LTX4031 decode both/);
  assert.match(codes(decode, "mean(tokens(decode(video.denoised)))").join(), /^LTX4005 /);
});

test("what is wrong is said with what to write", () => {
  assert.match(
    codes("decode: {architecture: ltx_video_decode}", "mean(decode(latents))").join(),
    /^LTX5079 .*ltx_video_decoder/,
  );
  assert.match(codes(decode, "mean(decode(video.sigma))").join(), /^LTX4032 /);
  assert.match(codes(decode, "mean(decode(video.generated))").join(), /^LTX4002 /);
  assert.match(codes(decode, "mean(decode)").join(), /^LTX4003 call it/);
  for (const layers of ["linear 0", "linear x", "conv 4 2x2x2", "liner 4", "linear 4 4"])
    assert.match(
      codes(`judge: {architecture: [${layers}], from: f.safetensors}`, "mean(judge(latents))").join(),
      /^LTX5079 /,
    );
  assert.match(codes("judge: {architecture: [gelu], from: f.safetensors}", "mean(judge(latents))").join(), /^LTX5079 /);
  const type = (result: string) =>
    `judge: {architecture: [linear 4], from: f.safetensors, type: "(x: tokens:video) -> ${result}"}`;
  assert.equal(codes(type("f32[batch, token:video, feature]"), "mse(judge(video.denoised), judge(latents))"), []);
  assert.match(codes(type("f32[batch, feature]"), "mean(judge(latents))").join(), /^LTX5083 /);
  assert.match(codes(type("f32[batch, token:video, feature]"), "mean(judge(pictures))").join(), /^LTX4032 /);
  const fixed =
    "(z: f32[batch, channel, frame, height, width]) -> f32[batch, rgb, pixel_frame, pixel_row, pixel_column]";
  assert.equal(
    codes(
      `decode: {architecture: ltx_video_decoder, type: "${fixed}"}`,
      "mse(decode(video.denoised), decode(latents))",
    ),
    [],
  );
});

test("a window's size that is no number of cells is one finding", () => {
  for (const [size, code] of [
    ["0", "LTX2005"],
    ["-1", "LTX2005"],
    ["1.5", "LTX2003"],
    ["wide", "LTX2003"],
  ]) {
    const window = `decode: {architecture: ltx_video_decoder, window: {frames: ${size}, height: 4}}`;
    const found = codes(window, "mae(decode(video.denoised), decode(video.clean))");
    assert.is(found.length, 1, found.join());
    assert.match(found.join(), new RegExp(`^${code} `));
  }
});

test("the official trainer runs no networks", async () => {
  const text = strategy(decode, "mae(decode(video.denoised), decode(video.clean))");
  const { diagnostics } = compilePython({ path: "test.strategy", text });
  assert.ok(diagnostics.some(({ code }) => code === "LTX6616"));
});

test.run();
