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
