// A run of a strategy with passes: the base model next to the LoRA that is trained.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compiledProject } from "../../bin/testing/compiled-project.ts";
import { openEngine } from "../engine/index.ts";
import { trainIn } from "../testing/opened-run.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";

const test = suite("passes of a run");
const newFolder = temporaryFolders(test, "passes");
const { engine } = await openEngine("wasm");

test("a fresh LoRA predicts what the base model does, and training changes that", async () => {
  const folder = await newFolder();
  const step = await compiledProject(folder, "output_preservation");
  const before = engine.memory().tensors;
  const evaluation = { samples: 1, interval: 2, sigmas: [0.5] };
  const { steps, events } = await trainIn(engine, { folder, step }, { optimization: { steps: 2 } }, { evaluation });
  assert.is(engine.memory().tensors, before, "every tensor is freed");
  const [first, second] = steps.map(({ terms }) => terms["preserve"] ?? NaN);
  assert.is(first, 0);
  assert.ok((second ?? NaN) > 1e-9, String(second));
  const evaluated = events.flatMap((event) => (event.type === "evaluation" ? [event.terms["preserve"] ?? NaN] : []));
  assert.is(evaluated[0], 0);
  assert.ok((evaluated[1] ?? NaN) > 1e-9, String(evaluated[1]));
});

test.run();
