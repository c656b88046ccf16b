import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseYaml } from "../1-parse/yaml.ts";
import { Bag } from "../diagnostics/bag.ts";
import { sourceFile } from "../source/source-file.ts";
import { validateStrategy } from "./schema.ts";

const test = suite("schema");

/** `code [text at the span] message (help)` of everything that differs. */
function check(text: string): string[] {
  const bag = new Bag();
  const tree = parseYaml(sourceFile("a", text), bag);
  assert.ok(tree);
  validateStrategy(tree, bag);
  return bag
    .sorted()
    .map(
      ({ code, span, message, help }) =>
        `${code} [${text.slice(span.start, span.end)}] ${message}${help === undefined ? "" : ` (${help})`}`,
    );
}

const rest = "strategy: s\nsources: {x: {directory: x, kind: video_latents}}\nloss: {x: 1}\n";

test("a key at the wrong depth is told where it belongs", () => {
  assert.equal(check(`${rest}video: {latents: x, kind: a}\nkeep: first_frame\n`), [
    "LTX2001 [kind] `video` has no key `kind` (`kind` belongs under `sources.<name>`)",
    "LTX2001 [keep] a strategy has no key `keep` (`keep` belongs under `video` or `audio`)",
  ]);
});

test("a complete strategy has the right shape", () => {
  const text = `# comment
strategy: inpainting
language: 1
description: Fill.
params:
  dir: {type: string, default: mask_latents, description: d}
  region: {type: array, items: {type: integer, minimum: 0}, minItems: 4}
sources:
  latents: {directory: latents, kind: video_latents}
  dino: {directory: "a/\${dir}", kind: tensor, key: k, axes: [token:video, feature]}
let: {f(a): a + 1, n: 2, m: true}
video: {latents: latents, fps: 24, generate: true, keep: [first_frame, true], references: [a]}
audio: {latents: l}
loss: {x: mse, y: 0}
outputs: {mid: {tap: block 12, modality: video}, end: {tap: block -1, modality: video}, wide: {linear: mid, features: 3, activation: silu}}
imports: {e: {from: ./e.ts, type: () -> f32}}
metadata: {factor: 2}
expect: [a]
`;
  assert.equal(check(text), []);
});

test("a strategy that extends another may leave things out", () => {
  assert.equal(check("strategy: s\nextends: text_to_video\nvideo: {fps: 25}\n"), []);
});

