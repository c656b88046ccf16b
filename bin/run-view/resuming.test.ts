import { suite } from "uvu";
import * as assert from "uvu/assert";
import { resumeNote, resumingText } from "./resuming.ts";

const test = suite("what a run can go on with");

test("the size of a full state is said, and what the others lack and how to change that", () => {
  assert.match(resumingText("full", 1_000_000), /a training state of 12 MB|a training state of 11\.4 MiB/);
  assert.match(resumingText("minimal", 1_000_000), /new optimizer moments.*`checkpoints\.save_training_state: full`/);
  assert.match(resumingText("off", 1_000_000), /can not be resumed.*`checkpoints\.save_training_state: full`/);
});

test("the command to go on says it again, where a resumed run will not equal an uninterrupted one", () => {
  assert.is(resumeNote("full"), "");
  assert.match(resumeNote("minimal"), "with new optimizer moments");
  assert.match(resumeNote("off"), "from step 0");
});

test.run();
