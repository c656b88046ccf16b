/** The graph of one train step of a tiny model, as tests want it. */
import type { HostTensor, Ops, Shape, Tensor } from "../contract.ts";
import { tinyConfig, tinyInputs } from "./tiny-model.ts";
import { transformerLayout } from "../model/parameters.ts";
import { createTransformer } from "../model/transformer.ts";
import { gradientsOf } from "../engine/autodiff.ts";
import type { Engine } from "../engine/engine.ts";
import { loadTfjsAlone } from "../engine/load-tfjs.ts";
import { recordedOps } from "../engine/recording/recorded-ops.ts";
import type { TfTensor } from "../graph/record/tfjs-types.ts";
import type { Graph } from "../graph/graph.ts";
import { BACKEND, recordingBackendOf } from "../graph/record/backend.ts";
import { GraphBuilder } from "../graph/record/builder.ts";
import { registerKernels } from "../graph/record/kernels.ts";

/**
 * The loss and the gradients of all parameters of an audio-video model, as they are recorded; weights and samples are inputs. `lower`
 * (`engine/recording/lower.ts`) makes of it what ONNX Runtime can run.
 */
export async function recordTinyStep(layers: number): Promise<Graph> {
  const tf = await loadTfjsAlone();
  const recorder = recordingBackendOf(tf, registerKernels);
  void tf.setBackend(BACKEND);
  const graph = new GraphBuilder();
  recorder.begin(graph);
  const input = (shape: Shape) => recorder.tensorOf(graph.input(shape, "float32"));
  const ops = {
    ...recordedOps(tf),
    input: (_name: string, { shape }: HostTensor) => input(shape),
    constant: ({ shape }: HostTensor) => input(shape),
  } as unknown as Ops;
  const config = tinyConfig({ num_layers: layers });
  const weights = new Map(transformerLayout(config).map(({ name, shape }) => [name, input(shape)]));
  const model = createTransformer(ops, config, weights as unknown as Map<string, Tensor>);
  const engine = { ops } as Engine;
  const loss = () => {
    const inputs = { video: tinyInputs(engine, config, "video"), audio: tinyInputs(engine, config, "audio") };
    const { video, audio } = model.forward(inputs);
    const size = (x: Tensor | null) => (x === null ? 0 : ops.mean(ops.square(x)));
    return ops.add(size(video), size(audio)) as unknown as TfTensor;
  };
  const { value, grads } = gradientsOf(tf, loss, [...weights.values()]);
  const outputs = [value, ...grads.filter((x) => x !== undefined)];
  return graph.finish(outputs.map((x) => recorder.valueOf(x)));
}
