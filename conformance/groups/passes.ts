import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Batch, HostTensor, PassWeights, ScaleFactors, Step } from "../../runtime/contract.ts";
import type { Engine } from "../../runtime/engine/engine.ts";
import { openSafetensors } from "../../runtime/files/safetensors/index.ts";
import { readTransformerConfig, type TransformerConfig } from "../../runtime/model/config.ts";
import { createLora, matchTargets } from "../../runtime/model/lora.ts";
import { transformerLayout } from "../../runtime/model/parameters.ts";
import { createPositions } from "../../runtime/model/positions.ts";
import { createTransformer } from "../../runtime/model/transformer.ts";
import { loadPart } from "../../runtime/model/weights.ts";
import { forward, readReport, type Model } from "../../runtime/training/forward.ts";
import { golden, type Case } from "../case.ts";
import { declared } from "../checks.ts";
import { compiledOnce } from "../compiled.ts";
import { toHost } from "../golden-batch.ts";
import { keys, limits } from "../known.ts";

const examples = fileURLToPath(new URL("../../examples", import.meta.url));
const scaleFactors: ScaleFactors = { time: 8, height: 32, width: 32 };

/**
 * One step of an example with passes, as `passes/make_vectors.py` has computed it in PyTorch: the loss of each sample, and the gradients of
 * their mean by the adapters.
 */
export const replay = declared(
  {
    manifest: {
      ...keys("strategy", "params", "model", "fps"),
      lora: keys("rank", "alpha", "target_modules"),
      tolerance: limits("loss", "grad"),
    },
    inputs: /^(in|lora)\.|^draw_00$/,
  },
  async (replayed, checks, engine) => {
    const { manifest, tensors } = replayed;
    const name = String(manifest["strategy"]);
    const step = await compiledOnce(name, await readFile(join(examples, name, `${name}.strategy`), "utf8"));
    const opened = await openModel(replayed, engine);
    const { adapters } = opened;
    const drawn = () => Float32Array.from(golden(tensors, "draw_00").data);
    const context = {
      ops: engine.ops,
      step,
      params: manifest["params"],
      model: opened.forward,
      sampler: () => Float32Array.from(golden(tensors, "in.sigma").data),
      positions: createPositions(scaleFactors),
      scaleFactors,
    };
    const options = { draws: { randn: drawn, rand: drawn }, progress: { globalStep: 0, progress: 0 }, divisor: 1 };
    const { loss, outputs, gradients } = engine.differentiate(
      () => forward(context, batchOf(replayed, engine, step), options),
      adapters.tensors(),
    );
    try {
      const report = readReport(step, (await engine.read(outputs.report)).data as Float32Array, sizeOf(replayed));
      const terms = Object.values(report.terms);
      checks.same("the number of loss terms", terms.length, 1);
      const losses = terms[0] ?? new Float32Array(0);
      checks.compare("out.loss", { shape: [losses.length], data: losses }, manifest["tolerance"].loss);
      for (const [i, adapter] of adapters.names.entries()) {
        const gradient = gradients[i] ?? null;
        if (gradient === null) checks.fail(`grad.${adapter}: the loss does not depend on it`);
        else checks.compare(`grad.${adapter}`, await engine.read(gradient), manifest["tolerance"].grad);
      }
    } finally {
      engine.dispose(loss, outputs.report, ...gradients);
      opened.dispose();
    }
  },
);

const sizeOf = ({ tensors }: Case): number => golden(tensors, "in.sigma").shape[0] ?? 0;

/** The model of another case, by its place among the vectors, with the case's adapters and without. */
async function openModel({ manifest, tensors, directory }: Case, engine: Engine) {
  const file = await openSafetensors(join(directory, "../..", String(manifest["model"]), "weights.safetensors"));
  const config = configIn(file.metadata);
  const layout = transformerLayout(config);
  const weights = await loadPart(engine, file, { prefix: "", parameters: layout });
  await file.close();
  const lora = { dropout: 0, ...(manifest["lora"] as { rank: number; alpha: number; target_modules: string[] }) };
  const adapters = createLora(engine, matchTargets(layout, lora).targets, lora, (_, count) => new Float32Array(count));
  engine.dispose(...adapters.tensors());
  adapters.replace(adapters.names.map((name) => engine.keep(toHost(golden(tensors, `lora.${name}`)))));
  const trained = createTransformer(engine.ops, config, weights, adapters);
  const base = createTransformer(engine.ops, config, weights);
  const forward: Model = (inputs, _targets, _dropout, own: PassWeights = "trained") => ({
    ...(own === "base" ? base : trained).forward(inputs),
    outputs: {},
  });
  return { adapters, forward, dispose: () => engine.dispose(...adapters.tensors(), ...weights.values()) };
}

function configIn(metadata: Readonly<Record<string, string>>): TransformerConfig {
  const { config, findings } = readTransformerConfig(JSON.parse(metadata["config"] ?? "{}").transformer, "video-only");
  if (config === null) throw new Error(findings.map(({ message }) => message).join("; "));
  return config;
}

/** The batch, whose tensors enter the step as inputs; the text is the model's context as it is. */
function batchOf(replayed: Case, { ops }: Engine, { strategy }: Step): Batch {
  const size = sizeOf(replayed);
  const fps = Array.from({ length: size }, () => Number(replayed.manifest["fps"]));
  const sources = strategy.sources.map(({ name, kind }) => {
    const value = toHost(golden(replayed.tensors, `in.${name}`));
    const input = ops.input(`batch.${name}`, value);
    if (kind === "text_embeddings") {
      const [texts = 0, tokens = 0] = value.shape;
      const all: HostTensor = { shape: [texts, tokens], dtype: "int32", data: new Int32Array(texts * tokens).fill(1) };
      return [name, { kind, video: input, audio: null, mask: ops.input(`batch.${name}.mask`, all) }];
    }
    const [frames, height, width] = value.shape.slice(2);
    return [name, { kind, latents: input, storage: "float32", frames, height, width, fps }];
  });
  return { size, sources: Object.fromEntries(sources) };
}
