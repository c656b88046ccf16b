// Runs whose thread that computes comes to its end, wherever they are.
import { Worker } from "node:worker_threads";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compiledProject } from "../../bin/testing/compiled-project.ts";
import { weightsPath } from "../checkpoints/checkpoint-files.ts";
import type { Step } from "../contract.ts";
import { loadTfjsAlone } from "../engine/load-tfjs.ts";
import { startOnnxDevice } from "../engine/onnx/device.ts";
import { createOnnxEngine } from "../engine/onnx/engine.ts";
import { FindingsError, type Finding } from "../findings.ts";
import type { TrainEvent } from "../metrics/events.ts";
import { configOf } from "../testing/opened-run.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { train } from "../train.ts";
import { openRun } from "./open-run.ts";

const test = suite("threads that end");
const newFolder = temporaryFolders(test, "thread-ends");

/**
 * Ends the thread that is sent the next request of this type, when it has done all that it was sent before: ONNX Runtime aborts where its
 * thread ends while it computes. This request and later ones do not arrive.
 */
function endAtNext(type: string): () => void {
  const { postMessage } = Worker.prototype;
  let isEnding = false;
  Worker.prototype.postMessage = function (this: Worker, message: { readonly type?: string }, ...more) {
    if (isEnding) return;
    if (message.type !== type) return postMessage.call(this, message, ...more);
    isEnding = true;
    // Nothing has this id, which is answered once its turn has come.
    this.on("message", ({ request }: { readonly request?: number }) => request === -1 && void this.terminate());
    postMessage.call(this, { type: "read", id: -1, request: -1 });
  };
  return () => void (Worker.prototype.postMessage = postMessage);
}

/** Trains with a checkpoint every two steps and returns what ended the run. `onEvent` is called with its events. */
async function findingsOf(
  folder: string,
  step: Step,
  onEvent: (event: TrainEvent) => void,
  begin = () => {},
): Promise<readonly Finding[]> {
  const engine = createOnnxEngine(await loadTfjsAlone(), await startOnnxDevice());
  const config = configOf(folder, step.strategy.name, { checkpoints: { interval: 2 }, optimization: { steps: 6 } });
  begin();
  try {
    const { run, close } = await openRun(engine, config, step);
    await train(run, { onEvent }).finally(close);
    return [];
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    return error.findings;
  }
}

for (const [when, type] of [
  ["computes a step", "run"],
  ["hands over a checkpoint", "read"],
] as const)
  test(`a thread that ends while it ${when} ends the run with words that name the last checkpoint`, async () => {
    const folder = await newFolder();
    const step = await compiledProject(folder, "text_to_video");
    let restore = () => {};
    const found = await findingsOf(folder, step, (event) => {
      if (event.type !== "step" || event.globalStep !== (type === "run" ? 3 : 4)) return;
      restore = endAtNext(type);
    }).finally(() => restore());
    assert.equal(
      found.map(({ code }) => code),
      ["LTX7042"],
    );
    const saved = weightsPath(join(folder, "outputs"), 2);
    assert.ok(existsSync(saved));
    assert.match(found[0]?.help ?? "", /^the weights of step [34] could not be saved/);
    assert.match(
      found[0]?.help ?? "",
      `the weights of step 2 are in ${saved}; \`ltxc run --resume\` goes on from there`,
    );
  });

test("a thread that ends while the run is being opened ends it, too", async () => {
  const folder = await newFolder();
  const step = await compiledProject(folder, "text_to_video");
  let restore = () => {};
  const begin = () => void (restore = endAtNext("upload"));
  const found = await findingsOf(folder, step, () => {}, begin).finally(() => restore());
  assert.equal(
    found.map(({ code, help = "" }) => `${code} ${help.split(";")[0]}`),
    ["LTX7042 no step was finished"],
  );
});

test.run();
