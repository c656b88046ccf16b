// Where the data sets of a run lie, what their samples are called, and how many of each a batch has.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { DatasetInfo } from "../contract.ts";
import { FindingsError } from "../findings.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { datasetsOf, discoverAll, perBatch } from "./datasets.ts";
import type { DataSource } from "./directories.ts";

const test = suite("data sets");
const newFolder = temporaryFolders(test, "datasets");

async function touch(root: string, ...paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), "");
  }
  return root;
}

const infos: readonly DatasetInfo[] = [
  { name: "subject" },
  { name: "prior", root: "${folder}", share: "part", without: ["depth"] },
];
const sources: readonly DataSource[] = [
  { role: "latents", directory: "latents", kind: "video_latents" },
  { role: "depth", directory: "depth", kind: "video_latents" },
  { role: "empty", directory: "empty.pt", kind: "text_embeddings", shared: true },
];

interface Other {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly folders?: Readonly<Record<string, string>>;
}

async function found(root: string, { params = {}, folders = {} }: Other = {}, of = infos) {
  const settings = { params: { folder: "class_clips", part: 0.25, ...params }, root, folders };
  const sets = await datasetsOf(of, settings);
  return { sets, dataset: await discoverAll(root, sets, sources) };
}

async function refusal(root: string, other: Other = {}, of = infos): Promise<string> {
  try {
    await found(root, other, of);
    return "accepted";
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    return error.findings.map(({ code, path, message }) => `${code} ${path.join(".")} ${message}`).join();
  }
}

const own = ["latents/a.pt", "depth/a.pt", "latents/b.pt", "empty.pt"];

test("samples are called by their data set, and lack what that is without", async () => {
  const root = await touch(await newFolder(), ...own, "class_clips/latents/a.pt");
  const { sets, dataset } = await found(root);
  assert.equal(
    sets.map(({ share }) => share),
    [0.75, 0.25],
  );
  const at = (path: string) => join(root, path);
  assert.equal(dataset.samples, [
    {
      name: "subject/a.pt",
      files: { latents: at("latents/a.pt"), depth: at("depth/a.pt"), empty: at("empty.pt") },
      set: "subject",
    },
    { name: "prior/a.pt", files: { latents: at("class_clips/latents/a.pt"), empty: at("empty.pt") }, set: "prior" },
  ]);
  assert.equal(dataset.skipped, [{ name: "subject/b.pt", reason: "depth/b.pt is missing" }]);
});

test("a data set lies below the data root, next to or in .precomputed, or where the run config says", async () => {
  const nested = await touch(
    await newFolder(),
    ...own.map((path) => `.precomputed/${path}`),
    "class_clips/latents/x.pt",
  );
  const folderOf = async (root: string, other: Other = {}) => (await found(root, other)).sets[1]?.root;
  assert.is(await folderOf(nested), join(nested, "class_clips"));
  const inside = await touch(
    await newFolder(),
    ...own.map((path) => `.precomputed/${path}`),
    ".precomputed/class_clips/latents/x.pt",
  );
  assert.is(await folderOf(inside), join(inside, ".precomputed/class_clips"));
  const elsewhere = await touch(await newFolder(), "latents/z.pt");
  assert.is(await folderOf(nested, { folders: { prior: elsewhere } }), elsewhere);
  const none = await touch(await newFolder(), "other/z.pt");
  assert.match(
    await refusal(nested, { folders: { prior: none } }),
    /^LTX6121 runtime\.datasets\.prior .*latents does not exist/,
  );
});

test("folders that are not there, or one for two, and names of none are mistakes", async () => {
  const root = await touch(await newFolder(), ...own);
  assert.match(
    await refusal(root),
    /^LTX6385 data\.preprocessed_data_root .*`prior`: there is no folder .*class_clips/,
  );
  assert.match(
    await refusal(root, { folders: { prior: join(root, "empty.pt") } }),
    /^LTX6385 runtime\.datasets\.prior .*no folder/,
  );
  assert.match(
    await refusal(root, { folders: { prior: root } }),
    /^LTX6385 .*`subject` and `prior` have the same folder/,
  );
  assert.match(await refusal(root, { folders: { priors: root } }), /^LTX6387 runtime\.datasets\.priors/);
  assert.match(await refusal(root, { params: { folder: "../x" } }), /^LTX6122 .*`\.\.\/x` is not below the data root/);
  assert.match(await refusal(root, { folders: { prior: root } }, []), /^LTX6387 /);
});

test("shares that are parameters are a whole batch together", async () => {
  const root = await touch(await newFolder(), ...own, "class_clips/latents/a.pt");
  for (const part of [0, 1, 1.5, -0.5, Number.NaN])
    assert.match(await refusal(root, { params: { part } }), /^LTX6386 training_strategy\.part /, String(part));
});

test("a batch has whole samples of each", () => {
  const sets = (...shares: number[]) =>
    shares.map((share, i) => ({ name: `set${i}`, root: "", share, without: [], place: [] }));
  assert.equal(perBatch(sets(0.5, 0.5), 4), [2, 2]);
  assert.equal(perBatch(sets(0.7, 0.3), 10), [7, 3]);
  assert.equal(perBatch(sets(1 / 3, 2 / 3), 3), [1, 2]);
  assert.equal(perBatch(sets(1), 1), [1]);
  assert.equal(perBatch([], 1), []);
  const refused = (size: number, ...shares: number[]) => {
    try {
      return perBatch(sets(...shares), size);
    } catch (error) {
      return (error as FindingsError).findings
        .map(({ code, path, help }) => `${code} ${path.join(".")} ${help}`)
        .join();
    }
  };
  assert.match(String(refused(3, 0.5, 0.5)), /^LTX6384 optimization\.batch_size write `batch_size: 2`/);
  assert.match(String(refused(1, 0.75, 0.25)), /write `batch_size: 4`/);
  assert.match(String(refused(2, 0.123456, 0.876544)), /choose shares such as/);
});

test.run();
