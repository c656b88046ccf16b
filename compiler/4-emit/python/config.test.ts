// The config class of emitted modules: every rule of a parameter's schema, in pydantic's words or in a method.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compilePython } from "../../index.ts";

const test = suite("config class");

/** The fields and checks of the config class of a strategy with these parameters, without those that every class has. */
function classOf(params: string, directory = "latents"): string {
  const text = `strategy: model
params:
${params}
sources:
  latents: {directory: "${directory}", kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
loss:
  a: mse(video.prediction, video.target)
`;
  const { artifacts, diagnostics } = compilePython({ path: "a.strategy", text });
  assert.ok(artifacts[0] !== undefined, diagnostics.map(({ message }) => message).join("; "));
  const [, , body = ""] =
    /(name: Literal\["model"\] = "model"\n)([^]*?)\n    def batch_keys/.exec(artifacts[0].text) ?? [];
  return body;
}

const before = (text: string): string => text.slice(0, text.indexOf("\n    def directories"));

test("types, defaults and limits", () => {
  assert.is(
    before(
      classOf(`  a: {type: number}
  b: {type: integer, default: 3, minimum: 1, exclusiveMaximum: 9}
  c: {type: boolean, default: true}
  d: {type: string, default: x, enum: [x, "y"], description: "One of two"}
  e: {type: string, default: ab, minLength: 1, pattern: "^a"}
  f: {type: array, items: {type: integer}, default: [1, 2], maxItems: 4}`),
    ),
    `    a: float
    b: int = Field(default=3, ge=1, lt=9)
    c: bool = True
    d: Literal["x", "y"] = Field(default="x", description="One of two")
    e: str = Field(default="ab", min_length=1, pattern="^a")
    f: list[int] = Field(default=[1, 2], max_length=4)
`,
  );
});

test("what pydantic has no rule for", () => {
  const text = before(
    classOf(`  a: {type: number, default: 2.5, enum: [1, 2.5], multipleOf: 0.5}
  b: {type: string, default: ab, pattern: "^(?<first>a)"}
  c: {type: array, items: {type: number, minimum: 0, exclusiveMaximum: 1}, default: [0.5], uniqueItems: true}`),
  );
  for (const condition of [
    "value not in [1, 2.5]",
    "not is_multiple(value, 0.5)",
    'not re.search("^(?P<first>a)", value)',
    "len(set(value)) < len(value)",
    "any(item < 0 for item in value)",
    "any(item >= 1 for item in value)",
  ])
    assert.match(text, `        if ${condition}:\n            raise ValueError("`);
  assert.match(text, '    @field_validator("c")\n    @classmethod\n    def check_c(cls, value):');
});

test("rules that say nothing of a type, or that pydantic takes for other types alone", () => {
  const text = before(
    classOf(`  a: {type: string, enum: [x, y], minLength: 1, default: x}
  b: {type: number, minLength: 3, minItems: 3, pattern: z, default: 1}
  c: {type: integer, minimum: 1.5, exclusiveMaximum: 8.5, maximum: 1.0e+21, default: 3}
  d: {type: array, items: {type: string, pattern: "^a", maxLength: 3}, default: [ab]}
  e: {type: boolean, enum: [true], default: true}
  f: {type: array, items: {type: array}, uniqueItems: true, default: [[1]]}
  g: {type: array, default: [p, q]}`),
  );
  for (const line of [
    'a: Literal["x", "y"] = "x"',
    "b: float = 1",
    "c: int = Field(default=3, ge=2, le=1000000000000000000000, lt=9)",
    'd: list[str] = ["ab"]',
    "f: list[list[float]] = [[1]]",
    'g: list = ["p", "q"]',
  ])
    assert.match(text, `    ${line}\n`);
  for (const condition of [
    "len(value) < 1",
    "any(len(item) > 3 for item in value)",
    'any(not re.search("^a", item) for item in value)',
    "value not in [True]",
    "any(value.count(item) > 1 for item in value)",
  ])
    assert.match(text, `        if ${condition}:\n`);
});

test("patterns that Python or pydantic read otherwise than JavaScript", () => {
  const linesOf = (pattern: string, value: string) =>
    before(classOf(`  a: {type: string, pattern: '${pattern}', default: "${value}"}`));
  assert.match(linesOf("^\\p{L}+$", "é"), 'pattern="^\\\\p{L}+$"');
  assert.match(linesOf("^[[a]$", "a"), 're.search("^[\\\\[a]\\\\Z", value)');
  assert.match(linesOf("^[^]$", "a"), 're.search("^[\\\\s\\\\S]\\\\Z", value)');
  assert.match(linesOf("^(?<q>a)\\k<q>$", "aa"), 're.search("^(?P<q>a)(?P=q)\\\\Z", value)');
  assert.match(linesOf("^(?=\\p{L})", "é"), "# It must match ^(?=\\p{L}), which `ltxc check` looks at");
});

test("names that the class itself needs", () => {
  const text = before(
    classOf(`  Field: {type: number, default: 1, minimum: 0}
  Literal: {type: string, enum: [x], default: x}
  classmethod: {type: integer, enum: [1], default: 1}
  level: {type: integer, enum: [1], default: 1}
  check_level: {type: number, default: 2}`),
  );
  assert.match(text, 'Field_: float = Field(default=1, alias="Field", ge=0)');
  assert.match(text, 'Literal_: Literal["x"] = Field(default="x", alias="Literal")');
  assert.match(text, "    check_level: float = 2\n");
  assert.match(text, '@field_validator("level")\n    @classmethod\n    def check_level_(cls, value):');
});

test("lines are not too long", () => {
  const choices = Array.from({ length: 20 }, (_, i) => `choice_${i}`).join(", ");
  const numbers = Array.from({ length: 20 }, (_, i) => 1_000_000 + i).join(", ");
  const directory = Array.from({ length: 12 }, (_, i) => `directory_${i}`).join("/");
  const text = classOf(
    `  a: {type: string, enum: [${choices}], default: choice_0}\n  b: {type: integer, enum: [${numbers}], default: 1000000}`,
    directory,
  );
  assert.equal(
    text.split("\n").filter((line) => line.length > 120),
    [],
  );
  assert.match(text, "        if value not in allowed:");
});

test("names that Python or pydantic take get an alias", () => {
  const text = before(
    classOf(
      "  lambda: {type: number, default: 1}\n  copy: {type: number, default: 1}\n  copy_: {type: number, default: 1}\n  _x: {type: number, default: 1}",
    ),
  );
  assert.match(text, 'lambda_: float = Field(default=1, alias="lambda")');
  assert.match(text, 'copy__: float = Field(default=1, alias="copy")\n    copy_: float = 1\n');
  assert.match(text, 'x_: float = Field(default=1, alias="_x")');
});

test("parameters in directories", () => {
  const param = "  kind: {type: string, default: depth}";
  assert.match(classOf(param, "${kind}"), 'return {"latents": self.kind, "conditions": "conditions"}');
  assert.match(classOf(param, "a{b}_${kind}"), 'return {"latents": f"a{{b}}_{self.kind}", "conditions": "conditions"}');
});

test.run();
