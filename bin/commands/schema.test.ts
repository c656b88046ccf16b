import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ltxc } from "../testing/testing.ts";

const test = suite<{ cwd: string }>("schema");

const strategy = (name: string, param: string) => `strategy: ${name}
description: About ${name}.
params:
  ${param}: {type: number, minimum: 0}
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
loss:
  flow: ${param} * mse(video.prediction, video.target)
`;

test.before.each(async (context) => {
  context.cwd = await mkdtemp(join(tmpdir(), "ltxc-schema-"));
});
test.after.each(({ cwd }) => rm(cwd, { recursive: true }));

interface Case {
  readonly if: { readonly properties: { readonly name: { readonly const: string } } };
  readonly then: { readonly properties: Readonly<Record<string, unknown>>; readonly required: readonly string[] };
}

interface Section {
  readonly properties: { readonly name: { readonly enum: string[]; readonly enumDescriptions: string[] } };
  readonly allOf: readonly Case[];
}

async function section(cwd: string, folder = "schemas"): Promise<Section> {
  const text = await readFile(join(cwd, folder, "train.schema.json"), "utf8");
  const schema: { properties: { training_strategy: Section } } = JSON.parse(text);
  return schema.properties.training_strategy;
}

const casesOf = (of: Section, name: string) => of.allOf.filter((entry) => entry.if.properties.name.const === name);

test("knows the folder's strategies, then the built-in ones, each with its params", async ({ cwd }) => {
  await writeFile(join(cwd, "a.strategy"), strategy("mine", "weight"));
  const { code, out } = await ltxc(["schema"], { cwd });
  assert.equal([code, out], [0, "wrote schemas/strategy.schema.json\nwrote schemas/train.schema.json\n"]);
  const found = await section(cwd);
  const { name } = found.properties;
  assert.is(name.enum[0], "mine");
  assert.is(name.enumDescriptions[0], "About mine.");
  assert.ok(name.enum.includes("inpainting") && name.enum.length === new Set(name.enum).size, name.enum.join());
  const [own, second] = casesOf(found, "mine");
  assert.is(second, undefined);
  assert.equal(own?.then.properties["weight"], { type: "number", minimum: 0 });
  assert.equal(own?.then.required, ["weight"]);
});

test("a strategy has the params of the one that it extends", async ({ cwd }) => {
  await writeFile(join(cwd, "a.strategy"), strategy("mine", "weight"));
  await writeFile(
    join(cwd, "b.strategy"),
    "strategy: other\nextends: a.strategy\nparams:\n  more: {type: number, default: 1}\nlet:\n  twice: more * 2\n",
  );
  await ltxc(["schema"], { cwd });
  const [other] = casesOf(await section(cwd), "other");
  assert.equal(Object.keys(other?.then.properties ?? {}), ["name", "weight", "more"]);
});

test("a strategy of the project takes the place of a built-in one of its name", async ({ cwd }) => {
  await writeFile(join(cwd, "a.strategy"), strategy("text_to_video", "weight"));
  await ltxc(["schema", "elsewhere/below"], { cwd });
  const cases = casesOf(await section(cwd, "elsewhere/below"), "text_to_video");
  assert.equal(
    cases.map(({ then }) => Object.keys(then.properties)),
    [["name", "weight"]],
  );
});

test("says which strategies have errors", async ({ cwd }) => {
  await writeFile(join(cwd, "a.strategy"), strategy("mine", "weight").replace("mse", "mes"));
  const { code, err } = await ltxc(["schema"], { cwd });
  assert.is(code, 1);
  assert.match(err, "a.strategy has errors and is left out; `ltxc check a.strategy` shows them");
});

test("`ltxc compile` brings a project's schemas up to date, and touches no others", async ({ cwd }) => {
  await writeFile(join(cwd, "a.strategy"), strategy("mine", "weight"));
  await ltxc(["compile"], { cwd });
  assert.not.ok((await section(cwd).catch(() => null)) !== null);
  await ltxc(["schema"], { cwd });
  await writeFile(join(cwd, "a.strategy"), strategy("mine", "strength"));
  await ltxc(["compile"], { cwd });
  assert.ok("strength" in (casesOf(await section(cwd), "mine")[0]?.then.properties ?? {}));
  const foreign = join(cwd, "schemas/train.schema.json");
  await writeFile(foreign, "{}");
  await ltxc(["compile"], { cwd });
  assert.is(await readFile(foreign, "utf8"), "{}");
});

test.run();
