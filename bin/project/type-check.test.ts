import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { FileReport } from "../../compiler/diagnostics/index.ts";
import { positionAt, sourceFile, textAt } from "../../compiler/source/index.ts";
import type { Io } from "../shell/io.ts";
import { packageRoot } from "../shell/package-root.ts";
import { ltxc, project } from "../testing/testing.ts";
import { mergedReports, typeCheck, type TypedModule } from "./type-check.ts";

const test = suite<{ cwd: string }>("types");

test.before.each(async (context) => {
  context.cwd = await realpath(await mkdtemp(join(tmpdir(), "types-")));
});
test.after.each(({ cwd }) => rm(cwd, { recursive: true }));

const strategy = sourceFile("a.strategy", "loss:\n  edges: edge_loss(video.prediction, 3)\n");
const callee = strategy.text.indexOf("edge_loss");

/** A module as the compiler makes it of the strategy, for the build folder of a project. */
function typedModule(cwd: string): TypedModule {
  const text = `import type { Ops, Tensor } from "ltxc/contract";
import { edge_loss } from "../losses/edge.ts";

export const loss = (ops: Ops, a: Tensor): Tensor => edge_loss(ops, a, 3);
`;
  const column = text.split("\n")[3]?.indexOf("edge_loss") ?? -1;
  const segments = [{ line: 3, column, offset: callee }];
  return { file: strategy, module: { text, segments }, path: join(cwd, "build/a.ts") };
}

async function check(
  cwd: string,
  files: Readonly<Record<string, string>>,
  typescript?: string,
): Promise<readonly FileReport[]> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(cwd, path)), { recursive: true });
    await writeFile(join(cwd, path), text);
  }
  const io: Pick<Io, "cwd"> = { cwd };
  return typeCheck(io, typedModule(cwd), typescript);
}

const head = 'import type { Ops, Tensor } from "ltxc/contract";\n';
const good = `${head}export const edge_loss = (ops: Ops, a: Tensor, k: number): Tensor => ops.mul(a, k);\n`;

/** `file:line:column word: TSnnnn` */
function places(reports: readonly FileReport[]): string[] {
  return reports.flatMap(({ file, diagnostics }) =>
    diagnostics.map(({ span, message }) => {
      const { line, column } = positionAt(file, span.start);
      return `${file.path}:${line}:${column} ${textAt(file, span)}: ${message.slice(0, 6)}`;
    }),
  );
}

test("a function that fits has no findings, and nothing is written into the project", async ({ cwd }) => {
  assert.equal(await check(cwd, { "losses/edge.ts": good }), []);
  assert.equal((await readdir(cwd, { recursive: true })).toSorted(), ["losses", join("losses", "edge.ts")]);
});

test("errors in an imported file, and in what it imports, are at their places there", async ({ cwd }) => {
  const body = 'export const edge_loss = (ops: Ops, a: Tensor, k: number): Tensor => ops.mul(a, scale("2") + k);';
  const scale = "export const scale = (x: number): number => x.length;";
  const reports = await check(cwd, {
    "losses/edge.ts": `${head}import { scale } from "./scale";\n${body}\n`,
    "losses/scale.ts": `${scale}\n`,
  });
  assert.equal(places(reports).toSorted(), [
    `losses/edge.ts:3:${body.indexOf('"2"') + 1} "2": TS2345`,
    `losses/scale.ts:1:${scale.indexOf("length") + 1} length: TS2339`,
  ]);
});

test("a function of another type is an error of the call in the strategy", async ({ cwd }) => {
  const reports = await check(cwd, { "losses/edge.ts": good.replace("k: number", "k: Tensor") });
  const own = reports.find(({ file }) => file.path === "a.strategy");
  assert.ok(own);
  assert.equal(places([own]), ["a.strategy:2:10 edge_loss: TS2345"]);
  assert.match(own.diagnostics[0]?.help ?? "", "ops: Ops");
  assert.is(own.diagnostics[0]?.code, "LTX6506");
});

