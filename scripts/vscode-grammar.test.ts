// What the extension for VS Code colours without the server: its TextMate grammar, read by the library that VS Code uses. UPDATE=1 records anew.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const root = fileURLToPath(new URL("..", import.meta.url));
const test = suite("grammar of VS Code");

/** What is needed of two CommonJS packages. */
interface Textmate {
  readonly Registry: new (options: object) => { loadGrammar(scope: string): Promise<Grammar> };
  readonly INITIAL: unknown;
  parseRawGrammar(text: string, path: string): unknown;
}
interface Grammar {
  tokenizeLine(line: string, state: unknown): { readonly tokens: readonly Token[]; readonly ruleStack: unknown };
}
interface Token {
  readonly startIndex: number;
  readonly endIndex: number;
  readonly scopes: readonly string[];
}
interface Oniguruma {
  loadWASM(data: Uint8Array): Promise<void>;
  readonly OnigScanner: new (patterns: string[]) => unknown;
  readonly OnigString: new (text: string) => unknown;
}

const require = createRequire(import.meta.url);
const path = `${root}editors/vscode/syntaxes/strategy.tmLanguage.json`;

async function grammar(): Promise<{ readonly textmate: Textmate; readonly grammar: Grammar }> {
  const textmate = require("vscode-textmate") as Textmate;
  const oniguruma = require("vscode-oniguruma") as Oniguruma;
  await oniguruma.loadWASM(readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns: string[]) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text: string) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(readFileSync(path, "utf8"), path),
  });
  return { textmate, grammar: await registry.loadGrammar("source.strategy") };
}

/** Each word with its innermost scope, line by line. */
async function colored(text: string): Promise<string> {
  const { textmate, grammar: own } = await grammar();
  let state = textmate.INITIAL;
  const lines = text.split("\n").map((line) => {
    const { tokens, ruleStack } = own.tokenizeLine(line, state);
    state = ruleStack;
    const shown = tokens.flatMap(({ startIndex, endIndex, scopes }) => {
      const word = line.slice(startIndex, endIndex).trim();
      return word === "" ? [] : [`    ${word}  ${scopes.at(-1) ?? ""}`];
    });
    return [line, ...shown].join("\n");
  });
  return `${lines.join("\n")}\n`;
}

const sample = `# Everything that a file may hold.
strategy: shown  # a name
description: A sentence: with a colon, and not a word of it is an expression
params:
  limit: {type: number, default: 0.5, description: Above it, a mask is true}
sources:
  masks: {directory: "\${folder}/x", kind: video_mask}
let:
  half(x, y): x / 2 + y ^ 2
  hole: mean(tokens(masks), axis=channel) > 1e-3 and not video.keep
video:
  keep:
    - first_frame with probability 0.5
    - not hole
  noise: randn() per (token:video, channel)
  sigma: if hole then video.prefix(2lf) or video.suffix(33%) else sampled() per frame
expect:
  - 'video.timesteps >= 0'
  - mean(video.keep) about 0.1 within 0.02
networks:
  decode: {architecture: ltx_video_decoder}
loss:
  fill: 0.1 * mse(video.prediction, video.target) over hole
`;

test("keys, names, functions, operators and text have their colours", async () => {
  const recorded = `${root}scripts/samples/grammar.txt`;
  const found = await colored(sample);
  if (process.env["UPDATE"] === "1" || !existsSync(recorded)) writeFileSync(recorded, found);
  assert.fixture(found, readFileSync(recorded, "utf8"));
  for (const part of [
    "mean  entity.name.function",
    "not  keyword.operator.logical",
    "keep  variable.other.property",
    "over  keyword.control",
    "half  entity.name.function",
    "folder  variable.other",
    "with  keyword.control",
    "about  keyword.control",
    "within  keyword.control",
    "lf  keyword.other.unit",
    "%  keyword.other.unit",
    "networks  keyword.other.section",
  ])
    assert.ok(found.includes(part), part);
  assert.not.ok(/not  keyword[^\n]*\n[^\n]*a word/.test(found), "a description is a text");
});

test("all strategies that come with ltxc are coloured to their last word", async () => {
  const text = readFileSync(`${root}compiler/builtin/text_to_video_with_audio.strategy`, "utf8");
  const found = await colored(text);
  assert.not.ok(/^ {4}.*  source\.strategy$/m.test(found.replace(/^ {4}[:,-]+  .*$/gm, "")), found);
});

test.run();
