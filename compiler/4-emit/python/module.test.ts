// Emitted Python modules: whole, for every strategy that comes with ltxc.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../../../runtime/testing/temporary-folders.ts";
import { compilePython } from "../../index.ts";
import { pythonStrategies, recordOf, sourceAt } from "../strategies-on-record.ts";

const test = suite("Python modules");
const newFolder = temporaryFolders(test, "python-modules");

function moduleOf(path: string): string {
  const { source, library } = sourceAt(path);
  return compilePython(source, { library }).artifacts[0]?.text ?? "";
}

const modules = new Map(pythonStrategies.map((path) => [path, moduleOf(path)]));

/** Prints for each file what is used and not defined, defined twice, or defined or imported and not used. */
const namesCheck = `
import ast, builtins, symtable, sys
for path in sys.argv[1:]:
    text = open(path, encoding="utf-8").read()
    compile(text, path, "exec")
    tree, table = ast.parse(text), symtable.symtable(text, path, "exec")
    known = {each.get_name() for each in table.get_symbols() if each.is_assigned() or each.is_imported()}
    known |= {*dir(builtins), "__name__"}
    def unbound(table):
        for each in table.get_symbols():
            isGlobal = each.is_global() or table.get_type() == "module"
            if each.is_referenced() and isGlobal and each.get_name() not in known:
                yield each.get_name()
        for child in table.get_children():
            yield from unbound(child)
    defined = [node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    imported = {(name.asname or name.name).split(".")[0] for node in imports for name in node.names}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found = {
        "unbound": {*unbound(table)},
        "twice": {name for name in defined if defined.count(name) > 1},
        "unused": ({*defined} | imported) - used,
    }
    for what, names in found.items():
        if names:
            print(path, what, *sorted(names))
`;

test("Python compiles them, and every name in them is bound, defined once and used", async () => {
  const python = ["python3", "python"].find((each) => spawnSync(each, ["-c", "import ast"]).status === 0);
  assert.ok(python !== undefined, "this test needs Python 3");
  const folder = await newFolder();
  const files = pythonStrategies.map((path) => {
    const file = join(folder, `${recordOf(path)}.py`);
    writeFileSync(file, modules.get(path) ?? "");
    return file;
  });
  const { stdout, stderr } = spawnSync(python, ["-c", namesCheck, ...files], { encoding: "utf8" });
  assert.is(stderr, "");
  assert.is(stdout, "");
});

test("what nests deeper than Python allows is written in several steps", () => {
  const nested = (depth: number): string => (depth === 0 ? "x" : `1 + (strength * ${nested(depth - 1)})`);
  const text = `strategy: deep
params:
  strength: {type: number, default: 1}
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
let:
  a(x): ${nested(16)}
  b(x): a(a(a(a(x))))
  deep: b(b(b(b(strength))))
video:
  latents: latents
loss:
  a: deep * mean(b(b(b(b(video.prediction)))))
`;
  const module = compilePython({ path: "deep.strategy", text }).artifacts[0]?.text ?? "";
  assert.ok((module.match(/^ +inner\d* = /gm)?.length ?? 0) > 20);
  const depths = [...module].reduce(
    ({ depth, most }, each) => {
      const now = depth + ("([{".includes(each) ? 1 : ")]}".includes(each) ? -1 : 0);
      return { depth: now, most: Math.max(most, now) };
    },
    { depth: 0, most: 0 },
  );
  assert.ok(depths.most < 40, `brackets nest ${depths.most} deep`);
});

test("no line is longer than 120 columns", () => {
  for (const [path, text] of modules) {
    const long = text.split("\n").filter((line) => line.length > 120);
    assert.equal(long, [], recordOf(path));
  }
});

test("the same source gives the same module, byte for byte", () => {
  for (const [path, text] of modules) assert.is(moduleOf(path), text);
});

test("products of many whole parameters are floats, since PyTorch takes whole numbers of 64 bits", () => {
  const lineOf = (factor: string): string => {
    const text = `strategy: test
params:
  n: {type: integer, default: 1000000}
  x: {type: number, default: 2}
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
loss:
  video: ${factor} * mse(video.prediction, video.target)
`;
    const { artifacts } = compilePython({ path: "test.strategy", text });
    return (
      /loss_video = (?:\( )?((?:float\(|params).*)/.exec((artifacts[0]?.text ?? "").replace(/\s+/g, " "))?.[1] ?? ""
    );
  };
  assert.match(lineOf("n * n * n * n"), /^float\(params\.n \* params\.n\) \* params\.n \* params\.n \*/);
  assert.match(lineOf("(n^2)^2"), /^float\(params\.n \*\* 2\) \*\* 2 \*/);
  assert.match(lineOf("n * n"), /^params\.n \* params\.n \*/);
  assert.match(lineOf("x * x * x"), /^params\.x \* params\.x \* params\.x \*/);
});

test.run();
