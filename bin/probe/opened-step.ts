/** A strategy's step on one batch, whose loss and gradients can be asked for with any prediction. */
import type {
  HostTensor,
  ModelInputs,
  Prediction,
  Prepared,
  StepContext,
  Tensor,
  Velocities,
} from "../../runtime/contract.ts";
import { philoxSource, uploadBatch, type Engine, type HostBatch } from "../../runtime/index.ts";
import {
  contextOf,
  contextsOf,
  hostTensor,
  isTensor,
  modelOf,
  targetShape,
  tensorsIn,
  type Circumstances,
  type ModalityName,
} from "./observe.ts";
import type { Subject } from "./subject.ts";
import { predictedFor } from "./stand-in.ts";
import { streamWidth } from "./synthetic.ts";

/**
 * What a model could return: `video`, `audio` and the strategy's outputs by name, `[batch, token, channel]`. References first. Of passes with
 * the trained weights, `lose.video`, what is added to the prediction of the stand-in: nothing if not given.
 */
export type Predicted = ReadonlyMap<string, HostTensor>;

/** A loss and its gradients by each part of the prediction; null where it does not depend on the part. */
export interface Slope {
  /** One number for each sample. */
  readonly loss: HostTensor;
  readonly gradients: ReadonlyMap<string, HostTensor | null>;
}

/** The parts of a prediction that a step takes, with their shapes. */
interface PartShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A call of the model by a pass: what it is given by name (`video.latent`), and what it predicts. */
interface SeenCall {
  readonly inputs: ReadonlyMap<string, HostTensor>;
  readonly predicted: Readonly<Record<ModalityName, HostTensor | null>>;
}

export const modalityNames: readonly ModalityName[] = ["video", "audio"];

/** Close it after use: it holds tensors of the engine. */
export class OpenedStep {
  readonly #engine: Engine;
  readonly #subject: Subject;
  readonly #ctx: StepContext<unknown>;
  readonly #prepared: Prepared;
  /** Prepares the step once more, within what is computed with it. */
  readonly #prepare: () => Prepared;
  /** Which references take part, by the name of their draw. */
  readonly #drawn = new Map<string, boolean>();
  /** What each pass with the trained weights predicts more than the stand-in does, while something is computed. */
  #more: ReadonlyMap<string, Tensor> = new Map();
  /** Told of every call of a pass, where somebody looks at them. */
  #watch: ((pass: string, inputs: ModelInputs, predicted: Velocities) => void) | null = null;

