// Emitted modules bring along what they use of the library, and what that uses in turn.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { importsIn, library, namesIn, neededParts, parseLibrary } from "./library.ts";

const test = suite("library of emitted modules");

const small = parseLibrary({
  first: `"""Sums: of numbers."""
import math
from dataclasses import dataclass

HALF = 0.5  # of one


@dataclass
class Pair:
    """Not \`total\`."""

    a: float

    def half(self):
        return self.a * HALF


# Says twice.
def twice(x):
    return total([x, x])


def total(values):
    return math.fsum(values)
`,
});

test("a definition comes with its comment, its decorator and what it uses", () => {
  assert.equal(neededParts("x = twice(1)", small).sections, [
    {
      title: "Sums",
      texts: [
        "# Says twice.\ndef twice(x):\n    return total([x, x])",
        "def total(values):\n    return math.fsum(values)",
      ],
    },
  ]);
  const [{ texts } = { texts: [] }] = neededParts("Pair(1)", small).sections;
  assert.is(texts[0], "HALF = 0.5  # of one");
  assert.match(texts[1] ?? "", /^@dataclass\nclass Pair:/);
  assert.is(texts.length, 2);
});

test("comments, texts, attributes and names of arguments are no uses", () => {
  for (const text of ["# twice", "'twice'", '"""\ntwice\n"""', "a.twice()", "f(twice=1)", "f'{a}: twice'"]) {
    assert.equal(neededParts(text, small).sections, [], text);
  }
  for (const text of ["f'{twice(1)}'", "f(a=twice)", "a == twice", 'r"\\"" + twice']) {
    assert.is(neededParts(text, small).sections.length, 1, text);
  }
});

test("every definition of the library is found once, and imports by the names that they give", () => {
  const all = library().sections.flatMap(({ definitions }) => definitions.map(({ name }) => name));
  assert.ok(all.includes("masked_mean") && all.includes("Draws") && all.includes("WORD"), all.join());
  assert.is(new Set(all).size, all.length);
  assert.equal(importsIn("import math\nfrom a.b import c, d as e\nimport torch.nn\n"), [
    ["math", "import math"],
    ["c", "from a.b import c"],
    ["e", "from a.b import d as e"],
    ["torch", "import torch.nn"],
  ]);
  assert.ok(namesIn("x = [y for y in z]").has("z"));
});

test("a local name of a helper is not taken for another helper", () => {
  const { sections } = neededParts(
    "check_grid(idx, latents, hole=hole)\nx = shifted(x, 1, 2)\nmain(A, B, sources_trainer)",
  );
  const titles = sections.flatMap(({ texts }) => texts.map((text) => /(?:def|class) (\w+)/.exec(text)?.[1]));
  assert.ok(titles.includes("check_interface") && titles.includes("stacked"));
  assert.not.ok(titles.includes("others"));
});

test.run();
