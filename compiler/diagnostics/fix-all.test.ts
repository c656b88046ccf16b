import { readdirSync, readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { check } from "../index.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { fixAll } from "./fix-all.ts";

const test = suite("fixes");
const findings = (text: string) => check({ path: "a.strategy", text }).diagnostics;

const head = `strategy: sample
params:
  threshold: {type: number, default: 0.5}
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
  masks: {directory: masks, kind: video_mask}
let:
  hole: masks > threshold
video:
  latents: latents
  keep: not hole
loss:
  velocity: mse(video.prediction, video.target) over hole
`;

/** The line of `head` that is replaced, by what, and what the fixes make of it. */
const cases: readonly (readonly [code: string, line: string, bad: string, good: string])[] = [
  ["LTX3001", "over hole", "over holl", "over hole"],
  ["LTX3001", "masks > threshold", "masks > treshold", "masks > threshold"],
  ["LTX3001", "keep: not hole", 'keep: "not hoel"', 'keep: "not hole"'],
  ["LTX3001", "keep: not hole", "keep: first_fram or not hole", "keep: first_frame or not hole"],
  ["LTX3001", "mse(video.prediction", "charboner(video.prediction", "charbonnier(video.prediction"],
  ["LTX3001", "  velocity: mse(", "  velocity: sigma * mse(", "  velocity: video.sigma * mse("],
  ["LTX3001", "latents: latents\n", "latents: latens\n", "latents: latents\n"],
  ["LTX3004", "video.prediction", "video.predicton", "video.prediction"],
  [
    "LTX3006",
    "  velocity: ",
    "  more: mean(video.prediction, tokn, channel)\n  velocity: ",
    "  more: mean(video.prediction, token, channel)\n  velocity: ",
  ],
  ["LTX4011", "over hole", "over hole()", "over hole"],
  ["LTX5002", " over hole", "", " over video.generated"],
  [
    "LTX5002",
    "  velocity: mse(video.prediction, video.target) over hole",
    '  velocity: "0.5 * mse(video.prediction, video.target) + 1"',
    '  velocity: "0.5 * mse(video.prediction, video.target) over video.generated + 1"',
  ],
  ["LTX1103", "not hole", "(!hole&&first_frame)", "(not hole and first_frame)"],
  ["LTX1103", "masks > threshold", "masks\u2265threshold**2", "masks>=threshold^2"],
  ["LTX1101", "masks > threshold", "masks = threshold", "masks == threshold"],
  [
    "LTX1101",
    "masks > threshold",
    "any(masks + 1 = threshold, channel) or (masks > 1)",
    "any(masks + 1 == threshold, channel) or (masks > 1)",
  ],
  [
    "LTX1111",
    "keep: not hole",
    "keep: [prefix(1), crop(0, 0, 64, 64) and hole, not hole]",
    'keep: [prefix(1), "crop(0, 0, 64, 64) and hole", not hole]',
  ],
  ["LTX2001", "  keep: not hole", "  kepp: not hole", "  keep: not hole"],
  ["LTX2001", "kind: video_mask", '"kinds": video_mask', "kind: video_mask"],
  ["LTX2003", "default: 0.5", "default: 0.5, minimum: '0'", "default: 0.5, minimum: 0"],
  ["LTX2003", "  keep: not hole", "  keep: not hole\n  generate: yes", "  keep: not hole\n  generate: true"],
  ["LTX2003", "directory: masks", "directory: 12", 'directory: "12"'],
  ["LTX2004", "kind: video_mask", 'kind: "video_masks"', 'kind: "video_mask"'],
];

for (const [code, line, bad, good] of cases)
  test(`${code}: ${bad.trim() || "nothing"}`, async () => {
    const text = head.replace(line, () => bad);
    const before = findings(text);
    assert.ok(
      before.some((found) => found.code === code && found.fix !== undefined),
      JSON.stringify(before),
    );
    const fixed = await fixAll(text, findings);
    assert.is(
      fixed.text,
      head.replace(line, () => good),
    );
    assert.not.ok(findings(fixed.text).some((found) => found.code === code));
  });

test("the file without mistakes has no findings", () => assert.equal(findings(head), []));

/** Changes that are likely, but not certain. */
const uncertain = [
  // Which of the two is meant?
  head.replace("let:\n", "let:\n  hale: masks > 1\n").replace("over hole", "over hule"),
  // One letter or a digit may be all that tells two names apart.
  head.replaceAll("hole", "hole_1").replace("over hole_1", "over hole_2"),
  head.replaceAll("hole", "hole_a").replace("over hole_a", "over hole_b"),
  // A function where a value is needed.
  head.replace("over hole", "over clam"),
  // A number where a mask is needed.
  head.replace("keep: not hole", "keep: masks"),
  // Both modalities have a sigma.
  `${head.replace("sources:\n", "sources:\n  sound: {directory: sound, kind: audio_latents}\n").replace("loss:\n  velocity: ", "audio:\n  latents: sound\nloss:\n  audio: mse(audio.prediction, audio.target)\n  velocity: sigma * ")}`,
];

test("what is not certain is not fixed", () => {
  for (const text of uncertain) {
    const errors = findings(text).filter(({ severity }) => severity === "error");
    assert.ok(errors.length > 0, text);
    assert.equal(
      errors.filter(({ fix }) => fix !== undefined),
      [],
    );
  }
});

test("several fixes are applied at once, and what they uncover after them", async () => {
  const bad = head
    .replace("  keep: not hole", "  kepp: (!hoel)")
    .replace("latents: latents\n", "latents: latens\n")
    .replace("over hole", "over vidoe.generatd");
  const { text, applied } = await fixAll(bad, findings);
  assert.is(text, head.replace("not hole", "(not hole)").replace("over hole", "over video.generated"));
  assert.equal(
    applied.map(({ diagnostic, fix }) => `${diagnostic.code} ${fix.title}`),
    [
      "LTX3001 write `latents`",
      "LTX2001 write `keep`",
      "LTX3001 write `video`",
      "LTX1103 write `not`",
      "LTX3004 write `generated`",
      "LTX3001 write `hole`",
    ],
  );
});

test("fixes that touch one another wait, and those that undo one another end", async () => {
  const fix = (start: number, end: number, text: string) => ({ title: text, edits: [{ span: { start, end }, text }] });
  const found = (fixes: readonly ReturnType<typeof fix>[]): Diagnostic[] =>
    fixes.map((one) => ({
      code: "LTX1103",
      slug: "",
      severity: "error",
      message: "",
      span: { start: 0, end: 0 },
      labels: [],
      fix: one,
    }));
  const circle = await fixAll("a", (text) => found([fix(0, 1, text === "a" ? "b" : "a")]));
  assert.is(circle.text, "a");
  const touching = await fixAll("ab", (text) =>
    found(text === "ab" ? [fix(0, 1, "x"), fix(1, 2, "y"), fix(1, 1, "z")] : []),
  );
  assert.is(touching.text, "xb");
});

test("the samples' fixes never add a finding of the same code, nor break what could be read", async () => {
  const folder = new URL("samples/", import.meta.url);
  let count = 0;
  for (const name of readdirSync(folder)) {
    const text = readFileSync(new URL(`${name}/input.strategy`, folder), "utf8");
    const { text: fixed, applied } = await fixAll(text, findings);
    const errors = (of: string) => findings(of).filter(({ severity }) => severity === "error").length;
    if (applied.length > 0) assert.ok(errors(fixed) <= errors(text), `${name}:\n${fixed}`);
    count += applied.length;
  }
  assert.ok(count > 5);
});

test.run();
