import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ltxc, project } from "../testing/testing.ts";

const test = suite<{ cwd: string }>("report");
test.before.each(async (context) => {
  context.cwd = await mkdtemp(join(tmpdir(), "ltxc-report-"));
});
test.after.each(({ cwd }) => rm(cwd, { recursive: true }));

const line = (value: unknown) => `${JSON.stringify(value)}\n`;

async function runFolder(cwd: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(cwd, "outputs", path, ".."), { recursive: true });
    await writeFile(join(cwd, "outputs", path), text);
  }
}

/** Every tag is closed in its order; a browser would mend the page in silence. */
function balanced(html: string): void {
  const open: string[] = [];
  const alone = ["meta", "img", "!doctype"];
  for (const [, close, name = "", self] of html
    .replace(/<style>.*?<\/style>/s, "")
    .matchAll(/<(\/?)([!a-z0-9]+)[^>]*?(\/?)>/g)) {
    if (alone.includes(name) && self === "" && close === "") continue;
    if (close === "/") assert.is(open.pop(), name);
    else if (self === "") open.push(name);
  }
  assert.equal(open, []);
}

test("shows each sample over the steps, the first and the last next to each other", async ({ cwd }) => {
  const names = ["step_000000_1.png", "step_000100_2.png", "step_000100_1.png", "step_001000_1.png", "other.png"];
  await runFolder(cwd, {
    "metrics.jsonl": line({ type: "started", strategy: "s", steps: 2 }),
    ...Object.fromEntries(names.map((name) => [`samples/${name}`, name])),
  });
  assert.is((await ltxc(["report"], { cwd })).code, 0);
  const html = await readFile(join(cwd, "outputs/report.html"), "utf8");
  balanced(html);
  const shown = [...html.matchAll(/(step_\d+_\d\.png|other\.png)/g)].map(([name]) => name);
  assert.equal(shown, ["step_000000_1.png", "step_000100_1.png", "step_001000_1.png", "step_000100_2.png"]);
  assert.match(
    html,
    /before the training.*<details><summary>1 step in between<\/summary>.*after step 100<.*after step 1000</s,
  );
  assert.not.match(html, "more of steps in between");
});

test("shows a run that was just trained, with its strategy as it was compiled", async () => {
  const cwd = await project({ steps: 2, interval: "null" });
  await ltxc(["run"], { cwd });
  const source = await readFile(join(cwd, "inpainting.strategy"), "utf8");
  await writeFile(join(cwd, "inpainting.strategy"), "changed");
  const { code, out } = await ltxc(["report"], { cwd });
  assert.is(code, 0);
  assert.is(out, "2 steps of outputs → outputs/report.html\n");
  const html = await readFile(join(cwd, "outputs/report.html"), "utf8");
  balanced(html);
  assert.match(html, "lora_weights_step_00002.safetensors");
  assert.match(
    html,
    source
      .split("\n")
      .find((each) => each.startsWith("description"))
      ?.slice(0, 30) ?? "none",
  );
  assert.match(html, "preprocessed_data_root");
  assert.match(html, "Training loss");
  assert.match(html, "<th>engine</th><td>wasm</td>");
  // Nothing is fetched.
  assert.not.match(html, /(?:src|href)="(?!data:)|https?:|@import|url\(/);
  await rm(cwd, { recursive: true });
});

test("whatever stands in the files is text", async ({ cwd }) => {
  const evil = `<script>alert("x")</script>&'`;
  await runFolder(cwd, {
    "metrics.jsonl":
      line({
        type: "started",
        globalStep: 0,
        strategy: evil,
        engine: evil,
        loaded: evil,
        time: evil,
        environment: { node: evil, [evil]: 1 },
      }) +
      line({ type: "step", globalStep: 1, loss: 1, terms: { [evil]: 1, b: 2 }, sigmaBuckets: { [evil]: 1 } }) +
      line({ type: "warning", finding: { code: evil, message: evil } }),
    "training_config.yaml": evil,
    "strategy/mine.strategy": evil,
    [`checkpoints/<b>.safetensors`]: "1234",
  });
  const { code } = await ltxc(["report", "outputs", "--out", "page.html"], { cwd });
  assert.is(code, 0);
  const html = await readFile(join(cwd, "page.html"), "utf8");
  assert.not.match(html, "<script");
  assert.not.match(html, "<b>.safetensors");
  balanced(html);
});

test("damaged metrics, and runs without a step, make a page all the same", async ({ cwd }) => {
  await runFolder(cwd, {
    "metrics.jsonl": `${line({ type: "started", globalStep: 0, strategy: 7, environment: "x", time: 4 })}{"type":`,
  });
  assert.is((await ltxc(["report"], { cwd })).code, 0);
  const html = await readFile(join(cwd, "outputs/report.html"), "utf8");
  assert.match(html, "1 line of metrics.jsonl could not be read");
  assert.match(html, "No step was done yet.");
  assert.match(html, "not finished");
});

test("a run config stands for the run in its output_dir", async ({ cwd }) => {
  await mkdir(join(cwd, "runs/one"), { recursive: true });
  await writeFile(join(cwd, "runs/one/metrics.jsonl"), "");
  const lines = ["model: {model_path: m.safetensors}", "lora: {}", "data: {preprocessed_data_root: d}"];
  await writeFile(join(cwd, "runs/mine.yaml"), [...lines, "output_dir: one", ""].join("\n"));
  assert.is((await ltxc(["report", "runs/mine.yaml", "--quiet"], { cwd })).out, "runs/one/report.html\n");
  await writeFile(join(cwd, "bad.yaml"), "model: 3\n");
  const bad = await ltxc(["report", "bad.yaml"], { cwd });
  assert.is(bad.code, 2);
  assert.match(bad.err, "`ltxc check bad.yaml` says why");
});

test("a folder that is no run is a usage error", async ({ cwd }) => {
  const missing = await ltxc(["report", "nowhere"], { cwd });
  assert.is(missing.code, 2);
  assert.match(missing.err, "error: nowhere does not exist");
  await mkdir(join(cwd, "empty"));
  assert.match((await ltxc(["report", "empty"], { cwd })).err, "error: empty holds no metrics.jsonl");
});

test("--json and --quiet print where the page is", async ({ cwd }) => {
  await runFolder(cwd, { "metrics.jsonl": "" });
  assert.is((await ltxc(["report", "--json"], { cwd })).out, '{"report":"outputs/report.html"}\n');
  assert.is((await ltxc(["report", "--quiet"], { cwd })).out, "outputs/report.html\n");
});

test.run();
