// `--watch`: once at the start, again after a change, and an end by Ctrl-C.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as setTimeoutOf } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ltxc } from "../testing/testing.ts";
import { watchFolders } from "./watch-folders.ts";

const test = suite("watch");

const good = `strategy: a
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
loss:
  video: mse(video.prediction, video.target)
`;

test("looks again after each change, also of a file that was wrong or missing, until it is interrupted", async () => {
  const cwd = await mkdtemp(join(tmpdir(), "ltxc-watch-"));
  const path = join(cwd, "a.strategy");
  await writeFile(path, good.replace("video.target", "video.tarqet"));
  let rounds = 0;
  const { code, out, err } = await ltxc(["check", "--watch", "a.strategy"], {
    cwd,
    onText(text, interrupt) {
      const seen = text.split("waiting for changes").length - 1;
      if (seen === rounds) return;
      rounds = seen;
      if (rounds === 1) setTimeout(() => void rm(path), 20);
      else if (rounds === 2) setTimeout(() => void writeFile(path, good), 20);
      else interrupt();
    },
  });
  assert.is(code, 0);
  assert.match(out, /LTX3004[\s\S]*--- \d\d:\d\d:\d\d waiting[\s\S]*no findings in a\.strategy/);
  assert.match(err, "a.strategy does not exist");
  await rm(cwd, { recursive: true });
});

/** Runs a command with `--watch`; `steps` are done one after another, each when it waits again, and then it is interrupted. */
async function watched(cwd: string, args: readonly string[], steps: readonly (() => Promise<unknown>)[]) {
  let rounds = 0;
  return ltxc([...args, "--watch"], {
    cwd,
    onText(text, interrupt) {
      const seen = text.split("waiting for changes").length - 1;
      if (seen === rounds) return;
      rounds = seen;
      const step = steps[rounds - 1];
      if (step === undefined) interrupt();
      else setTimeout(() => void step(), 20);
    },
  });
}

test("what compile writes itself, next to the strategy and in schemas/, is no change", async () => {
  const cwd = await mkdtemp(join(tmpdir(), "ltxc-watch-"));
  const path = join(cwd, "a.strategy");
  await mkdir(join(cwd, "schemas"));
  await writeFile(path, good);
  let changed = 0;
  const watcher = watchFolders(cwd, () => (changed += 1));
  const settled = async () => {
    for (let before = -1; before !== changed; await setTimeoutOf(400)) before = changed;
  };
  const args = ["compile", "a.strategy", "--out", "."];
  assert.is((await ltxc(args, { cwd })).code, 0);
  await settled();
  const once = changed;
  assert.ok(once > 0);
  assert.is((await ltxc(args, { cwd })).code, 0);
  await settled();
  assert.is(changed, once);
  await writeFile(path, `${good}# more`);
  await settled();
  assert.ok(changed > once);
  watcher.close();
  await rm(cwd, { recursive: true });
});

test("a folder that goes and comes back is watched again", async () => {
  const cwd = await mkdtemp(join(tmpdir(), "ltxc-watch-"));
  const folder = join(cwd, "sub");
  const path = join(folder, "a.strategy");
  const make = async () => {
    await mkdir(folder);
    await writeFile(path, good);
  };
  await make();
  const { code, out } = await watched(
    cwd,
    ["check", "sub/a.strategy"],
    [
      () => rm(folder, { recursive: true }),
      make,
      () => writeFile(path, good.replace("video.target", "video.tarqet")),
      () => writeFile(path, `${good}# right again`),
    ],
  );
  assert.is(code, 0);
  assert.match(out, /LTX3004[\s\S]*no findings in sub\/a\.strategy/);
  await rm(cwd, { recursive: true });
});

test.run();
