// One step of strategies with passes, on every engine, against the same step in PyTorch: make_vectors.py wrote vectors.json.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compile } from "../../compiler/index.ts";
import type { Batch, HostTensor, ModelInputs, Ops, PassWeights, Step, Tensor } from "../../runtime/contract.ts";
import { openEngine } from "../../runtime/engine/index.ts";
import { createPositions } from "../../runtime/model/positions.ts";
import { forward } from "../../runtime/training/forward.ts";

interface Vectors {
  readonly scale: number;
  readonly beta: number;
  readonly guidance: number;
  readonly inputs: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: readonly number[] }>>;
  readonly diffusion_dpo: Expected;
  readonly guidance_distillation: Expected;
}

/** The loss of each sample, and the gradients of the mean by A and B of the LoRA. */
interface Expected {
  readonly terms: readonly number[];
  readonly A: readonly number[];
  readonly B: readonly number[];
}

const vectors = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url), "utf8")) as Vectors;
const test = suite("passes against PyTorch");

function host(name: string): HostTensor {
  const { shape, data } = vectors.inputs[name] ?? { shape: [], data: [] };
  return { shape, dtype: "float32", data: Float32Array.from(data) };
}

async function exampleStep(name: string): Promise<Step> {
  const path = fileURLToPath(new URL(`../../examples/${name}/${name}.strategy`, import.meta.url));
  const { artifacts } = await compile({ path, text: readFileSync(path, "utf8") });
  const bundle = artifacts.find((artifact) => artifact.name.endsWith(".mjs"))?.text ?? "";
  const code = bundle.replace(/^\/\/# sourceMappingURL=.*$/m, "");
  return (await import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`)) as Step;
}

/** The batch of the vectors, whose tensors enter the step as inputs. */
function batchOf(ops: Ops): Batch {
  const input = (name: string) => ops.input(`batch.${name}`, host(name));
  const grid = { storage: "float32", frames: 2, height: 2, width: 2, fps: [24, 24] } as const;
  const text = (name: string) => ({
    kind: "text_embeddings" as const,
    video: input(name),
    audio: null,
    mask: ops.fill([2, 4], 1),
  });
  return {
    size: 2,
    sources: {
      latents: { kind: "video_latents", latents: input("winner"), ...grid },
      worse: { kind: "video_latents", latents: input("loser"), ...grid },
      conditions: text("conditions"),
      empty: text("empty"),
    },
  };
}

/** y = (W + scale B A) x + sigma u + mean(context) v, without the LoRA for the base model. */
function modelOf(ops: Ops, lora: readonly [Tensor, Tensor]) {
  const fixed = (name: string) => ops.constant(host(name));
  return ({ video }: ModelInputs, _targets?: unknown, _dropout?: unknown, weights: PassWeights = "trained") => {
    if (video === null) throw new Error("no video");
    const perSample = (x: Tensor) => ops.reshape(x, [-1, 1, 1]);
    const [level, text] = [perSample(video.sigma), perSample(ops.mean(video.context, [1, 2]))];
    const shift = ops.add(ops.mul(level, fixed("u")), ops.mul(text, fixed("v")));
    const y = ops.add(ops.linear(video.latent, fixed("W"), null), shift);
    const [a, b] = lora;
    const added = () => ops.mul(ops.linear(ops.linear(video.latent, a, null), b, null), vectors.scale);
    return { video: weights === "base" ? y : ops.add(y, added()), audio: null, outputs: {} };
  };
}

const scaleFactors = { time: 8, height: 32, width: 32 };

function near(actual: HostTensor["data"], expected: readonly number[], what: string): void {
  assert.is(actual.length, expected.length, what);
  const isNear = (x: number, i: number) => Math.abs(x - (expected[i] ?? NaN)) <= 1e-5 * Math.max(1, Math.abs(x));
  assert.ok([...actual].every(isNear), `${what}: ${actual.join()} instead of ${expected.join()}`);
}

for (const name of ["cpu", "wasm", "onnx"] as const) {
  const cases = [
    ["diffusion_dpo", { beta: vectors.beta }],
    ["guidance_distillation", { guidance: vectors.guidance }],
  ] as const;
  for (const [example, params] of cases) {
    test(`${example} on ${name}`, async () => {
      const { engine } = await openEngine(name);
      const step = await exampleStep(example);
      const lora = [engine.keep(host("A")), engine.keep(host("B"))] as const;
      const context = {
        ops: engine.ops,
        step,
        params,
        model: modelOf(engine.ops, lora),
        sampler: () => host("sigma").data as Float32Array,
        positions: createPositions(scaleFactors),
        scaleFactors,
      };
      const noise = () => host("noise").data as Float32Array;
      const options = { draws: { randn: noise, rand: noise }, progress: { globalStep: 0, progress: 0 }, divisor: 1 };
      const { loss, outputs, gradients } = engine.differentiate(
        () => forward(context, batchOf(engine.ops), options),
        [...lora],
      );
      const read = async (tensor: Tensor | null | undefined) =>
        tensor ? (await engine.read(tensor)).data : new Float32Array(0);
      const { terms, A, B } = vectors[example];
      near((await read(outputs.report)).slice(0, 2), terms, "loss");
      near(await read(gradients[0]), A, "gradient by A");
      near(await read(gradients[1]), B, "gradient by B");
      engine.dispose(loss, outputs.report, ...gradients, ...lora);
    });
  }
}

test.run();
