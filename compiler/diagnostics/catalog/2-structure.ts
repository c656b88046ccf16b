import type { Entry } from "./entry.ts";

/** What is wrong with the shape of a document: keys, and the types and ranges of values. */
export const entries = [
  {
    code: "LTX2001",
    slug: "unknown-key",
    title: "A key is not known",
    explanation:
      "The key is misspelt, stands at the wrong depth, or belongs to another version of the language. It would have no effect, so it is refused.",
    bad: "video:\n  latents: latents\n  kep: first_frame\n",
    good: "video:\n  latents: latents\n  keep: first_frame\n",
  },
  {
    code: "LTX2002",
    slug: "missing-key",
    title: "A key is missing",
    explanation: "The marked mapping is not complete without the key, and there is no sensible default for it.",
    bad: "sources:\n  latents: {kind: video_latents}\n",
    good: "strategy: s\nsources:\n  latents: {directory: latents, kind: video_latents}\nloss: {a: 1}\n",
  },
  {
    code: "LTX2003",
    slug: "wrong-type",
    title: "A value has the wrong type",
    explanation:
      "For instance a list where a text belongs, or a number in quotes where a number belongs. In YAML 1.2 `yes` and `no` are texts; booleans are `true` and `false`.",
    bad: "video:\n  latents: latents\n  generate: yes\n",
    good: "video:\n  latents: latents\n  generate: true\n",
  },
  {
    code: "LTX2004",
    slug: "value-not-allowed",
    title: "A value is not one of those allowed",
    explanation: "The key takes one of a few values, which the finding lists.",
    bad: "sources:\n  latents: {directory: latents, kind: videos}\n",
    good: "sources:\n  latents: {directory: latents, kind: video_latents}\n",
  },
  {
    code: "LTX2005",
    slug: "out-of-range",
    title: "A number is out of range",
    explanation: "The number is below or above what the key can mean.",
    bad: "params:\n  region: {type: array, minItems: -1}\n",
    good: "params:\n  region: {type: array, minItems: 1}\n",
  },
  {
    code: "LTX2006",
    slug: "wrong-form",
    title: "A name or path has the wrong form",
    explanation:
      "A strategy's name has lower-case letters, digits and underscores. Other names may have upper-case letters, too. A directory lies inside the data root: it begins with no `/` and contains no `..`.",
    bad: "sources:\n  latents: {directory: ../latents, kind: video_latents}\n",
    good: "sources:\n  latents: {directory: latents, kind: video_latents}\n",
  },
  {
    code: "LTX2007",
    slug: "wrong-count",
    title: "There are too few or too many entries",
    explanation:
      "An empty mapping or list stands where at least one entry is needed, or a list is longer than it may be.",
    bad: "loss: {}\n",
    good: "loss: {velocity: 'mse(video.prediction, video.target)'}\n",
  },
  {
    code: "LTX2008",
    slug: "key-does-not-apply",
    title: "A key does not apply here",
    explanation:
      "The key is known, but another key of the same entry excludes it: `key` and `axes` belong to sources of kind `tensor` only.",
    bad: "sources:\n  latents: {directory: latents, kind: video_latents, key: latents}\n",
    good: "sources:\n  latents: {directory: latents, kind: video_latents}\n",
  },
  {
    code: "LTX2010",
    slug: "outside-project",
    title: "A path leads out of the project",
    explanation:
      "A strategy imports and extends files of its own project: those below the nearest folder upward with a package.json, a .git or a train.yaml, or below the strategy's own folder if there is none. Links are followed first. The same holds for what an imported file imports itself. So a strategy that somebody sends cannot take in other files of this machine.",
    bad: 'imports:\n  edges: {from: /home/me/losses/edges.ts, type: "(a: tokens:video) -> f32[batch]"}\n',
    good: 'imports:\n  edges: {from: ./losses/edges.ts, type: "(a: tokens:video) -> f32[batch]"}\n',
  },
  {
    code: "LTX2011",
    slug: "import-not-allowed",
    title: "An import is neither a file of the project nor one of its packages",
    explanation:
      "Apart from files, only installed packages can be imported that the project's package.json names under `dependencies` or `devDependencies`. URLs are not fetched, and the modules of Node.js are left out, because an imported function only calculates.",
    bad: 'imports:\n  edges: {from: "https://example.org/edges.ts", type: "(a: tokens:video) -> f32[batch]"}\n',
    good: 'imports:\n  edges: {from: ./edges.ts, type: "(a: tokens:video) -> f32[batch]"}\n',
  },
] as const satisfies readonly Entry[];