const cases: readonly (readonly [string, ...string[]])[] = [
  [`${rest}vidoe: {latents: x}\n`, "LTX2001 [vidoe] a strategy has no key `vidoe` (did you mean `video`?)"],
  [
    `${rest}video: {latents: x, latent: x, zzz: 1}\n`,
    "LTX2001 [latent] `video` has no key `latent` (it may have ",
    "LTX2001 [zzz] `video` has no key `zzz` (it may have ",
  ],
  [`${rest}audio: {latents: x, fps: 24}\n`, "LTX2001 [fps] `audio` has no key `fps` (`fps` belongs under `video`)"],
  [
    "strategy: s\n",
    "LTX2002 [strategy] a strategy needs the key `sources`",
    "LTX2002 [strategy] a strategy needs the key `loss`",
  ],
  [`${rest}video: {fps: 24}\n`, "LTX2002 [video] `video` needs the key `latents` (add `latents:`)"],
  [`${rest}video:\n`, "LTX2003 [video] `video` must be a mapping, but nothing is written here"],
  [`${rest}video: {latents: [x]}\n`, "LTX2003 [latents] `video.latents` must be an expression, but this is a list"],
  [
    `${rest}video: {latents: x, sigma: {a: 1}}\n`,
    "LTX2003 [sigma] `video.sigma` must be an expression, but this is a mapping",
  ],
  [
    `${rest}video: {latents: x, generate: yes}\n`,
    "LTX2003 [yes] `video.generate` must be `true` or `false`, but this is the text `yes` (write `true`)",
  ],
  [
    `${rest}params: {p: {type: number, minimum: "0.5"}}\n`,
    'LTX2003 ["0.5"] `params.p.minimum` must be a number, but this is the text `0.5` (write 0.5 without quotes)',
  ],
  [`${rest}description: 5\n`, 'LTX2003 [5] `description` must be a text, but this is `5` (put it in quotes: "5")'],
  [
    `${rest}expect: a\n`,
    "LTX2003 [a] `expect` must be a list of expressions, but this is the text `a` (write a list: [a])",
  ],
  ["- a\n", "LTX2003 [] a strategy must be a mapping, but this is a list"],
  [
    `${rest}language: 3\n`,
    "LTX2004 [3] `language` must be a version of the language, but this is `3` (write `1` or `2`)",
  ],
  [
    "strategy: s\nloss: {x: 1}\nsources: {x: {directory: d, kind: video_latent}}\n",
    "LTX2004 [video_latent] `sources.x.kind` must be a kind of source, but this is the text `video_latent` (did you mean `video_latents`?)",
  ],
  [
    `${rest}params: {p: {type: array, minItems: -1}}\n`,
    "LTX2005 [-1] `params.p.minItems` must be at least 0, but this is `-1`",
  ],
  [
    `${rest}params: {1p: {type: number}}\n`,
    "LTX2006 [1p] `1p` is not a name (a name has letters, digits and _, not beginning with a digit)",
  ],
  [
    "strategy: S\nloss: {x: 1}\nsources: {x: {directory: ../x, kind: tensor, key: a, axes: [a b]}}\n",
    "LTX2006 [S] `strategy` must be a name of lower-case letters",
    "LTX2006 [../x] `sources.x.directory` must be a directory inside the data root",
    "LTX2006 [a b] `sources.x.axes[0]` must be an axis such as",
  ],
  [
    "strategy: s\nloss: {}\nsources: {x: {directory: d, kind: video_mask, key: k}}\n",
    "LTX2007 [loss] `loss` must have at least 1 entry",
    "LTX2008 [key] the key `key` does not apply to `sources.x` as it is written",
  ],
];
for (const [text, ...expected] of cases)
  test(`reports ${expected[0]}`, () => {
    const found = check(text);
    assert.equal(
      found.map((line, index) => line.slice(0, expected[index]?.length)),
      expected,
      found.join("\n"),
    );
  });

test("a tensor source names its entry and its axes", () => {
  const found = check("strategy: s\nloss: {x: 1}\nsources: {x: {directory: d, kind: tensor}}\n");
  assert.equal(
    found.map((line) => line.slice(0, 48)),
    ["LTX2002 [x] `sources.x` needs the key `key` (add", "LTX2002 [x] `sources.x` needs the key `axes` (ad"],
  );
});

const accepts = (directory: string) =>
  check(`strategy: s\nloss: {x: 1}\nsources: {x: {directory: ${JSON.stringify(directory)}, kind: video_latents}}\n`)
    .length === 0;

test("directories stay inside the data root", () => {
  assert.equal(["a", "a/b", "..a", "a..b/c", ".hidden", "${p}"].map(accepts), [true, true, true, true, true, true]);
  assert.equal(["/a", "\\a", "C:\\a", "..", "a/..", "a/../b", "a\\..\\b", ""].map(accepts), [
    false,
    false,
    false,
    false,
    false,
    false,
    false,
    false,
  ]);
});

test("keys of objects in the language of the compiler are ordinary keys", () => {
  const found = check(`${rest}__proto__: 1\nconstructor: 2\n`);
  assert.equal(
    found.map((line) => line.slice(0, 23)),
    ["LTX2001 [__proto__] a s", "LTX2001 [constructor] a"],
  );
});

test("keys may hold the characters that separate the steps of a path", () => {
  assert.equal(check(`${rest}metadata: {"a/b~c": [4]}\n`), [
    `LTX2003 ["a/b~c"] \`metadata.a/b~c\` must be a text, but this is a list`,
  ]);
});

test.run();