test("a missing function is reported", async ({ cwd }) => {
  const reports = await check(cwd, {
    "losses/edge.ts": `${head}export const other = (a: Tensor, ops: Ops) => ops.abs(a);\n`,
  });
  assert.ok(places(reports).some((place) => place.endsWith("TS2305")));
});

test("a project's own TypeScript does not run, unless it is named; one that cannot do it is a finding", async ({
  cwd,
}) => {
  const bin = join(cwd, "node_modules/typescript/bin");
  await mkdir(bin, { recursive: true });
  await writeFile(join(cwd, "node_modules/typescript/package.json"), '{"name": "typescript"}');
  const ran = join(cwd, "ran");
  const tsc = `require("node:fs").writeFileSync(${JSON.stringify(ran)}, ""); console.log("error TS5023: Unknown compiler option"); process.exitCode = 1;`;
  await writeFile(join(bin, "tsc"), tsc);
  assert.equal(await check(cwd, { "losses/edge.ts": good }), []);
  assert.not.ok(existsSync(ran));
  for (const named of ["node_modules/typescript", join(bin, "tsc")]) {
    const [report] = await check(cwd, { "losses/edge.ts": good }, named);
    assert.is(report?.diagnostics[0]?.code, "LTX6505");
    assert.match(report?.diagnostics[0]?.message ?? "", "TS5023");
    assert.ok(existsSync(ran));
  }
  for (const named of ["nowhere", "losses"])
    await check(cwd, {}, named).then(
      () => assert.unreachable(),
      ({ message }: Error) => assert.is(message, `there is no TypeScript at ${named}`),
    );
});

test("folders that are links are no obstacle", async ({ cwd }) => {
  await mkdir(join(cwd, "real"));
  await symlink(join(cwd, "real"), join(cwd, "link"), "junction");
  assert.equal(await check(join(cwd, "link"), { "losses/edge.ts": good }), []);
});

test("findings of one file come together, each once", () => {
  const report = { file: strategy, diagnostics: [] };
  const found = { code: "LTX6506", slug: "type-error", severity: "error", message: "m", labels: [] } as const;
  const [first, second] = [1, 2].map((start) => ({ ...found, span: { start, end: 3 } }));
  if (first === undefined || second === undefined) throw new Error("two findings");
  const merged = mergedReports([
    report,
    { ...report, diagnostics: [first] },
    { ...report, diagnostics: [first, second] },
  ]);
  assert.equal(merged, [{ file: strategy, diagnostics: [first, second] }]);
});

test("both find what does not fit in a strategy that imports, and nothing of it is written", async () => {
  const folder = await mkdtemp(join(tmpdir(), "types-"));
  try {
    await cp(join(packageRoot, "examples/edge_loss"), folder, { recursive: true });
    const right = await ltxc(["check", "--types", "edge_loss.strategy"], { cwd: folder });
    assert.is(right.out, "no findings in edge_loss.strategy\n");
    const edges = await readFile(join(folder, "edges.ts"), "utf8");
    await writeFile(join(folder, "edges.ts"), edges.replace("b: Tensor)", "b: number)").replace("ops.abs", "ops.asb"));
    const wrong = await ltxc(["check", "--types", "edge_loss.strategy"], { cwd: folder });
    assert.is(wrong.code, 1);
    assert.match(wrong.out, /TS2345: .*\n *--> edge_loss\.strategy:21:44/);
    assert.match(wrong.out, /TS(?:2339|2551): .*\n *--> edges\.ts:9:23/);
    const compiled = await ltxc(["compile", "--types"], { cwd: folder });
    assert.is(compiled.code, 1);
    assert.match(compiled.err, "edges.ts:9:23");
    assert.not.ok((await readdir(folder)).includes("build"));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("`check --types` and `compile --types` pass what is right", async () => {
  const folder = await project();
  try {
    const checked = await ltxc(["check", "--types", "inpainting.strategy"], { cwd: folder });
    assert.is(checked.out, "no findings in inpainting.strategy\n");
    const compiled = await ltxc(["compile", "--types", "--out", "typed"], { cwd: folder });
    assert.is(compiled.code, 0);
    assert.ok((await readdir(join(folder, "typed"))).includes("inpainting.mjs"));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.run();
