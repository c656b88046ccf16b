import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError } from "../findings.ts";
import { bucketsOf as divide, checkBuckets, sizesOfSamples } from "./buckets.ts";
import type { Sample } from "./dataset.ts";
import type { DataSource } from "./directories.ts";
import { writePt, type EntryToWrite } from "../files/pt/index.ts";

const test = suite<{ root: string }>("buckets");

test.before.each(async (context) => {
  context.root = await mkdtemp(join(tmpdir(), "buckets-"));
});
test.after.each(({ root }) => rm(root, { recursive: true }));

const bucketsOf = async (samples: readonly Sample[], of: readonly DataSource[]) =>
  divide(await sizesOfSamples(samples, of), of);

const source = (role: string, kind: DataSource["kind"]) => ({ role, kind, directory: role }) as DataSource;
const sources = [
  source("latents", "video_latents"),
  source("depth", "video_latents"),
  source("text", "text_embeddings"),
];

function video(...shape: number[]): Record<string, EntryToWrite> {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  return { latents: { storage: "bfloat16", shape, values } };
}

async function sample(
  root: string,
  name: string,
  entries: Record<string, Record<string, EntryToWrite>>,
): Promise<Sample> {
  const files: Record<string, string> = {};
  for (const [role, content] of Object.entries(entries)) {
    const path = join(root, role, `${name}.pt`);
    await mkdir(dirname(path), { recursive: true });
    await writePt(path, content);
    files[role] = path;
  }
  return { name, files } as Sample;
}

test("samples go by the sizes of all their latents, references too, not by channels or text", async ({ root }) => {
  const samples = [
    await sample(root, "a", { latents: video(4, 3, 2, 2), depth: video(4, 3, 1, 1), text: {} }),
    await sample(root, "b", { latents: video(4, 3, 2, 2), depth: video(4, 3, 2, 2), text: {} }),
    await sample(root, "c", { latents: video(8, 3, 2, 2), depth: video(4, 3, 1, 1), text: {} }),
  ];
  const buckets = await bucketsOf(samples, sources);
  assert.equal([...buckets.of], [0, 1, 0]);
  assert.equal(buckets.names, ["latents 3 x 2 x 2, depth 3 x 1 x 1", "latents 3 x 2 x 2, depth 3 x 2 x 2"]);
  assert.equal(buckets.counts, [2, 1]);
});

test("tokens of early preprocessing go by the declared grid", async ({ root }) => {
  const legacy = (frames: number, height: number) => ({ ...video(12, 4), num_frames: frames, height, width: 2 });
  const samples = [
    await sample(root, "a", { latents: legacy(3, 2) }),
    await sample(root, "b", { latents: legacy(2, 3) }),
    await sample(root, "c", { latents: video(4, 3, 2, 2) }),
  ];
  assert.equal([...(await bucketsOf(samples, sources.slice(0, 1))).of], [0, 1, 0]);
});

const text = (tokens: number, hasAudio = false): Record<string, EntryToWrite> => ({
  video_prompt_embeds: { storage: "bfloat16", shape: [tokens, 2], values: new Float32Array(2 * tokens) },
  ...(hasAudio
    ? { audio_prompt_embeds: { storage: "bfloat16", shape: [tokens, 1], values: new Float32Array(tokens) } }
    : {}),
  prompt_attention_mask: { storage: "int64", shape: [tokens], values: new Float32Array(tokens).fill(1) },
});

test("captions of different lengths and contents are not put together, nor latents of different types", async ({
  root,
}) => {
  const latents = video(4, 3, 2, 2);
  const wide = { latents: { storage: "float32", shape: [4, 3, 2, 2], values: new Float32Array(48) } } as const;
  const samples = [
    await sample(root, "a", { latents, depth: latents, text: text(128) }),
    await sample(root, "b", { latents, depth: latents, text: text(256) }),
    await sample(root, "c", { latents, depth: latents, text: text(128) }),
    await sample(root, "d", { latents, depth: latents, text: text(128, true) }),
    await sample(root, "e", { latents: wide, depth: latents, text: text(128) }),
  ];
  const { of, names } = await bucketsOf(samples, sources);
  assert.equal([...of], [0, 1, 0, 2, 3]);
  assert.equal(names.slice(0, 3), [
    "latents 3 x 2 x 2, depth 3 x 2 x 2, text 128 tokens",
    "latents 3 x 2 x 2, depth 3 x 2 x 2, text 256 tokens",
    "latents 3 x 2 x 2, depth 3 x 2 x 2, text 128 tokens with audio",
  ]);
});

test("a broken file is named", async ({ root }) => {
  const path = join(root, "broken.pt");
  await writeFile(path, "PK\x03\x04 and no more");
  await bucketsOf([{ name: "broken", files: { latents: path } } as unknown as Sample], sources.slice(0, 1)).then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error instanceof FindingsError && error.findings[0]?.message), "broken.pt"),
  );
});

test("sizes that fill no batch are named, and are an error if all are such", () => {
  const buckets = { of: new Int32Array(0), names: ["latents 1 x 2 x 2", "latents 3 x 2 x 2"], counts: [1, 4] };
  assert.equal(checkBuckets(buckets, 1), []);
  const [found] = checkBuckets(buckets, 2);
  assert.is(found?.code, "LTX6305");
  assert.match(found?.message ?? "", "1 of latents 1 x 2 x 2");
  assert.throws(() => checkBuckets(buckets, 5), /LTX6302.*no size has the 5 samples.*1 of latents/);
});

test("of many sizes the first five are named", () => {
  const named = (count: number) => {
    const names = Array.from({ length: count + 1 }, (_, i) => `size ${i}`);
    const [found] = checkBuckets({ of: new Int32Array(0), names, counts: [9, ...names.slice(1).map(() => 1)] }, 2);
    return found?.message.split(": ")[1];
  };
  const five = [1, 2, 3, 4, 5].map((i) => `1 of size ${i}`).join("; ");
  assert.is(named(5), five);
  assert.is(named(6), `${five}; and 1 sizes more`);
});

test.run();
