import { chown, lchown, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError, type Finding } from "../findings.ts";
import { discover, skippedLine } from "./dataset.ts";
import { sourcesOf, type DataSource } from "./directories.ts";

const test = suite<{ root: string }>("dataset");
test.before.each(async (context) => {
  context.root = await mkdtemp(join(tmpdir(), "dataset-"));
});
test.after.each(({ root }) => rm(root, { recursive: true }));

/** Makes empty files; finding samples does not open them. */
async function touch(root: string, ...paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), "");
  }
}

const source = (role: string, directory = role): DataSource => ({ role, directory, kind: "tensor" });
const pair = [source("latents"), source("text", "conditions")];

async function findingsOf(root: string, sources: readonly DataSource[]): Promise<readonly Finding[]> {
  try {
    await discover(root, sources);
  } catch (error) {
    if (error instanceof FindingsError) return error.findings;
    throw error;
  }
  throw new Error("accepted");
}

const codes = (findings: readonly Finding[]) => findings.map(({ code }) => code);
const namesOf = async (root: string, sources: readonly DataSource[]) =>
  (await discover(root, sources)).samples.map(({ name }) => name);

test("samples are sorted by the parts of their paths, files of other kinds are none", async ({ root }) => {
  const names = ["a-b/x.pt", "a/x.pt", "a/deep/er/y.pt", "Z.pt", "10.pt", "2.pt", "\u{1f600}.pt", "\uffee.pt"];
  await touch(root, ...names.map((name) => `latents/${name}`), "latents/x.pt.tmp.77", "latents/notes.txt");
  await mkdir(join(root, "latents/folder.pt"));
  const sorted = ["10.pt", "2.pt", "Z.pt", "a/deep/er/y.pt", "a/x.pt", "a-b/x.pt", "\uffee.pt", "\u{1f600}.pt"];
  assert.equal(await namesOf(root, [source("latents")]), sorted);
});

test("a sample has a file in every source; others are skipped, with the reason", async ({ root }) => {
  await touch(root, "latents/a.pt", "latents/b.pt", "conditions/b.pt", "conditions/orphan.pt");
  const found = await discover(root, pair);
  const files = { latents: join(root, "latents/b.pt"), text: join(root, "conditions/b.pt") };
  assert.equal(found.samples, [{ name: "b.pt", files }]);
  assert.equal(found.skipped, [{ name: "a.pt", reason: "conditions/a.pt is missing" }]);
  assert.is(skippedLine(found), "Skipped 1 invalid samples from 2 total");
  assert.is(skippedLine({ ...found, skipped: [] }), null);
});

test("a sample that lacks what is optional is one, and has no file of it", async ({ root }) => {
  await touch(root, "depth/a.pt", "latents/a.pt", "latents/b.pt", "latents/c.pt", "conditions/a.pt", "conditions/b.pt");
  const depth = { ...source("depth"), optional: true };
  const found = await discover(root, [depth, ...pair]);
  assert.equal(
    found.samples.map(({ name, files }) => [name, Object.keys(files)]),
    [
      ["a.pt", ["depth", "latents", "text"]],
      ["b.pt", ["latents", "text"]],
    ],
  );
  assert.equal(found.skipped, [{ name: "c.pt", reason: "conditions/c.pt is missing" }]);
});

test("an optional source that no sample has, or without a directory, is a mistake", async ({ root }) => {
  await touch(root, "latents/a.pt", "conditions/a.pt", "depth/other.pt");
  const [finding, ...more] = await findingsOf(root, [...pair, { ...source("depth"), optional: true }]);
  assert.is(finding?.code, "LTX6383");
  assert.match(finding?.message ?? "", /none of the 1 samples has a file in .*depth/);
  assert.equal(more, []);
  assert.equal(codes(await findingsOf(root, [...pair, { ...source("canny"), optional: true }])), ["LTX6121"]);
});

test("a pattern of files in place of a folder is answered with the folder", async ({ root }) => {
  await touch(root, "latents/a.pt", "conditions/a.pt", "masks/a.pt");
  for (const directory of ["masks/*.pt", "masks/a.pt", "masks/*"]) {
    const [found] = await findingsOf(root, [...pair, source("masks", directory)]);
    assert.is(found?.code, "LTX6121");
    assert.is(found?.help, "name the folder, not its files: write `masks`");
  }
});

test("gaps and orphans anywhere leave the other samples as they are", async ({ root }) => {
  const clips = (directory: string, numbers: string) => [...numbers].map((number) => `${directory}/${number}.pt`);
  await touch(root, ...clips("latents", "234579"), ...clips("conditions", "124689"));
  const found = await discover(root, pair);
  assert.equal(
    found.samples.map(({ name, files }) => [name, files["text"]]),
    [..."249"].map((number) => [`${number}.pt`, join(root, `conditions/${number}.pt`)]),
  );
  assert.equal(
    found.skipped.map(({ name }) => name),
    ["3.pt", "5.pt", "7.pt"],
  );
});

