// The language server as an editor sees it: a real client over stdin and stdout, one test for each thing that an editor can ask.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  CodeActionRequest,
  CodeActionResolveRequest,
  CodeLensRequest,
  CompletionRequest,
  CompletionResolveRequest,
  DocumentFormattingRequest,
  DocumentSymbolRequest,
  FoldingRangeRequest,
  InlayHintRequest,
  PrepareRenameRequest,
  ReferencesRequest,
  RenameRequest,
  SemanticTokensRequest,
  SignatureHelpRequest,
  type CodeAction,
  type CodeLens,
  type CompletionList,
  type Diagnostic,
  type DocumentSymbol,
  type FoldingRange,
  type InlayHint,
  type Location,
  type SemanticTokens,
  type SignatureHelp,
  type TextEdit,
  type WorkspaceEdit,
} from "vscode-languageserver-protocol";
import { edited, startClient, uriOf, type LanguageClient } from "../testing/language-client.ts";

interface Context {
  folder: string;
  client: LanguageClient;
  fill: string;
  child: string;
  train: string;
}

const test = suite<Context>("ltxc lsp");

const fillText = `strategy: fill
description: Fills what a mask says.
params:
  limit: {type: number, default: 0.5, description: Above it a mask is true}
  mode: {type: string, enum: [soft, hard], default: soft}
sources:
  latents: {directory: latents, kind: video_latents}
  masks: {directory: "masks_\${mode}", kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
let:
  hole: mean(tokens(masks), channel) > limit
video:
  latents: latents
  keep: not hole
loss:
  fill: mse(video.prediction, video.target) over hole
`;
const childText = "strategy: child\nextends: ./fill.strategy\nexpect:\n  - video.keep or hole or limit > 1\n";
const trainText = "model:\n  model_path: model.safetensors\ntraining_strategy:\n  name: fill\n  limit: 0.4\n";

test.before(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), "ltxc-lsp-"));
  const at = (name: string) => join(context.folder, name);
  Object.assign(context, { fill: at("fill.strategy"), child: at("child.strategy"), train: at("train.yaml") });
  await mkdir(at(".git"));
  await writeFile(context.fill, fillText);
  await writeFile(context.child, childText);
  await writeFile(context.train, trainText);
  context.client = await startClient(context.folder, { commands: ["ltxc.test", "ltxc.inspect"] });
});

test.before.each(async ({ client, fill, child, train }) => {
  await client.open(fill, fillText);
  await client.open(child, childText);
  await client.open(train, trainText);
});

test.after(async ({ client, folder }) => {
  await client.close();
  await rm(folder, { recursive: true });
});

const labels = async (client: LanguageClient, path: string, piece: string) => {
  const at = client.text(path).indexOf(piece) + piece.length;
  return (await client.complete(path, at)).map(({ label }) => label);
};

test("findings appear while a file is edited, and go when it is right again", async ({ client, fill }) => {
  assert.equal(await client.open(fill, fillText), []);
  const [wrong, ...more] = await client.edit(fill, "not hole", "not hle");
  assert.equal(more, []);
  assert.is(wrong?.code, "LTX3001");
  assert.equal(wrong?.range, { start: { line: 13, character: 12 }, end: { line: 13, character: 15 } });
  assert.match(wrong?.message ?? "", /nothing is named `hle`\nhelp: /);
  assert.equal(await client.edit(fill, "not hle", "not hole"), []);
  assert.is((await client.edit(fill, "loss:", "loss: ]"))[0]?.severity, 1);
});

test("completes a mask behind `keep: not `, fields behind a point, and keys", async ({ client, fill }) => {
  assert.ok((await labels(client, fill, "keep: not ")).includes("hole"));
  const fields = await labels(client, fill, "mse(video.");
  assert.ok(fields.includes("prediction") && !fields.includes("hole"), fields.join());
  await client.edit(fill, "  keep: not hole", "  \n  keep: not hole");
  assert.ok((await labels(client, fill, "latents: latents\n  ")).includes("sigma"));
});

test("what is completed goes where the letters are that were typed", async ({ client, fill }) => {
  await client.edit(fill, "keep: not hole", "keep: not fir");
  const items = await client.complete(fill, client.text(fill).indexOf("fir") + 3);
  const edit = items.find(({ label }) => label === "first_frame")?.textEdit as TextEdit;
  assert.match(edited(client.text(fill), [edit]), "keep: not first_frame\n");
});

