// How wide the files of tensors are: like each other, and like the heads and networks that they meet.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { StrategyInfo } from "../contract.ts";
import type { DataSource } from "../data/directories.ts";
import { FindingsError } from "../findings.ts";
import type { Outline } from "./look-at-samples.ts";
import { tinyConfig } from "../testing/tiny-model.ts";
import { checkWidths, unlikeHeads } from "./widths.ts";

const test = suite("widths of tensors");

const outlines = (...shapes: readonly (readonly number[])[]): readonly Outline[] =>
  shapes.map((shape, i) => ({
    sample: { name: `${i}.pt`, files: { dino: `dino/${i}.pt` } },
    sources: { dino: { kind: "tensor", shape } },
  }));

const dino = (meets: readonly string[] = [], axis = "feature"): readonly DataSource[] => [
  { role: "dino", directory: "dino", kind: "tensor", key: "x", axes: ["token:video", axis], meets },
];
const model = tinyConfig();

const head = { kind: "linear", modality: "video", input: "middle", activation: "none" } as const;
const strategy: Pick<StrategyInfo, "outputs" | "networks"> = {
  outputs: [
    { name: "middle", kind: "tap", modality: "video", block: 0 },
    { name: "sound", kind: "tap", modality: "audio", block: 0 },
    { name: "guess", ...head, features: 8 },
    { name: "single", ...head, features: 1 },
    { name: "given", ...head, features: 8, param: "width" },
  ],
  networks: [{ name: "judge", input: "channel", architecture: [{ kind: "linear", features: 16 }, { kind: "relu" }] }],
};

function found(shapes: readonly (readonly number[])[], meets?: readonly string[], axis?: string): string[] {
  try {
    checkWidths(outlines(...shapes), dino(meets, axis), strategy, model);
    return [];
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    return error.findings.map(({ code, message }) => `${code} ${message}`);
  }
}

test("samples may differ in tokens, not in features", () => {
  assert.equal(
    found([
      [12, 8],
      [6, 8],
    ]),
    [],
  );
  assert.equal(
    found([
      [12, 8],
      [12, 8],
      [12, 5],
      [12, 4],
    ]),
    ["LTX6136 dino/2.pt has a length of 5 along `feature`, dino/0.pt of 8"],
  );
});

test("heads and networks are as wide as the source that they meet, a width of 1 as well", () => {
  assert.equal(found([[12, 8]], ["guess"]), []);
  assert.equal(found([[12, 16]], ["judge"]), []);
  assert.equal(found([[12, 5]], ["guess", "judge"]), [
    "LTX6136 `guess` has 8 features, and dino/0.pt has 5, which `dino` brings along `feature`",
    "LTX6136 `judge` has 16 features, and dino/0.pt has 5, which `dino` brings along `feature`",
  ]);
  assert.match(found([[12, 8]], ["single"]).join(), "`single` has one feature");
  assert.match(found([[12, 1]], ["guess"]).join(), "has 8 features, and dino/0.pt has 1,");
});

test("what a parameter gives a head is compared, too, and the help names the parameter", () => {
  assert.equal(found([[12, 8]], ["given"]), []);
  try {
    checkWidths(outlines([12, 5]), dino(["given"]), strategy, null);
    assert.unreachable();
  } catch (error) {
    const [finding] = (error as FindingsError).findings;
    assert.match(finding?.message ?? "", "`given` has 8 features, and dino/0.pt has 5");
    assert.is(finding?.help, "give `width` 5, or compare it with other data");
  }
});

test("along `hidden` and `channel` it is the model's own length, where both meet", () => {
  const { video, audio } = model;
  const [width = 0, sound = 0, channels = 0] = [video?.width, audio?.width, video?.inChannels];
  assert.ok(width > 1 && sound !== width && channels > 1);
  assert.equal(found([[12, width]], ["middle"], "hidden"), []);
  assert.equal(found([[12, sound]], ["middle"], "hidden"), [
    `LTX6136 \`middle\` has a length of ${width} along \`hidden\`, and dino/0.pt has ${sound}, which \`dino\` brings along \`hidden\``,
  ]);
  assert.equal(found([[12, channels]], ["video"], "channel"), []);
  assert.match(
    found([[12, 1]], ["video"], "channel").join(),
    `\`video\` has a length of ${channels} along \`channel\``,
  );
  assert.equal(found([[12, 1]], [], "channel"), []);
});

test("heads whose width a parameter gives fit those that they meet, each two told once", () => {
  const [guess, wide] = [
    { name: "guess", ...head, features: 8 },
    { name: "wide", ...head, features: 16, param: "size", meets: ["guess", "judge", "other"] },
  ];
  const other = { name: "other", ...head, features: 8, param: "less", meets: ["wide"] };
  const found = unlikeHeads({ ...strategy, outputs: [guess, wide, other] });
  assert.equal(
    found.map(({ code, message, path }) => `${code} ${message} ${path.join(".")}`),
    [
      "LTX6167 `wide` and `guess` do not fit together: they have 16 and 8 features training_strategy.size",
      "LTX6167 `wide` and `other` do not fit together: they have 16 and 8 features training_strategy.size",
    ],
  );
  assert.equal(unlikeHeads({ ...strategy, outputs: [guess, { ...wide, features: 8, meets: ["guess"] }] }), []);
});

test.run();
