// What the target `ltx-trainer` refuses, and imported functions in Python.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compilePython } from "../../index.ts";

const test = suite("target ltx-trainer");

const strategy = `strategy: a
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
loss:
  a: mse(video.prediction, video.target)
`;

/** Findings as "CODE text at the place: message". */
function findings(text: string, files: Readonly<Record<string, string>> = {}): string[] {
  const readPython = (path: string) => (path in files ? { path, text: files[path] ?? "" } : null);
  const library = { root: null, names: [], read: () => null, readPython };
  const { diagnostics } = compilePython({ path: "a.strategy", text }, { library });
  return diagnostics.map(({ code, span, message }) => `${code} ${text.slice(span.start, span.end)}: ${message}`);
}

test("a strategy without faults has no findings", () => {
  assert.equal(findings(strategy), []);
});

const withTexts = (files: string, more = ""): string =>
  strategy.replace("  conditions: {directory: conditions, kind: text_embeddings}\n", files) + more;

test("several texts, and files for all samples, go to the official connectors together", () => {
  const two = strategy
    .replace(
      "video:",
      "  more: {directory: more, kind: text_embeddings}\n  sounds: {directory: s, kind: audio_latents}\nvideo:\n  text: conditions",
    )
    .replace("loss:", "audio:\n  latents: sounds\n  text: more\nloss:\n  b: mse(audio.prediction, audio.target)");
  assert.equal(findings(two), []);
  const { artifacts } = compilePython({ path: "a.strategy", text: two });
  assert.match(artifacts[0]?.text ?? "", 'TEXTS = ["conditions", "more"]');
  assert.match(artifacts[0]?.text ?? "", "main(AConfig, AStrategy, sources_trainer)");
});

test("the official data set must have one directory of texts", () => {
  assert.equal(findings(withTexts("  conditions: {file: empty.pt, kind: text_embeddings}\n")), [
    "LTX6641 empty.pt: the official trainer reads texts from a directory, with a file for each sample, and all texts here are single files",
  ]);
});

test("what is prepared has gradients only where a pass before the step's own call needs them", () => {
  const hasGradients = (passes: string, loss: string) => {
    const { artifacts } = compilePython({
      path: "a.strategy",
      text: `${strategy.replace("video:", `passes:\n${passes}\nvideo:`)}  b: ${loss}\n`,
    });
    const [made] = artifacts;
    assert.ok(made);
    return !made.text.includes("@torch.no_grad()\n    def prepare");
  };
  const far = '{video: {sigma: "min(1, video.sigma + 0.1)", noisy: (1 - sigma) * clean + sigma * noise}}';
  assert.ok(hasGradients(`  far: ${far}`, "mse(far.video.prediction, far.video.target)"));
  const constant = `  far: ${far}\n  near: {video: {noisy: video.noisy - 0.1 * far.video.prediction}}`;
  assert.ok(hasGradients(constant, "mse(near.video.prediction, video.target)"));
  assert.not(hasGradients("  base: {adapters: false}", "mse(video.prediction, base.video.prediction)"));
  const late = "  next: {video: {noisy: video.noisy - 0.1 * video.prediction}}";
  assert.not(hasGradients(late, "mse(next.video.prediction, video.target)"));
});

test("a parameter called name", () => {
  const named = strategy
    .replace("sources:", "params:\n  name: {type: number, default: 1}\nsources:")
    .replace("a: mse", "a: name * mse");
  assert.equal(findings(named), ["LTX6603 name: the official trainer keeps the strategy's own name under `name`"]);
});

test("a directory whose name promises latents", () => {
  const masked = (directory: string) =>
    strategy
      .replace("video:", `  hole: {directory: "${directory}", kind: video_mask}\nvideo:\n  noise_mask: hole > 0.5`)
      .replace("sources:", "params:\n  p_latent: {type: string, default: x}\nsources:")
      .replace("target)", "target) over video.generated");
  assert.match(
    findings(masked("Latent_${p_latent}"))[0] ?? "",
    /^LTX6604 "Latent_\$\{p_latent\}": in the files of a directory/,
  );
  assert.equal(findings(masked("${p_latent}_masks")), []);
});

test("the name of an official strategy is a warning, and the module is made", () => {
  const { artifacts, diagnostics } = compilePython({
    path: "a.strategy",
    text: strategy.replace("strategy: a", "strategy: text_to_video"),
  });
  assert.equal(
    diagnostics.map(({ code, severity }) => `${code} ${severity}`),
    ["LTX6605 warning"],
  );
  assert.equal(
    artifacts.map(({ name }) => name),
    ["ltxc_text_to_video.py"],
  );
});

const importing = (python: string): string =>
  strategy
    .replace(
      "video:",
      `imports:\n  edges: {from: ./edges.ts${python}, type: "(a: tokens:video, k: number) -> f32[batch]"}\nvideo:`,
    )
    .replace("target)", "target) + edges(video.denoised, 2)");

test("an imported function without Python", () => {
  assert.equal(findings(importing("")), [
    "LTX6601 ./edges.ts: `edges` is written in TypeScript, which the official trainer does not run",
  ]);
});

