// How wide the files of tensors are: like each other, and like the heads and networks that they meet.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { StrategyInfo } from "../contract.ts";
import type { DataSource } from "../data/directories.ts";
import { FindingsError } from "../findings.ts";
import type { Outline } from "./look-at-samples.ts";
import { checkWidths } from "./widths.ts";

const test = suite("widths of tensors");

const outlines = (...shapes: readonly (readonly number[])[]): readonly Outline[] =>
  shapes.map((shape, i) => ({
    sample: { name: `${i}.pt`, files: { dino: `dino/${i}.pt` } },
    sources: { dino: { kind: "tensor", shape } },
  }));

const dino = (meets: readonly string[] = []): readonly DataSource[] => [
  { role: "dino", directory: "dino", kind: "tensor", key: "x", axes: ["token:video", "feature"], meets },
];

const head = { kind: "linear", modality: "video", input: "middle", activation: "none" } as const;
const strategy: Pick<StrategyInfo, "outputs" | "networks"> = {
  outputs: [
    { name: "guess", ...head, features: 8 },
    { name: "single", ...head, features: 1 },
    { name: "given", ...head, features: 8, param: "width" },
  ],
  networks: [{ name: "judge", input: "channel", architecture: [{ kind: "linear", features: 16 }, { kind: "relu" }] }],
};

function found(shapes: readonly (readonly number[])[], meets?: readonly string[]): string[] {
  try {
    checkWidths(outlines(...shapes), dino(meets), strategy);
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
  assert.equal(found([[12, 5]], ["given"]), [], "what a parameter gives, the step's own shapes tell");
  assert.equal(found([[12, 5]], ["guess", "judge"]), [
    "LTX6136 `guess` has 8 features, and dino/0.pt has 5, which `dino` brings along `feature`",
    "LTX6136 `judge` has 16 features, and dino/0.pt has 5, which `dino` brings along `feature`",
  ]);
  assert.match(found([[12, 8]], ["single"]).join(), "`single` has one feature");
  assert.match(found([[12, 1]], ["guess"]).join(), "has 8 features, and dino/0.pt has 1,");
});

test.run();
