// Expressions of Python: no parentheses too many, none too few, and lines that end where they may.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  atom,
  call,
  choice,
  dict,
  entry,
  flat,
  index,
  infix,
  list,
  method,
  named,
  prefix,
  spread,
  textLiteral,
  tuple,
} from "./code.ts";
import { statement } from "./layout.ts";

const test = suite("Python expressions");

const long = (name: string): string => `${name}_${"x".repeat(40)}`;

test("parentheses stand where Python needs them", () => {
  const sum = infix("a", "+", "b");
  const printed = [
    infix(sum, "*", "c"),
    infix("c", "-", sum),
    infix(sum, "-", "c"),
    infix(infix("a", "<", "b"), "==", infix("c", "<", "d")),
    infix(infix("a", "**", "b"), "**", prefix("-", "c")),
    infix(prefix("-", "a"), "**", "2"),
    infix(infix("a", "<", "b"), "&", prefix("~", infix("c", "|", "d"))),
    prefix("not ", infix("a", "and", "b")),
    method("2", "float"),
    method("-2", "float"),
    method(sum, "mean", ["1"]),
    index(prefix("~", "m"), ":, None"),
    infix(choice("m", "a", "b"), "*", "c"),
    list([spread(choice("m", list(["a"]), list([])))]),
    tuple(["a"]),
    tuple([]),
    dict([spread("more", "**"), entry('k"', "1")]),
    call("f", [named("a", choice("m", "1", "2"))]),
  ].map((code) => flat(code));
  assert.equal(printed, [
    "(a + b) * c",
    "c - (a + b)",
    "a + b - c",
    "(a < b) == (c < d)",
    "(a ** b) ** -c",
    "(-a) ** 2",
    "(a < b) & ~(c | d)",
    "not (a and b)",
    "(2).float()",
    "(-2).float()",
    "(a + b).mean(1)",
    "(~m)[:, None]",
    "(a if m else b) * c",
    "[*([a] if m else [])]",
    "(a,)",
    "()",
    '{**more, "k\\"": 1}',
    "f(a=1 if m else 2)",
  ]);
});

test("what does not fit on a line is broken inside of brackets", () => {
  const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => atom(long(name)));
  assert.ok(a !== undefined && b !== undefined && c !== undefined && d !== undefined);
  assert.is(
    statement("x = ", infix(infix(a, "+", b), "-", infix(c, "*", d)), "[batch]", 4),
    `    x = (\n        ${long("a")}\n        + ${long("b")}\n        - ${long("c")} * ${long("d")}\n    )  # [batch]`,
  );
  assert.is(
    statement("x = ", call("f", [a, b, c]), "", 0),
    `x = f(\n    ${long("a")},\n    ${long("b")},\n    ${long("c")},\n)`,
  );
  assert.is(
    statement("x = ", call("f", [a, b, "c".repeat(7)]), "", 20),
    `${" ".repeat(20)}x = f(\n${" ".repeat(24)}${long("a")}, ${long("b")}, ccccccc\n${" ".repeat(20)})`,
  );
  assert.is(
    statement("x = ", infix(infix(infix(a, "<", b), "<", "c"), "==", infix(c, "<", "d")), "", 0),
    `x = (\n    ((${long("a")} < ${long("b")}) < c)\n    == (${long("c")} < d)\n)`,
  );
  assert.is(
    statement("x = ", method(infix(a, "+", infix(b, "*", c)), "mean", ["1"]), "", 0),
    `x = (\n    ${long("a")}\n    + ${long("b")} * ${long("c")}\n).mean(1)`,
  );
});

test("a comment that does not fit stands above, and a long text goes on", () => {
  const shape = "[batch, token:video, channel]";
  const value = call("f", ["x".repeat(90)]);
  assert.is(statement("x = ", value, shape, 0), `# ${shape}\nx = f(${"x".repeat(90)})`);
  const text = statement("x = ", textLiteral(`${"word ".repeat(40)}end`), "", 0);
  assert.ok(text.split("\n").every((line) => line.length <= 120));
  assert.is(
    text
      .replace(/^x = \(\n|\n\)$/g, "")
      .replace(/"\n {4}"/g, "")
      .trim(),
    `"${"word ".repeat(40)}end"`,
  );
});

test.run();
