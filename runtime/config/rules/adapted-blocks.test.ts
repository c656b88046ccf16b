import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkElsewhere, loraOf, resolveConfig } from "../index.ts";

const test = suite("runtime.lora.blocks");

function resolve(blocks: unknown, settings: Readonly<Record<string, unknown>> = {}) {
  const raw = {
    model: { model_path: "m.safetensors", ...(settings["model"] as object) },
    data: { preprocessed_data_root: "data" },
    lora: { rank: 8, alpha: 8 },
    runtime: { ...(settings["runtime"] as object), lora: { blocks } },
  };
  return resolveConfig(raw, { configDirectory: "/" });
}

/** Code and place of each finding. */
const said = (...args: Parameters<typeof resolve>) =>
  resolve(...args).findings.map(({ code, path }) => `${code} ${path.join(".")}`);

test("blocks are read as numbers, ranges and lists; without them all layers count", () => {
  const blocksOf = (blocks: unknown) => {
    const { config } = resolve(blocks);
    return config === null ? null : (loraOf(config)?.blocks ?? null);
  };
  const several = [
    [0, 3],
    [40, 47],
  ];
  assert.equal([blocksOf("0-3, 40-47"), blocksOf(["0-3", "40-47"])], [several, several]);
  assert.equal([blocksOf(7), blocksOf("24-47"), blocksOf(null)], [[[7, 7]], [[24, 47]], null]);
});

test("what names no blocks is one finding at its place", () => {
  for (const blocks of ["all", "47-24", "", [], -1, 1.5, true, { from: 1 }, [[1]]])
    assert.equal(said(blocks), ["LTX6395 runtime.lora.blocks"], JSON.stringify(blocks));
});

test("where no adapters are trained, or in all blocks, it is told", () => {
  const full = said("1-2", { model: { training_mode: "full" } });
  assert.ok(full.includes("LTX6006 runtime.lora.blocks"), full.join());
  assert.equal(said("1-2", { runtime: { engine: "ltx-trainer" } }), ["LTX6397 runtime.lora.blocks"]);
  assert.equal(said(null, { runtime: { engine: "ltx-trainer" } }), []);
  assert.equal(
    checkElsewhere({ runtime: { lora: { blocks: "1-2" } } }).map(({ code }) => code),
    ["LTX6397"],
  );
  assert.equal(checkElsewhere({ runtime: { lora: {} } }), []);
});

test("words of other trainers lead here", () => {
  const raw = {
    model: { model_path: "m" },
    data: { preprocessed_data_root: "d" },
    lora: { layers_to_transform: [1, 2] },
  };
  const [found] = resolveConfig(raw, { configDirectory: "/" }).findings;
  assert.match(`${found?.message} ${found?.help}`, "runtime.lora.blocks");
});

test.run();
