// Every exported name has a reader, but for those of the public faces.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { exportsIn, exportsOf, imports, isGenerated, isTest, sources } from "./sources.ts";

const test = suite("exports");

/** What the package offers to others; each re-exports or declares what nobody here has to import. */
const faces: ReadonlySet<string> = new Set(["compiler/index.ts", "runtime/index.ts", "runtime/contract.ts"]);

function unread(): string[] {
  const read = new Set(imports.flatMap(({ target, names }) => names?.map((name) => `${target} ${name}`) ?? []));
  const readWhole = new Set(imports.flatMap(({ target, names }) => (names === null ? target : [])));
  const judged = sources.filter(
    (file) => !isTest(file) && !isGenerated(file) && !faces.has(file) && !readWhole.has(file),
  );
  return judged.flatMap((file) => exportsOf(file).map((name) => `${file} ${name}`)).filter((name) => !read.has(name));
}

test("nothing is exported that nobody imports", () => {
  assert.ok(exportsOf("runtime/findings.ts").includes("FindingsError"));
  assert.equal(unread(), []);
});

test("sees every form of an export", () => {
  const text = [
    "export const a = 1;",
    "export abstract class B {}",
    "const c = 3, d = 4;",
    "export { c, d as e };",
    "export type { F };",
    "export const { g, h: i } = x;",
    "export const [j] = x;",
    "export default c;",
    'export { k } from "./other.ts";',
  ];
  assert.equal(exportsIn(text.join("\n")).toSorted(), ["B", "F", "a", "c", "default", "e", "g", "i", "j"]);
});

test.run();
