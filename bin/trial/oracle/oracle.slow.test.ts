// Each finding of the oracle is made by the mistake that its entry in the catalog shows, and not by the mended text.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { catalog, type CatalogEntry } from "../../../compiler/diagnostics/index.ts";
import { sourceFile } from "../../../compiler/source/index.ts";
import { openEngine } from "../../../runtime/index.ts";
import { openSubject } from "../../probe/subject.ts";
import { libraryAt } from "../../project/library.ts";
import { consult } from "./index.ts";

const test = suite("the oracle");
const entries = catalog.filter(({ code }) => /^LTX71[12]/.test(code));
const { engine } = await openEngine("cpu");

async function findingsOf(text: string) {
  const path = "example.strategy";
  const { subject, diagnostics } = await openSubject(libraryAt(".", path), sourceFile(path, text), {
    imports: async () => null,
  });
  if (subject === null) throw new Error("this does not compile");
  return [...diagnostics, ...(await consult(engine, subject, 0, diagnostics))];
}

const codesOf = async (text: string) => (await findingsOf(text)).map(({ code }) => code);

for (const { code, slug, bad, good } of entries) {
  test(`${slug}: in the bad example and not in the good one`, async () => {
    assert.equal(await codesOf(bad), [code]);
    assert.equal(await codesOf(good), []);
  });
}

/** The line of the finding with a comment that allows it. */
async function allowed({ code, bad }: CatalogEntry): Promise<string> {
  const [finding] = await findingsOf(bad);
  const end = bad.indexOf("\n", finding?.span.start);
  return `${bad.slice(0, end)} # allow: ${code} as in the paper${bad.slice(end)}`;
}

test("a comment with a reason silences a warning, but not a loss that is dead as a whole", async () => {
  const of = async (code: string) => {
    const entry = entries.find((each) => each.code === code);
    return entry === undefined ? null : codesOf(await allowed(entry));
  };
  assert.equal([await of("LTX7110"), await of("LTX7115"), await of("LTX7124")], [["LTX7110"], [], []]);
});

test("a finding names the numbers, the batch and how it is allowed", async () => {
  const [finding] = await findingsOf(catalog.find(({ code }) => code === "LTX7115")?.bad ?? "");
  assert.match(
    finding?.message ?? "",
    /deviation 1\.4\d*, and not 0 and 1, with 4 samples of 3 x 4 x 2 latent cells, seed \d+$/,
  );
  assert.match(finding?.help ?? "", /`# allow: LTX7115` and why on this line$/);
});

test("a loss that trains kept tokens is found by its gradient, whatever it is made of", async () => {
  const of = (loss: string) => `strategy: s
${sources}  saliency: {directory: saliency, kind: video_latents}
video:
  latents: latents
  keep: first_frame
loss:
  v: ${loss}
`;
  const error = "abs(video.prediction - video.target) * (1 + abs(tokens(saliency)))";
  assert.equal(await codesOf(of(`mean(${error})`)), ["LTX5042"]);
  assert.equal(await codesOf(of(`max(${error})`)), ["LTX5042"]);
  assert.equal(await codesOf(of(`mean(${error} * float(video.generated))`)), []);
  assert.equal(await codesOf(of(`mean(${error}) # allow: LTX5042 all of it is meant`)), []);
  assert.equal(
    await codesOf(of("(1 + mean(abs(tokens(saliency)))) * mse(video.prediction, video.target) over all")),
    [],
  );
});

const sources = `sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
`;
const sound: Readonly<Record<string, string>> = {
  "a text that is left out by chance": `strategy: s
params:
  dropout: {type: number, default: 0.1, minimum: 0, maximum: 1}
${sources}  empty: {file: empty.pt, kind: text_embeddings}
video:
  latents: latents
  text:
    - empty with probability dropout
    - conditions
loss:
  v: mse(video.prediction, video.target)
`,
  "parameters that are felt together, late, or above a number alone": `strategy: s
params:
  low: {type: number, default: 0.2, minimum: 0, maximum: 1}
  high: {type: number, default: 0.8, minimum: 0, maximum: 1}
  count: {type: integer, default: 4, minimum: 1, maximum: 200}
  few: {type: integer, default: 2, minimum: 1}
  late: {type: number, default: 0.9}
  boost: {type: number, default: 3, minimum: 1, maximum: 5}
  warm: {type: integer, default: 100, minimum: 1}
  soft: {type: boolean, default: false}
  strong: {type: boolean, default: false}
  off: {type: number, default: 0, minimum: 0}
${sources}let:
  a: if low < high then 1 else 2
  b: if count == few then 3 else if count == 100 then 2 else 1
  c: if progress > late then boost else 1
  d: if soft and strong then 0.5 else 1
  e: if global_step < warm then 0.1 else 1
video:
  latents: latents
loss:
  v: a * b * c * d * e * mse(video.prediction, video.target)
  w: off * mae(video.prediction, video.target)
`,
  "weights of its own for each channel": `strategy: s
${sources}  saliency: {directory: saliency, kind: video_latents}
video:
  latents: latents
loss:
  v: mse(video.prediction, video.target) over (1 + abs(tokens(saliency)))
`,
  "perturbed noise, another target, a preference": `strategy: s
${sources}  liked: {directory: liked, kind: tensor, key: value, axes: []}
let:
  gain: 0.9 - mse(video.prediction, video.target)
video:
  latents: latents
  target: clean
  noisy: (1 - sigma) * clean + sigma * (noise + 0.1 * randn() per (token, channel))
  denoised: prediction
loss:
  preference: 1 - sigmoid(500 * (if liked > 0.5 then 1 else -1) * gain)
`,
};

for (const [what, text] of Object.entries(sound))
  test(`nothing is said of ${what}`, async () => {
    assert.equal(await codesOf(text), []);
  });

test("a bound on how far two calls are apart is not dead because they begin alike", async () => {
  const of = (near: string) => `strategy: s
${sources}passes:
  base: {adapters: false}
video:
  latents: latents
loss:
  video: mse(video.prediction, video.target)
  near: ${near}
`;
  assert.equal(await codesOf(of("max(0, mse(video.prediction, base.video.prediction) - 0.01)")), []);
  const far = "  far: max(0, mse(video.prediction, video.target) - 1000)";
  assert.equal(await codesOf(of(`0.1 * mse(video.prediction, base.video.prediction)\n${far}`)), ["LTX7110"]);
});

test.run();
