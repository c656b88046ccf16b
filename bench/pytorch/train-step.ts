/** The train step that both comparisons measure: real blocks of LTX-2.3, with adapters on their attentions, over the files of `files.ts`. */
import type { HostTensor, ModalityInputs, Ops, Tensor } from "../../runtime/contract.ts";
import type { Engine } from "../../runtime/engine/engine.ts";
import { openSafetensors } from "../../runtime/files/safetensors/index.ts";
import type { StreamName } from "../../runtime/model/config.ts";
import { transformerLayout } from "../../runtime/model/parameters.ts";
import { matchTargets } from "../../runtime/model/lora.ts";
import { createTransformer, type Transformer } from "../../runtime/model/transformer.ts";
import { loadPart } from "../../runtime/model/weights.ts";
import { createAdamW } from "../../runtime/optimizer/adamw.ts";
import { inputFile, modelFile, positionsOf } from "./files.ts";
import { configOf, learningRate, sigma, targets, type Size } from "./sizes.ts";

interface TrainStep {
  /** Forward and backward. Their results are handed to `update`, and not read here. */
  differentiate(): ReturnType<Engine["differentiate"]>;
  /** AdamW with the gradients, which are freed. Returns the last of the new parameters. */
  update(step: ReturnType<Engine["differentiate"]>): Promise<Tensor>;
}

/** @param isCheckpointed whether blocks are computed again on the way back */
export async function openTrainStep(
  engine: Engine,
  folder: string,
  size: Size,
  isCheckpointed = false,
): Promise<TrainStep> {
  const config = configOf(size);
  const layout = transformerLayout(config);
  const checkpoint = await openSafetensors(modelFile(folder));
  const weights = await loadPart(engine, checkpoint, { prefix: "", parameters: layout });
  const given = await readInputs(folder);
  const trained = adaptersOf(engine, layout, given);
  const checkpointing = {
    run: engine.checkpoint,
    parametersOf: trained.parametersOf,
    isSharedTrained: false,
  };
  const model = createTransformer(engine.ops, config, weights, trained.adapters, isCheckpointed ? checkpointing : null);
  const positions = positionsOf(size);
  const forward = () => lossOf(engine.ops, model, positions, given);
  const optimizer = createAdamW(engine, trained.parameters().length);
  return {
    differentiate: () => engine.differentiate(forward, trained.parameters()),
    async update({ loss, gradients }) {
      const updated = await optimizer.update(trained.parameters(), gradients, learningRate, null);
      trained.replace(updated);
      engine.dispose(loss, ...gradients);
      return updated.at(-1) as Tensor;
    },
  };
}

type Inputs = ReadonlyMap<string, HostTensor>;

async function readInputs(folder: string): Promise<Inputs> {
  const inputs = await openSafetensors(inputFile(folder));
  const read = async (key: string): Promise<HostTensor> => ({
    shape: inputs.tensors.get(key)?.shape ?? [],
    dtype: "float32",
    data: await inputs.readFloat32(key),
  });
  const keys = [...inputs.tensors.keys()];
  return new Map(await Promise.all(keys.map(async (key) => [key, await read(key)] as const)));
}

/** The adapters that are trained, as they are now. */
function adaptersOf(engine: Engine, layout: ReturnType<typeof transformerLayout>, given: Inputs) {
  const modules = matchTargets(layout, { target_modules: targets }).targets.map(({ module }) => module);
  const names = modules.flatMap((module) => [`${module}.lora_A.weight`, `${module}.lora_B.weight`]);
  let parameters: readonly Tensor[] = names.map((key) => engine.keep(given.get(key) as HostTensor));
  const at = new Map(modules.map((module, i) => [module, 2 * i]));
  const byBlock = new Map<string, number[]>();
  names.forEach((name, i) => {
    const block = `${name.split(".").slice(0, 2).join(".")}.`;
    byBlock.set(block, [...(byBlock.get(block) ?? []), i]);
  });
  return {
    parameters: () => parameters,
    replace: (updated: readonly Tensor[]) => void (parameters = updated),
    parametersOf: (block: string) => byBlock.get(block)?.flatMap((i) => parameters[i] ?? []) ?? [],
    adapters: {
      get(module: string) {
        const i = at.get(module);
        const [a, b] = i === undefined ? [] : parameters.slice(i, i + 2);
        return a === undefined || b === undefined ? undefined : { a, b, scale: 1 };
      },
    },
  };
}

/** The mean square error of both velocities. */
function lossOf(ops: Ops, model: Transformer, positions: ReturnType<typeof positionsOf>, given: Inputs) {
  const modality = (stream: StreamName) => modalityOf(ops, stream, positions[stream], given);
  const [video, audio] = [modality("video"), modality("audio")];
  const velocity = model.forward({ video, audio });
  const error = (x: Tensor | null, { target }: { target: Tensor }) =>
    x === null ? 0 : ops.mean(ops.square(ops.sub(x, target)));
  return { loss: ops.add(error(velocity.video, video), error(velocity.audio, audio)), outputs: {} };
}

function modalityOf(
  ops: Ops,
  stream: StreamName,
  positions: HostTensor,
  given: Inputs,
): ModalityInputs & { readonly target: Tensor } {
  const input = (key: string) => ops.input(key, given.get(key) as HostTensor);
  const [latent, noise] = [input(`${stream}.latent`), input(`${stream}.noise`)];
  const level = ops.input(`${stream}.sigma`, { shape: [1], dtype: "float32", data: Float32Array.of(sigma) });
  const tokens = latent.shape[1] ?? 0;
  return {
    latent: ops.add(ops.mul(latent, 1 - sigma), ops.mul(noise, sigma)),
    sigma: level,
    timesteps: ops.broadcastTo(ops.reshape(level, [1, 1]), [1, tokens]),
    twoLevels: true,
    positions,
    context: input(`${stream}.context`),
    contextMask: null,
    attentionMask: null,
    keyframesMask: null,
    enabled: true,
    target: ops.sub(noise, latent),
  };
}
