// `--watch`: once at the start, again after a change, and an end by Ctrl-C.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ltxc } from "../testing/testing.ts";

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

test.run();