test("notes of macOS are no samples, other files whose names begin alike are", async ({ root }) => {
  await touch(root, "latents/a.pt", "conditions/a.pt", "latents/._b.pt", "conditions/._b.pt");
  for (const directory of ["latents", "conditions"])
    await writeFile(join(root, directory, "._a.pt"), Buffer.from("\x00\x05\x16\x07\0\0", "latin1"));
  const found = await discover(root, pair);
  assert.equal(
    found.samples.map(({ name }) => name),
    ["._b.pt", "a.pt"],
  );
  assert.equal(found.skipped, []);
  assert.equal(found.notes.toSorted(), [join(root, "conditions/._a.pt"), join(root, "latents/._a.pt")]);
});

test("the directory latents leads wherever it is declared, else the first source", async ({ root }) => {
  await touch(root, "latents/a.pt", "conditions/a.pt", "conditions/b.pt", "masks/a.pt", "masks/b.pt");
  assert.equal(await namesOf(root, pair.toReversed()), ["a.pt"]);
  assert.equal(await namesOf(root, [source("masks"), source("text", "conditions")]), ["a.pt", "b.pt"]);
});

test("two sources may share a directory", async ({ root }) => {
  await touch(root, "conditions/latent_1.pt");
  const found = await discover(root, [source("text", "conditions"), source("same", "conditions")]);
  const file = join(root, "conditions/latent_1.pt");
  assert.equal(found.samples, [{ name: "latent_1.pt", files: { text: file, same: file } }]);
});

test("a source that is one file has that file in every sample, and leads none", async ({ root }) => {
  await touch(root, "latents/a.pt", "latents/b.pt", "texts/empty.pt");
  const empty: DataSource = { ...source("empty", "texts/empty.pt"), shared: true };
  const found = await discover(root, [empty, source("latents")]);
  assert.equal(
    found.samples,
    ["a.pt", "b.pt"].map((name) => ({
      name,
      files: { empty: join(root, "texts/empty.pt"), latents: join(root, "latents", name) },
    })),
  );
  for (const [path, code] of [
    ["texts/none.pt", "LTX6144"],
    ["texts", "LTX6144"],
    ["../empty.pt", "LTX6122"],
  ] as const)
    assert.equal(codes(await findingsOf(root, [source("latents"), { ...empty, directory: path }])), [code]);
});

test("numbered files of early preprocessing are matched one way, at the top of conditions only", async ({ root }) => {
  await touch(root, "latents/latent_0.pt", "latents/sub/latent_1.pt", "latents/latent_2.pt", "captions/latent_0.pt");
  await touch(root, "conditions/condition_0.pt", "conditions/condition_1.pt", "conditions/latent_2.pt");
  const found = await discover(root, pair);
  assert.equal(
    found.samples.map(({ files }) => files["text"]),
    [join(root, "conditions/condition_0.pt"), join(root, "conditions/condition_1.pt")],
  );
  assert.equal(found.skipped, [{ name: "latent_2.pt", reason: "conditions/condition_2.pt is missing" }]);
  assert.equal(await namesOf(root, [source("latents"), source("text", "captions")]), ["latent_0.pt"]);
  assert.equal(codes(await findingsOf(root, [source("text", "conditions"), source("old", "captions")])), ["LTX6124"]);
});

test("a folder .precomputed takes the root's place, and may be a link", async ({ root }) => {
  await touch(root, "elsewhere/latents/a.pt", "data/latents/b.pt");
  await symlink(join(root, "elsewhere"), join(root, "data/.precomputed"));
  const found = await discover(join(root, "data"), [source("latents")]);
  assert.is(found.root, join(root, "data/.precomputed"));
  assert.equal(
    found.samples.map(({ name }) => name),
    ["a.pt"],
  );
});

test("all missing directories are named at once", async ({ root }) => {
  await touch(root, "latents/a.pt", "masks");
  const findings = await findingsOf(root, [...pair, source("masks"), source("ref", "references")]);
  assert.equal(codes(findings), ["LTX6121", "LTX6121", "LTX6121"]);
  assert.match(findings[0]?.message ?? "", `the source \`text\`: the directory ${join(root, "conditions")} does not`);
  assert.match(findings[0]?.help ?? "", /preprocess/);
  assert.equal(findings[0]?.path, ["data", "preprocessed_data_root"]);
});

test("a missing root, an empty directory and unmatched files are told apart", async ({ root }) => {
  assert.equal(codes(await findingsOf(join(root, "nowhere"), pair)), ["LTX6120"]);
  await mkdir(join(root, "latents"));
  await mkdir(join(root, "conditions"));
  const [empty] = await findingsOf(root, pair);
  assert.is(empty?.code, "LTX6123");
  assert.match(empty?.message ?? "", join(root, "latents"));
  await touch(root, "latents/a.pt", "conditions/b.pt");
  const [unmatched] = await findingsOf(root, pair);
  assert.is(unmatched?.code, "LTX6124");
  assert.match(unmatched?.message ?? "", /none of the 1 samples .*; for a\.pt, conditions\/a\.pt is missing/);
});

