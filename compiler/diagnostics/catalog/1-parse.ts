import type { Entry } from "./entry.ts";

/** What is wrong with the text itself: YAML that cannot be read, and expressions that break the grammar. */
export const entries = [
  {
    code: "LTX1001",
    slug: "yaml-syntax",
    title: "This is not YAML",
    explanation:
      "The text breaks a rule of YAML, so nothing after this place can be trusted: a quote or bracket that never closes, lines of one mapping that are indented differently, or a `: ` inside a value that is not in quotes.",
    bad: "description: Fill holes: quickly\n",
    good: 'description: "Fill holes: quickly"\n',
  },
  {
    code: "LTX1002",
    slug: "tab-indentation",
    title: "A tab indents a line",
    explanation: "YAML indents with spaces only, since editors disagree on the width of a tab.",
    bad: "video:\n\tlatents: latents\n",
    good: "video:\n  latents: latents\n",
  },
  {
    code: "LTX1003",
    slug: "duplicate-key",
    title: "A key is given twice",
    explanation: "A mapping holds each key once. Of two values one would be lost without a word.",
    bad: "video:\n  latents: latents\n  fps: 24\n  fps: 25\n",
    good: "video:\n  latents: latents\n  fps: 25\n",
  },
  {
    code: "LTX1004",
    slug: "unknown-tag",
    title: "A tag means nothing here",
    explanation:
      "A word that begins with `!` is a tag in YAML, which names a type of value. Documents here hold texts, numbers, booleans, lists and mappings, which need no tags. For a negated mask write `not`.",
    bad: "let:\n  a: !hole b\n",
    good: "let:\n  a: not hole\n",
  },
  {
    code: "LTX1005",
    slug: "broken-alias",
    title: "An alias leads nowhere",
    explanation:
      "`*name` repeats the value that `&name` marks further up. There is no such mark, or the value would contain itself. A value that begins with `*` belongs in quotes if no alias is meant.",
    bad: "let:\n  a: *hole\n",
    good: "let:\n  hole: &hole first_frame\n  a: *hole\n",
  },
  {
    code: "LTX1006",
    slug: "merge-key",
    title: "Merge keys are not part of this format",
    explanation:
      "`<<` belongs to an old version of YAML. Write the keys out; a strategy takes another one's keys with `extends`. " +
      "In a run config, which is read as the official trainer reads it, `<<` takes a mapping or a list of mappings.",
    bad: "video: &v {latents: latents}\naudio:\n  <<: *v\n",
    good: "video: {latents: latents}\naudio:\n  latents: sound\n",
  },
  {
    code: "LTX1007",
    slug: "several-documents",
    title: "The file holds more than one document",
    explanation: "A line `---` begins another YAML document. A file here is one document; the others would be ignored.",
    bad: "strategy: a\n---\nstrategy: b\n",
    good: "strategy: a\n",
  },
  {
    code: "LTX1008",
    slug: "key-not-text",
    title: "A key is not a text",
    explanation: "Keys are names. YAML reads a bare `1`, `true` or `[a]` as a number, a boolean or a list.",
    bad: "params:\n  1: {type: number}\n",
    good: "params:\n  first: {type: number}\n",
  },
  {
    code: "LTX1009",
    slug: "document-too-large",
    title: "The document is too large or too deeply nested",
    explanation:
      "A document may have 500,000 characters, 60,000 parts (marks, texts, comments, line breaks and the spaces between them), 20,000 values (those that aliases repeat count each time) and 40 levels. No sensible file comes near; the bounds keep a hostile one from taking all the memory and time.",
    bad: `let: ${"[".repeat(50)}${"]".repeat(50)}\n`,
    good: "let: {a: 1}\n",
  },
  {
    code: "LTX1010",
    slug: "empty-document",
    title: "The file is empty",
    explanation: "There is nothing in the file but blank lines and comments.",
    bad: "# a strategy to be written\n",
    good: "strategy: inpainting\n",
  },
  {
    code: "LTX1011",
    slug: "number-not-finite",
    title: "A number is not finite",
    explanation: "`.inf` and `.nan` are numbers in YAML, but no setting and no expression here can use them.",
    bad: "let:\n  far: .inf\n",
    good: "let:\n  far: 1e6\n",
  },
  {
    code: "LTX1012",
    slug: "control-character",
    title: "The file holds a control character",
    explanation:
      "Characters such as NUL or ESC, and line breaks of a lone carriage return, cannot stand in YAML. They come from damaged files or from text in another encoding than UTF-8.",
    bad: "description: a\u0001b\n",
    good: 'description: "a\\x01b"\n',
  },
  {
    code: "LTX1101",
    slug: "expression-syntax",
    title: "An expression breaks the grammar",
    explanation:
      "At the marked place the expression goes on in a way that has no meaning: a parenthesis is missing, two values stand side by side without an operator, or an `if` lacks one of its three parts.",
    bad: "let:\n  hole: mean(masks, channel > 0.5\n",
    good: "let:\n  hole: mean(masks, channel) > 0.5\n",
  },
  {
    code: "LTX1102",
    slug: "unexpected-character",
    title: "A character means nothing in an expression",
    explanation:
      "Expressions are made of names, numbers, operators and parentheses. They hold no text in quotes and no `${...}`: a parameter is written by its name.",
    bad: "let:\n  hole: masks > ${threshold}\n",
    good: "let:\n  hole: masks > threshold\n",
  },
  {
    code: "LTX1103",
    slug: "foreign-operator",
    title: "An operator of another language",
    explanation: "Masks are combined with the words `not`, `and` and `or`; powers are written `x^2`, equality is `==`.",
    bad: "let:\n  both: hole && first_frame\n",
    good: "let:\n  both: hole and first_frame\n",
  },
  {
    code: "LTX1104",
    slug: "expression-too-large",
    title: "An expression is too long or too deeply nested",
    explanation:
      "An expression may have 1000 words and symbols, and 48 parentheses or `if`s inside each other. Bindings with arguments are put in where they are used, which may make it large, too. Give parts of it names under `let`.",
    bad: `let:\n  a: ${"(".repeat(60)}1${")".repeat(60)}\n`,
    good: "let:\n  a: 1\n",
  },
  {
    code: "LTX1105",
    slug: "number-too-large",
    title: "A number is too large",
    explanation: "Numbers are floating-point numbers, of which the largest is about 1.8e308.",
    bad: "let:\n  a: 2 * 1e400\n",
    good: "let:\n  a: 2 * 1e30\n",
  },
  {
    code: "LTX1106",
    slug: "empty-expression",
    title: "An expression is missing",
    explanation: "A text in quotes without contents, or an empty `${}`, stands where an expression belongs.",
    bad: 'let:\n  a: ""\n',
    good: "let:\n  a: 1\n",
  },
  {
    code: "LTX1107",
    slug: "index-not-whole",
    title: "An index is not a whole number",
    explanation: "Entries of a list are counted 0, 1, 2 and so on.",
    bad: "let:\n  a: region[0.5]\n",
    good: "let:\n  a: region[0]\n",
  },
  {
    code: "LTX1108",
    slug: "misplaced-probability",
    title: "`with probability` stands in the wrong place",
    explanation:
      "`with probability p` says how often a whole entry of `keep`, `noise_mask` or `references` applies. Inside other expressions draw a mask: `bernoulli(p)`.",
    bad: "let:\n  a: first_frame with probability 0.5\n",
    good: "let:\n  a: first_frame and bernoulli(0.5)\n",
  },
  {
    code: "LTX1109",
    slug: "chained-comparison",
    title: "Comparisons are chained",
    explanation:
      "A comparison gives a mask, and a mask cannot be compared with a number. Combine two comparisons with `and`.",
    bad: "let:\n  middle: 0.2 < video.sigma < 0.8\n",
    good: "let:\n  middle: 0.2 < video.sigma and video.sigma < 0.8\n",
  },
  {
    code: "LTX1110",
    slug: "broken-interpolation",
    title: "A `${` is never closed",
    explanation:
      "In texts such as `directory`, `${name}` stands for a parameter's value; the closing brace is missing.",
    bad: 'sources:\n  masks: {directory: "${masks_dir", kind: video_latents}\n',
    good: 'sources:\n  masks: {directory: "${masks_dir}", kind: video_latents}\n',
  },
  {
    code: "LTX1111",
    slug: "split-at-comma",
    title: "YAML splits an expression at its comma",
    explanation:
      "Inside `[...]` and `{...}` every comma begins a new entry of the list or mapping, also one inside the parentheses of a call. Quotes keep the expression together, and so does a line of its own.",
    bad: "loss: {velocity: mse(video.prediction, video.target)}\n",
    good: "loss:\n  velocity: mse(video.prediction, video.target)\n",
  },
  {
    code: "LTX1112",
    slug: "function-type",
    title: "The type of an imported function cannot be read",
    explanation:
      "It lists the arguments in parentheses, each with its type, and after `->` the result: `number`, `f32[axes]`, `bool[axes]`, or `tokens:video` for `f32[batch, token:video, channel]`.",
    bad: 'imports:\n  edges: {from: ./edges.ts, type: "tokens:video -> f32[batch]"}\n',
    good: 'imports:\n  edges: {from: ./edges.ts, type: "(a: tokens:video) -> f32[batch]"}\n',
  },
] as const satisfies readonly Entry[];
