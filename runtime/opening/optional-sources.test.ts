// Runs over samples of which some lack a source: what is read, trained, and gone on from.
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compiledProject } from "../../bin/testing/compiled-project.ts";
import { openEngine } from "../engine/index.ts";
import { findingsOf, growth, messagesOf, trainIn } from "../testing/opened-run.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";

const test = suite("optional sources of runs");
const newFolder = temporaryFolders(test, "optional-sources");
const { engine } = await openEngine("wasm");

const optimization = { steps: 4, batch_size: 2, learning_rate: 0.01 };

test("silent clips train next to sounding ones, and what a clip gains later is noticed", async () => {
  const folder = await newFolder();
  const step = await compiledProject(folder, "silent_clips");
  const ran = await trainIn(engine, { folder, step }, { optimization }, { evaluation: { samples: 2 } });
  assert.ok(ran.losses.every(Number.isFinite));
  assert.equal(ran.warnings, []);
  // Batches of two of the eight clips: some with one silent, some with two.
  assert.is(new Set(ran.steps.flatMap(({ samples }) => samples)).size, 6);
  assert.equal(growth(ran.tensors).at(-1), 0);
  const checkpoint = { load_checkpoint: ran.summary.checkpoint };
  const again = { optimization: { ...optimization, steps: 5 }, model: checkpoint };
  const evaluation = { samples: 2 };
  const sound = join(folder, "data/audio_latents");
  const names = ran.steps.flatMap(({ samples }) => samples);
  const sounding = names.find((name) => /[1357]\.pt/.test(name)) ?? "";
  const silent = names.find((name) => /[2468]\.pt/.test(name)) ?? "";
  await rename(join(sound, sounding), join(sound, silent));
  assert.match(
    (await messagesOf(trainIn(engine, { folder, step }, again, { evaluation, output_dir: "other" }))).join(),
    /2 of the 18 data files/,
  );
  await rm(sound, { recursive: true });
  assert.equal(await findingsOf(trainIn(engine, { folder, step }, again, { evaluation })), [
    "LTX6121 data.preprocessed_data_root",
  ]);
});

test.run();