test("no directory leads out of the data root", async ({ root }) => {
  const escapes = ["..", "../outside", "latents/../../outside", join(root, "outside"), "C:\\data", "\\\\host\\share"];
  const others = ["", ".", "..\\outside", "a\0b"];
  const directories = [...escapes, ...others];
  await touch(root, "data/latents/a.pt", "outside/a.pt");
  const findings = await findingsOf(
    join(root, "data"),
    directories.map((directory, i) => source(`s${i}`, directory)),
  );
  assert.equal(
    codes(findings),
    directories.map(() => "LTX6122"),
  );
});

const isRoot = process.getuid?.() === 0;
const nobody = 65534;

test("a source's directory may be a link that the user made, not one of somebody else", async ({ root }) => {
  await touch(root, "data/latents/a.pt", "outside/deep/a.pt");
  await symlink(join(root, "outside"), join(root, "data/link"));
  await symlink(join(root, "data/latents"), join(root, "data/within"));
  const data = join(root, "data");
  assert.equal(await namesOf(data, [source("within"), source("link", "link/deep")]), ["a.pt"]);
  if (!isRoot) return console.log("skipped: only root can make a link of another user");
  await lchown(join(root, "data/link"), nobody, nobody);
  const [finding] = await findingsOf(data, [source("latents"), source("link", "link/deep")]);
  assert.is(finding?.code, "LTX6122");
  assert.match(finding?.message ?? "", `data/link is a link that another user made, to ${join(root, "outside")}`);
  await chown(data, nobody, nobody);
  assert.equal(await namesOf(data, [source("latents"), source("link", "link/deep")]), ["a.pt"]);
});

test("samples that are links out of the data root are one finding", async ({ root }) => {
  await touch(root, "data/latents/a.pt", "outside/b.pt", "outside/c.pt");
  const data = join(root, "data");
  await symlink("a.pt", join(data, "latents/within.pt"));
  await symlink("nowhere.pt", join(data, "latents/broken.pt"));
  assert.equal((await discover(data, [source("latents")])).warnings, []);
  for (const name of ["b.pt", "c.pt"]) await symlink(join(root, "outside", name), join(data, "latents", name));
  const { warnings, samples } = await discover(data, [source("latents")]);
  assert.equal(
    warnings.map(({ code, severity }) => `${code} ${severity}`),
    ["LTX6126 warning"],
  );
  assert.match(warnings[0]?.message ?? "", "2 files of samples are links that lead out of the data root: first");
  assert.is(samples.length, 5);
  if (!isRoot) return console.log("skipped: only root can make a link of another user");
  await lchown(join(data, "latents/c.pt"), nobody, nobody);
  const [foreign] = await findingsOf(data, [source("latents")]);
  assert.equal([foreign?.code, foreign?.severity], ["LTX6126", "error"]);
  assert.match(foreign?.message ?? "", "a sample's file is a link of another owner that leads out");
});

test("parameters choose directories, and are named where those are wrong", async ({ root }) => {
  await touch(root, "latents/a.pt");
  const info = { name: "masks", kind: "video_mask" as const, directory: "${masks_dir}/" };
  const latents = { name: "latents", kind: "video_latents" as const, directory: "./latents" };
  const sources = sourcesOf([latents, info], { masks_dir: "../masks" });
  assert.equal(
    sources.map(({ directory }) => directory),
    ["latents", "../masks"],
  );
  const [finding] = await findingsOf(root, sources);
  assert.is(finding?.code, "LTX6122");
  assert.equal(finding?.path, ["training_strategy", "masks_dir"]);
});

test("a root that is a file, a source's own folder, or written with `\\\\` is told with what was meant", async ({
  root: parent,
}) => {
  const root = join(parent, "set");
  await touch(root, "latents/a.pt", "conditions/a.pt");
  const said = async (path: string) => {
    const [found, ...more] = await findingsOf(path, pair);
    assert.equal(more, []);
    return `${found?.code} ${found?.message}; ${found?.help}`;
  };
  assert.match(await said(join(root, "latents/a.pt")), "a.pt is a file, not a folder; name the folder in which");
  const meant = `${root} holds all of them; write \`preprocessed_data_root: ${root}\``;
  assert.match(await said(join(root, "latents")), meant);
  assert.match(await said(join(root, "latents")), "LTX6165");
  await mkdir(join(parent, "project"));
  await rename(root, join(parent, "project/data"));
  assert.match(await said(join(parent, "project")), "`preprocessed_data_root: " + join(parent, "project/data"));
  assert.match(await said(`${parent}\\project`), `in place of \`\\\`: ${join(parent, "project")} is there`);
});

test("a folder with the name of a sample is a warning", async ({ root }) => {
  await touch(root, "latents/a.pt", "conditions/a.pt");
  await mkdir(join(root, "latents/b.pt"));
  const { warnings, samples } = await discover(root, pair);
  assert.equal([samples.map(({ name }) => name), codes(warnings)], [["a.pt"], ["LTX6166"]]);
  assert.match(warnings[0]?.message ?? "", "latents/b.pt is a folder, not a file");
});

test.run();
