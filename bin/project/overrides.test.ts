import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseYaml, nodeAt, toPlain } from "../../compiler/1-parse/index.ts";
import { Bag } from "../../compiler/diagnostics/index.ts";
import { sourceFile, textAt } from "../../compiler/source/index.ts";
import { UsageError } from "../shell/exit.ts";
import { override } from "./overrides.ts";
import { ltxc } from "../testing/testing.ts";

const test = suite("overrides");

const written = "lora: {rank: 8, alpha: 4}\nseed: 1\nlist: [{a: 1}, {a: 2}]\n";

function overridden(...texts: string[]) {
  const bag = new Bag();
  const file = sourceFile("train.yaml", written);
  const root = parseYaml(file, bag);
  if (root === null) throw new Error("the file is not YAML");
  return { ...override(root, file, texts, bag), bag };
}

const plain = (...texts: string[]) => toPlain(overridden(...texts).root);

test("a setting replaces that of the file, the last one wins, the others stay", () => {
  const list = [{ a: 1 }, { a: 2 }];
  assert.equal(plain("lora.rank=16", "seed=2", "seed=3"), { lora: { rank: 16, alpha: 4 }, seed: 3, list });
  assert.equal(plain("list.1.a=5"), { lora: { rank: 8, alpha: 4 }, seed: 1, list: [{ a: 1 }, { a: 5 }] });
});

test("values are YAML: text, numbers, lists, mappings, nothing", () => {
  const value = (text: string) => (plain(`x.y=${text}`) as { x: { y: unknown } }).x.y;
  assert.equal(["abc", "'1'", "1e-4", "true", "null", "", "a=b"].map(value), [
    "abc",
    "1",
    "1e-4",
    true,
    null,
    null,
    "a=b",
  ]);
  assert.equal(value("[to_q, to_k]"), ["to_q", "to_k"]);
  assert.equal(value("{type: mask, n: [1, 2]}"), { type: "mask", n: [1, 2] });
});

test("sections that are missing are made", () => {
  assert.equal((plain("optimization.scheduler_params.power=2") as { optimization: unknown }).optimization, {
    scheduler_params: { power: 2 },
  });
});

test("places of what was set lie in its own text, the others in the file", () => {
  const { root, file } = overridden("lora.rank=16", "extra.key=[1, 22]");
  const textOf = (...path: (string | number)[]) => textAt(file, nodeAt(root, path).span);
  assert.equal([textOf("lora", "rank"), textOf("lora", "alpha"), textOf("extra", "key", 1)], ["16", "4", "22"]);
  assert.equal(
    file.bases.map(({ path, text }) => [path, text]),
    [
      ["--set", "lora.rank=16"],
      ["--set", "extra.key=[1, 22]"],
    ],
  );
});

test("a value that is no YAML is a finding at its place", () => {
  const { bag, file } = overridden("seed=2", "lora.target_modules=[to_q");
  const [{ code, span } = { code: "", span: { start: 0, end: 0 } }] = bag.sorted();
  assert.is(code, "LTX1001");
  assert.ok(span.start >= written.length + 1 + "seed=2".length + 1);
  assert.is(textAt(file, { start: span.start - 4, end: span.start }), "to_q");
});

test("what is no setting is refused", () => {
  for (const text of ["seed", "=3", "lora..rank=3", ".a=1", "list.2.a=1", "list.a=1"])
    assert.throws(
      () => overridden(text),
      (error: unknown) => error instanceof UsageError && error.message.includes(text),
    );
});

test("`ltxc check` names the argument of the command line, and `ltxc run` trains with it", async () => {
  const cwd = await mkdtemp(join(tmpdir(), "ltxc-set-"));
  try {
    await ltxc(["init", "."], { cwd });
    await ltxc(["compile"], { cwd });
    const wrong = await ltxc(["check", "--set", "optimization.stpes=3", "--set", "seed.x=1"], { cwd });
    assert.is(wrong.code, 1);
    assert.match(wrong.err + wrong.out, /LTX6001.*\n --> --set:1:14\n/);
    assert.match(wrong.err + wrong.out, /LTX6002.*\n --> --set:1:1\n/);
    assert.not.match(wrong.out, "--fix");
    assert.is((await ltxc(["check", "inpainting.strategy", "--set", "seed=1"], { cwd })).code, 2);
    const { code } = await ltxc(["run", "--set", "optimization.steps=1", "--set", "lora.rank=4"], { cwd });
    assert.is(code, 0);
    const saved = await readFile(join(cwd, "outputs/training_config.yaml"), "utf8");
    assert.match(saved, /^ {2}rank: 4$/m);
    assert.match(saved, /^ {2}steps: 1$/m);
  } finally {
    await rm(cwd, { recursive: true });
  }
});

test("a run that was stopped says with which settings it goes on", async () => {
  const cwd = await mkdtemp(join(tmpdir(), "ltxc-set-"));
  try {
    await ltxc(["init", "."], { cwd });
    await ltxc(["compile"], { cwd });
    const set = ["--set", "optimization.steps=5", "--set", "lora.target_modules=[attn1.to_q, attn1.to_k]"];
    const onText = (text: string, interrupt: () => void) => /^step 1\/5 .*\n$/m.test(text) && interrupt();
    const { code, out } = await ltxc(["run", ...set], { cwd, onText });
    assert.is(code, 130);
    const settings = "--set optimization.steps=5 --set 'lora.target_modules=[attn1.to_q, attn1.to_k]'";
    assert.match(out, `to go on: ltxc run --resume ${settings}\n`);
  } finally {
    await rm(cwd, { recursive: true });
  }
});

test.run();
