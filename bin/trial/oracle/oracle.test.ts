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

test.run();