  constructor(engine: Engine, subject: Subject, batch: HostBatch, circumstances: Circumstances) {
    const source = philoxSource(circumstances.seed, circumstances.globalStep, 0);
    this.#engine = engine;
    this.#subject = subject;
    this.#ctx = {
      ...contextOf(engine, source, circumstances, this.#drawn),
      ...modelOf(engine, subject.step.strategy, batch, source),
      call: (pass, inputs) => this.#call(pass, inputs),
    };
    const prepare = () => subject.step.prepare(this.#ctx, uploadBatch(engine.ops, batch, contextsOf(engine, batch)));
    this.#prepared = engine.tidy(prepare);
    // A pass after the step's own call holds on to tensors that are not among the prepared ones.
    this.#prepare = subject.program.passes.length === 0 ? () => this.#prepared : prepare;
  }

  /** By a function of what is given, so that what passes are given counts. */
  #call(pass: string, inputs: ModelInputs): Velocities {
    const { ops } = this.#engine;
    const made = predictedFor(ops, inputs);
    const of = (name: ModalityName) => {
      const [own, more] = [made[name], this.#more.get(`${pass}.${name}`)];
      return own === null || more === undefined ? own : ops.add(own, more);
    };
    const predicted = { video: of("video"), audio: of("audio") };
    this.#watch?.(pass, inputs, predicted);
    return predicted;
  }

  /** Whether a pass has the weights that are trained. */
  isTrained(pass: string): boolean {
    return this.#subject.program.passes.some(({ name, weights }) => name === pass && weights === "trained");
  }

  /** What the stand-in predicts for the step's own call. */
  async start(): Promise<ReadonlyMap<string, HostTensor>> {
    const { video, audio } = this.#engine.tidy(() => predictedFor(this.#engine.ops, this.#prepared.inputs));
    const found = new Map<string, HostTensor>();
    if (video !== null) found.set("video", await this.#engine.read(video));
    if (audio !== null) found.set("audio", await this.#engine.read(audio));
    this.#engine.dispose(video, audio);
    return found;
  }

  /** The calls of passes with this prediction, by the name of the pass. */
  async calls(predicted: Predicted): Promise<ReadonlyMap<string, SeenCall>> {
    const seen = new Map<string, readonly [ModelInputs, Velocities]>();
    const { kept, prediction } = this.#keep(predicted);
    this.#watch = (pass, inputs, made) => seen.set(pass, [inputs, made]);
    const { made } = this.#engine.tidy(() => {
      this.#subject.step.loss(this.#ctx, this.#prepare(), prediction);
      return { made: [...seen.values()] };
    });
    this.#watch = null;
    const found = new Map<string, SeenCall>();
    for (const [pass, [inputs, { video, audio }]] of seen) {
      const of = async (tensor: Tensor | null) => (tensor === null ? null : await this.#engine.read(tensor));
      found.set(pass, {
        inputs: await this.#readInputs(inputs),
        predicted: { video: await of(video), audio: await of(audio) },
      });
    }
    const own = new Set(tensorsIn(this.#prepared));
    this.#engine.dispose(...tensorsIn(made).filter((tensor) => !own.has(tensor)), ...kept.values());
    return found;
  }

  get parts(): readonly PartShape[] {
    const modalities = modalityNames.flatMap((name) => {
      const latent = this.#prepared.inputs[name]?.latent;
      return latent === undefined ? [] : [{ name, shape: latent.shape }];
    });
    const outputs = this.#subject.step.strategy.outputs.map((output) => {
      const [samples = 0, tokens = 0] = targetShape(this.#prepared, output.modality);
      const width = output.kind === "linear" ? output.features : streamWidth;
      return { name: output.name, shape: [samples, tokens, width] };
    });
    return [...modalities, ...outputs];
  }

  /** Whether a reference takes part: those without a probability always do. */
  hasReference(modality: ModalityName, index: number): boolean {
    return this.#drawn.get(`${modality}.references[${index}]`) ?? true;
  }

  /** `[batch, token, channel]` and bool `[batch, token]` of the target; null for a modality that is not generated. */
  async generated(name: ModalityName): Promise<{ readonly target: HostTensor; readonly generated: HostTensor } | null> {
    const modality = this.#prepared[name];
    if (modality === null) return null;
    const read = (tensor: Tensor) => this.#engine.read(tensor);
    return { target: await read(modality.target), generated: await read(modality.generated) };
  }

  /** Everything that the model is given of both modalities; of text the features without the connectors. */
  async inputs(): Promise<ReadonlyMap<string, HostTensor>> {
    return this.#readInputs(this.#prepared.inputs);
  }

  async #readInputs(given: ModelInputs): Promise<ReadonlyMap<string, HostTensor>> {
    const found = new Map<string, HostTensor>();
    for (const name of modalityNames) {
      const inputs = given[name];
      if (inputs === null) continue;
      const { positions, enabled: _, twoLevels: __, ...tensors } = inputs;
      for (const [field, tensor] of Object.entries(tensors))
        if (tensor !== null) found.set(`${name}.${field}`, await this.#engine.read(tensor));
      found.set(`${name}.positions`, positions);
    }
    return found;
  }

  /** The terms of the loss that are looked at, by name, one number for each sample. */
  async losses(predicted: Predicted): Promise<ReadonlyMap<string, HostTensor>> {
    const { kept, prediction } = this.#keep(predicted);
    const terms = this.#engine.tidy(() => this.#subject.step.loss(this.#ctx, this.#prepare(), prediction));
    const found = new Map<string, HostTensor>();
    for (const { name } of this.#subject.program.terms) {
      const term = terms[name];
      if (term !== undefined) found.set(name, await this.#engine.read(term));
    }
    this.#engine.dispose(...new Set(Object.values(terms)), ...kept.values());
    return found;
  }

  /** The gradients of one loss term, summed over the samples. */
  async slope(term: string, predicted: Predicted): Promise<Slope> {
    const { kept, prediction } = this.#keep(predicted);
    const { ops } = this.#engine;
    const forward = () => {
      const loss = this.#subject.step.loss(this.#ctx, this.#prepare(), prediction)[term];
      if (loss === undefined) throw new Error(`the step has no loss ${term}`);
      return { loss: ops.sum(loss), outputs: { loss } };
    };
    const { loss, outputs, gradients } = this.#engine.differentiate(forward, [...kept.values()]);
    const read: (HostTensor | null)[] = [];
    for (const gradient of gradients) read.push(gradient === null ? null : await this.#engine.read(gradient));
    const slope = {
      loss: await this.#engine.read(outputs.loss),
      gradients: new Map([...kept.keys()].map((name, i) => [name, read[i] ?? null])),
    };
    this.#engine.dispose(loss, outputs.loss, ...gradients, ...kept.values());
    return slope;
  }

  /** Values by their key, as far as the step has them, with this prediction. */
  async values(keys: readonly string[], predicted: Predicted): Promise<ReadonlyMap<string, HostTensor>> {
    const { kept, prediction } = this.#keep(predicted);
    const probe = this.#engine.tidy(() => this.#subject.step.probe?.(this.#ctx, this.#prepare(), prediction) ?? {});
    const found = new Map<string, HostTensor>();
    for (const key of keys) {
      const shown = probe[key];
      if (shown !== undefined) found.set(key, isTensor(shown) ? await this.#engine.read(shown) : hostTensor(shown));
    }
    const own = new Set(tensorsIn(this.#prepared));
    this.#engine.dispose(...tensorsIn(probe).filter((tensor) => !own.has(tensor)), ...kept.values());
    return found;
  }

  close(): void {
    this.#engine.dispose(...tensorsIn(this.#prepared));
  }

  #keep(predicted: Predicted) {
    const kept = new Map([...predicted].map(([name, tensor]) => [name, this.#engine.keep(tensor)]));
    const outputs = Object.fromEntries([...kept].filter(([name]) => !/^(video|audio)$|\./.test(name)));
    this.#more = new Map([...kept].filter(([name]) => name.includes(".")));
    const prediction: Prediction = { video: kept.get("video") ?? null, audio: kept.get("audio") ?? null, outputs };
    return { kept, prediction };
  }
}