test("files of Python that cannot become part of the module", () => {
  const refused = (text: string) =>
    findings(importing(", python: ./e.py"), { "./e.py": text }).map((found) => found.replace("LTX6607 ./e.py: ", ""));
  const right = "def edges(a, k):\n    return a.mean((1, 2)) * k\n";
  assert.equal(refused(right), []);
  assert.equal(
    refused(
      `"""Doc, import numpy."""\nimport torch.nn as nn\nfrom math import pi, e\nSIZE: int = (\n    3\n)\n${right}`,
    ),
    [],
  );
  assert.equal(refused(`import numpy\n${right}`), [
    "./e.py:1: `import numpy`: only torch and math can be imported, at the top",
  ]);
  assert.equal(refused("def edges(a, k):\n    import os\n    return a\n"), [
    "./e.py:2: `import os`: only torch and math can be imported, at the top",
  ]);
  assert.equal(refused(`class A:\n    pass\n${right}`), [
    "./e.py:1: `class A:` defines neither a function nor a constant",
  ]);
  assert.equal(refused(`print(1)\n${right}`), ["./e.py:1: `print(1)` defines neither a function nor a constant"]);
  assert.equal(refused("def edge(a, k):\n    return a\n"), ["`./e.py` defines no function `edges`"]);
  assert.equal(refused("def edges(ops, a, k):\n    return a\n"), ["`edges` in `./e.py` does not take 2 arguments"]);
  assert.equal(refused("def edges(a, k, sizes=(1, 2)) -> tuple[int, int]:\n    return a\n"), []);
  assert.equal(findings(importing(", python: ./none.py")), ["LTX6607 ./none.py: there is no file `./none.py`"]);
  assert.equal(findings(importing(", python: ./e.ts")), ["LTX6607 ./e.ts: `./e.ts` is no file of Python"]);
  assert.match(findings(importing(", python: /e.py"))[0] ?? "", /^LTX2010 /);
});

test("names of a file of Python that the module has, too, are renamed there, and nothing else", () => {
  const text = `from torch import sqrt
# masked_mean is a name of the module.
def edges(a, k):
    return masked_mean(a, k=k) + a.masked_mean if "masked_mean" else sqrt(a)


def masked_mean(a, k):
    return a.mean((1, 2)) * k
`;
  const readPython = (path: string) => ({ path, text });
  const library = { root: null, names: [], read: () => null, readPython };
  const { artifacts } = compilePython({ path: "a.strategy", text: importing(", python: ./e.py") }, { library });
  const module = artifacts[0]?.text ?? "";
  assert.match(module, /^from torch import Tensor, sqrt as sqrt_$/m);
  assert.match(
    module,
    '# masked_mean is a name of the module.\ndef edges(a, k):\n    return masked_mean_(a, k=k) + a.masked_mean if "masked_mean" else sqrt_(a)\n',
  );
  assert.match(module, "def masked_mean_(a, k):");
  assert.match(module, "edges(video_denoised, 2.0)");
});

function moduleWith(python: string): string {
  const library = { root: null, names: [], read: () => null, readPython: (path: string) => ({ path, text: python }) };
  const { artifacts } = compilePython({ path: "a.strategy", text: importing(", python: ./e.py") }, { library });
  return artifacts[0]?.text ?? "";
}

test("names of a file of Python that hide a builtin, which the launcher needs", () => {
  const module = moduleWith("def open(a):\n    return a\n\n\ndef edges(a, k):\n    return open(a).mean((1, 2)) * k\n");
  assert.match(module, "def open_(a):\n    return a\n\n\ndef edges(a, k):\n    return open_(a).mean((1, 2)) * k\n");
});

test("a function of a file of Python keeps what it has by such a name itself", () => {
  const own = (body: string) =>
    /def edges[^]*?(?=\n\n\n)/.exec(moduleWith(`shifted = 3\n\n\n${body}`))?.[0].replace(/^def.*\n/, "");
  for (const same of [
    "    shifted = a\n    return shifted.mean((1, 2)) * k",
    "    b, (shifted, c) = a\n    return shifted",
    "    for shifted in a:\n        return shifted",
    "    return [shifted for shifted in a]",
    "    return (shifted := a) + shifted",
    "    return map(lambda shifted: shifted, a)",
  ])
    assert.is(own(`def edges(a, k):\n${same}\n`), same);
  assert.is(own("def edges(shifted, k):\n    return shifted\n"), "    return shifted");
  assert.is(own("def edges(a, k):\n    return f(a, shifted=1) * shifted\n"), "    return f(a, shifted=1) * shifted_");
});

test("imports of a file of Python leave it, and nothing that looks like them", () => {
  const module = moduleWith(`\uFEFF"""Edges,
from a book."""
import torch.nn
import torch.nn.functional as F  # relu
from torch import Tensor,  nn


def edges(a: Tensor, k):
    """The edges
import of all."""
    return torch.nn.functional.relu(F.relu(a)).mean((1, 2)) * k + nn.Identity()(a)
`);
  assert.match(
    module,
    "import torch\nimport torch.nn\nimport torch.nn.functional as F\nimport yaml\nfrom torch import Tensor, nn\n",
  );
  assert.match(
    module,
    '"""Edges,\nfrom a book."""\n\n\ndef edges(a: Tensor, k):\n    """The edges\nimport of all."""\n',
  );
});

test("an import of torch in another form is told how to be written", () => {
  const { diagnostics } = compilePython(
    { path: "a.strategy", text: importing(", python: ./e.py") },
    {
      library: {
        root: null,
        names: [],
        read: () => null,
        readPython: (path: string) => ({
          path,
          text: "from torch import (\n    nn,\n)\ndef edges(a, k):\n    return a\n",
        }),
      },
    },
  );
  assert.match(diagnostics[0]?.help ?? "", /^write it as `import torch`/);
});

test.run();