test("an editor that asks later gets a short list, and the text about an item when it shows that", async ({
  folder,
  fill,
}) => {
  const completion = {
    completionItem: { snippetSupport: true, resolveSupport: { properties: ["documentation"] } },
    completionList: { itemDefaults: ["editRange"] },
  };
  const editor = await startClient(folder, {}, undefined, { textDocument: { completion } });
  await editor.open(fill, fillText);
  const offered = await editor.ask<object, CompletionList>(CompletionRequest.type, editor.at(fill, "keep: not h|ole"));
  const start = { line: 13, character: 12 };
  assert.equal(offered.itemDefaults?.editRange, { start, end: { line: 13, character: 13 } });
  assert.ok(
    offered.items.every(({ documentation, textEdit }) => documentation === undefined && textEdit === undefined),
  );
  const [hole, any] = ["hole", "any"].map((name) => offered.items.find(({ label }) => label === name));
  const resolved = (item: unknown) =>
    editor.ask<unknown, { documentation?: { value: string } }>(CompletionResolveRequest.type, item);
  assert.match((await resolved(hole)).documentation?.value ?? "", "hole: mean(tokens(masks), channel) > limit");
  assert.match((await resolved(any)).documentation?.value ?? "", "any(");
  await editor.close();
});

test("hover, signature and definition", async ({ client, fill, child }) => {
  assert.match(await client.hover(fill, "not ho|le"), "bool[batch, token:video]");
  assert.match(await client.hover(fill, "ke|ep"), "Tokens that stay clean");
  const help = await client.ask<object, SignatureHelp>(
    SignatureHelpRequest,
    client.at(fill, "mse(video.prediction, |"),
  );
  assert.equal([help.signatures[0]?.label, help.activeParameter], ["mse(a, b)", 1]);
  const [declared] = await client.definition(child, "or ho|le");
  assert.equal([declared?.uri, declared?.range.start], [uriOf(fill), { line: 10, character: 2 }]);
  assert.is((await client.definition(child, "./fi|ll"))[0]?.uri, uriOf(fill));
});

test("an import leads to the function in its file", async ({ client, folder, child }) => {
  await writeFile(join(folder, "edges.ts"), "const x = 1;\nexport function edges(ops, a) {\n  return a;\n}\n");
  const imports =
    'imports:\n  edges: {from: ./edges.ts, type: "(a: tokens:video) -> f32[batch]"}\nloss:\n  edge: edges(video.prediction)\n';
  await client.edit(child, "expect:", `${imports}expect:`);
  const [target] = await client.definition(child, "edge: ed|ges");
  assert.equal([target?.uri, target?.range.start], [uriOf(join(folder, "edges.ts")), { line: 1, character: 16 }]);
});

test("references and new names reach files that extend it, and run configs", async ({ client, fill, child, train }) => {
  const places = await client.ask<object, Location[]>(ReferencesRequest.type, {
    ...client.at(fill, "> lim|it"),
    context: { includeDeclaration: true },
  });
  assert.equal(places.map(({ uri }) => uri).toSorted(), [child, fill, fill, train].map(uriOf).toSorted());
  assert.equal(
    (await client.ask<object, { placeholder: string }>(PrepareRenameRequest.type, client.at(fill, "> lim|it")))
      .placeholder,
    "limit",
  );
  const { changes = {} } = await client.ask<object, WorkspaceEdit>(RenameRequest.type, {
    ...client.at(fill, "> lim|it"),
    newName: "threshold",
  });
  assert.match(edited(childText, changes[uriOf(child)] ?? []), "or threshold > 1");
  assert.match(edited(trainText, changes[uriOf(train)] ?? []), "threshold: 0.4");
  assert.match(edited(fillText, changes[uriOf(fill)] ?? []), "channel) > threshold");
  const named = await client.ask<object, WorkspaceEdit>(RenameRequest.type, {
    ...client.at(fill, "strategy: fi|ll"),
    newName: "filled",
  });
  assert.match(edited(trainText, named.changes?.[uriOf(train)] ?? []), "name: filled");
  const refused = client.ask(RenameRequest.type, { ...client.at(fill, "> lim|it"), newName: "mean" });
  assert.match(await refused.then(String, (error: unknown) => String(error)), "built-in");
});

test("references of a field reach the files that extend it, and it cannot get a new name", async ({
  client,
  fill,
  child,
}) => {
  const places = await client.ask<object, Location[]>(ReferencesRequest.type, {
    ...client.at(fill, "ke|ep: not"),
    context: { includeDeclaration: true },
  });
  assert.equal(
    places.map(({ uri }) => uri),
    [fill, child].map(uriOf),
  );
  assert.is(await client.ask(PrepareRenameRequest.type, client.at(fill, "ke|ep: not")), null);
});

test("names are given anew from a run config as well, also those that a base declares", async ({
  client,
  fill,
  child,
  train,
}) => {
  await client.edit(train, "name: fill", "name: child");
  const at = client.at(train, "li|mit:");
  const prepared = await client.ask<object, { placeholder: string; range: unknown }>(PrepareRenameRequest.type, at);
  const range = { start: { line: 4, character: 2 }, end: { line: 4, character: 7 } };
  assert.equal(prepared, { placeholder: "limit", range });
  const { changes = {} } = await client.ask<object, WorkspaceEdit>(RenameRequest.type, { ...at, newName: "least" });
  assert.equal(Object.keys(changes).toSorted(), [child, fill, train].map(uriOf).toSorted());
  assert.match(edited(client.text(train), changes[uriOf(train)] ?? []), "least: 0.4");
  assert.match(edited(fillText, changes[uriOf(fill)] ?? []), "least: {type: number");
  const name = { ...client.at(train, "name: ch|ild"), newName: "heir" };
  const named = await client.ask<object, WorkspaceEdit>(RenameRequest.type, name);
  assert.match(edited(childText, named.changes?.[uriOf(child)] ?? []), "strategy: heir");
  assert.match(edited(client.text(train), named.changes?.[uriOf(train)] ?? []), "name: heir");
  assert.is(await client.ask(PrepareRenameRequest.type, client.at(train, "na|me: child")), null);
  await client.edit(train, "name: child", "name: inpainting");
  const builtIn = client.ask(RenameRequest.type, { ...client.at(train, "name: inpa|inting"), newName: "mine" });
  assert.match(await builtIn.then(String, (error: unknown) => String(error)), "cannot be changed");
});

test("symbols, folding, hints, colours, lenses", async ({ client, fill }) => {
  const document = { textDocument: { uri: uriOf(fill) } };
  const symbols = await client.ask<object, DocumentSymbol[]>(DocumentSymbolRequest.type, document);
  assert.equal(
    symbols.map(({ name }) => name),
    ["strategy", "description", "params", "sources", "let", "video", "loss"],
  );
  const folding = await client.ask<object, FoldingRange[]>(FoldingRangeRequest.type, document);
  assert.ok(folding.some(({ startLine, endLine }) => startLine === 5 && endLine === 8));
  const range = { start: { line: 0, character: 0 }, end: { line: 20, character: 0 } };
  const hints = await client.ask<object, InlayHint[]>(InlayHintRequest.type, { ...document, range });
  assert.ok(hints.some(({ label }) => label === " ⟵ bool[batch, token:video]"));
  const tokens = await client.ask<object, SemanticTokens>(SemanticTokensRequest.type, document);
  assert.ok(tokens.data.length > 50 && tokens.data.length % 5 === 0);
  const lenses = await client.ask<object, CodeLens[]>(CodeLensRequest.type, document);
  assert.equal(
    lenses.map(({ command }) => command?.title),
    ["test", "inspect", "what is kept"],
  );
});

test("a file is formatted as `ltxc fmt` does", async ({ client, fill }) => {
  await client.edit(fill, "keep: not hole", "keep:   not   hole");
  const options = { tabSize: 4, insertSpaces: false };
  const edits = await client.ask<object, TextEdit[]>(DocumentFormattingRequest.type, {
    textDocument: { uri: uriOf(fill) },
    options,
  });
  const { format } = await import("../../compiler/index.ts");
  assert.is(edited(client.text(fill), edits), format({ path: fill, text: fillText }).text);
});

test("fixes for findings, and one for all of them", async ({ client, fill }) => {
  const found = await client.edit(fill, "keep: not hole", "keep: not hole && hole");
  const range = found[0]?.range;
  const actions = await client.ask<object, CodeAction[]>(CodeActionRequest.type, {
    textDocument: { uri: uriOf(fill) },
    range,
    context: { diagnostics: [] },
  });
  const fix = actions.find(({ kind }) => kind === "quickfix");
  assert.match(edited(client.text(fill), fix?.edit?.changes?.[uriOf(fill)] ?? []), "not hole and hole");
  const all = actions.find(({ kind }) => kind === "source.fixAll");
  assert.match(edited(client.text(fill), all?.edit?.changes?.[uriOf(fill)] ?? []), "not hole and hole");
});

test("an editor that asks for edits later gets the fix of everything when it chooses that", async ({
  folder,
  fill,
}) => {
  const capabilities = { textDocument: { codeAction: { resolveSupport: { properties: ["edit"] } } } };
  const editor = await startClient(folder, {}, undefined, capabilities);
  await editor.open(fill, fillText.replace("not hole", "!hole"));
  const actions = await editor.ask<object, CodeAction[]>(CodeActionRequest.type, {
    textDocument: { uri: uriOf(fill) },
    range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } },
    context: { diagnostics: [] },
  });
  assert.equal(
    actions.map(({ kind, edit }) => [kind, edit]),
    [["source.fixAll", undefined]],
  );
  const { edit } = await editor.ask<unknown, CodeAction>(CodeActionResolveRequest.type, actions[0]);
  assert.is(edited(editor.text(fill), edit?.changes?.[uriOf(fill)] ?? []), fillText);
  await editor.close();
});

test("run configs: the strategy and its params", async ({ client, fill, train }) => {
  assert.match(await client.hover(train, "lim|it:"), "Above it a mask is true");
  assert.match(await client.hover(train, "name: fi|ll"), "Fills what a mask says.");
  assert.match(await client.hover(train, "model_pa|th"), "safetensors");
  assert.equal((await client.definition(train, "name: fi|ll"))[0]?.uri, uriOf(fill));
  assert.equal((await client.definition(train, "lim|it:"))[0]?.range.start.line, 3);
  const unknown = await client.edit(train, "name: fill", "name: fil");
  assert.ok(
    unknown.some(({ code, message }) => code === "LTX6501" || /`fil`/.test(message)),
    JSON.stringify(unknown),
  );
  await client.edit(train, "name: fil\n", "name: \n");
  assert.ok((await labels(client, train, "name: ")).includes("fill"));
  await client.edit(train, "name: \n  limit: 0.4", "name: fill\n  mode: ");
  assert.equal(await labels(client, train, "mode: "), ["soft", "hard"]);
});

test("what only files tell: strategies to extend, and the blocks of the checkpoint", async ({
  client,
  folder,
  child,
}) => {
  const project = join(folder, "project");
  const { ltxc } = await import("../testing/testing.ts");
  assert.is((await ltxc(["init", project], { cwd: folder })).code, 0);
  const path = join(project, "mine.strategy");
  const text = "strategy: mine\nextends: ./inpainting.strategy\noutputs:\n  mid: {tap: }\n";
  await client.open(path, text);
  assert.equal((await labels(client, path, "tap: ")).slice(0, 2), ["block 0", "block 1"]);
  assert.ok((await labels(client, child, "extends: ")).includes("./fill.strategy"));
});

test("what is wrong with the project's data is information at the source that reads it", async ({ client, folder }) => {
  const project = join(folder, "with-data");
  const { ltxc } = await import("../testing/testing.ts");
  assert.is((await ltxc(["init", project], { cwd: folder })).code, 0);
  await rm(join(project, "data/mask_latents/clip_3.pt"));
  const path = join(project, "inpainting.strategy");
  const text = await readFile(path, "utf8");
  await client.open(path, text);
  const informed = (found: readonly Diagnostic[]) => found.some(({ severity }) => severity === 3);
  const found = await client.until(path, informed);
  const line = text.split("\n").findIndex((each) => each.includes("  masks:"));
  assert.equal(
    found.map(({ code, range }) => [code, range.start.line]),
    [["LTX6304", line]],
  );
  assert.match(found[0]?.message ?? "", "mask_latents/clip_3.pt is missing");
  assert.is(found[0]?.relatedInformation?.[0]?.location.uri, uriOf(join(project, "train.yaml")));
  // It moves with its source while somebody types.
  const moved = await client.edit(path, "sources:", "# what it reads\nsources:");
  assert.is(moved.find(({ severity }) => severity === 3)?.range.start.line, line + 1);
});

test("500 key strokes, each answered, end in the file that was typed", async ({ client, folder }) => {
  const path = join(folder, "typed.strategy");
  await client.open(path, "");
  const typed = fillText.replace("strategy: fill", "strategy: typed").slice(0, 500);
  for (const [i, character] of [...typed].entries()) {
    await client.type(path, i, character);
    const items = await client.complete(path, i + 1);
    assert.ok(Array.isArray(items));
    if (i % 10 === 0) await client.hover(path, "strategy".slice(0, Math.min(8, i + 1)));
  }
  assert.is(client.text(path), typed);
});

test("nothing of a project runs: imported files are only read", async ({ client, folder, child }) => {
  const marker = join(folder, "ran");
  const evil = `import { writeFileSync } from "node:fs";\nwriteFileSync(${JSON.stringify(marker)}, "");\nexport function edges() {}\n`;
  await writeFile(join(folder, "evil.ts"), evil);
  const imports =
    'imports:\n  edges: {from: ./evil.ts, type: "(a: tokens:video) -> f32[batch]"}\nloss:\n  e: edges(video.prediction)\n';
  await client.edit(child, "expect:", `${imports}expect:`);
  const found = await client.save(child);
  assert.ok(
    found.some(({ message }) => message.includes("node:fs")),
    JSON.stringify(found),
  );
  assert.not(existsSync(marker));
});

test.run();
