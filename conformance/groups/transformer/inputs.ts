import type { ModalityInputs, ModelInputs, Tensor } from "../../../runtime/contract.ts";
import type { Engine } from "../../../runtime/engine/engine.ts";
import { golden, type Case } from "../../case.ts";
import { toHost } from "../../golden-batch.ts";

export interface ReplayInputs {
  readonly inputs: ModelInputs;
  /** The uploaded inputs by their recorded name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** The tensors that `uploadInputs` takes. */
export const inputNames =
  /^in\.(video|audio)\.(latent|sigma|timesteps|positions|context|context_mask|attention_mask|keyframes_mask)$/;

/** The model inputs of a case, `in.<modality>.<field>`. */
export function uploadInputs({ tensors, manifest }: Case, engine: Engine): ReplayInputs {
  const uploaded = new Map<string, Tensor>();
  const optional = (name: string) => {
    const stored = tensors.get(name);
    if (stored === undefined) return null;
    const tensor = engine.keep(toHost(stored));
    uploaded.set(name, tensor);
    return tensor;
  };
  const required = (name: string) => {
    const tensor = optional(name);
    if (tensor === null) throw new Error(`the case has no tensor ${name}`);
    return tensor;
  };
  const modality = (name: "video" | "audio"): ModalityInputs | null => {
    const prefix = `in.${name}.`;
    if (![...tensors.keys()].some((stored) => stored.startsWith(prefix))) return null;
    return {
      latent: required(`${prefix}latent`),
      sigma: required(`${prefix}sigma`),
      timesteps: required(`${prefix}timesteps`),
      positions: toHost(golden(tensors, `${prefix}positions`)),
      context: required(`${prefix}context`),
      contextMask: optional(`${prefix}context_mask`),
      attentionMask: optional(`${prefix}attention_mask`),
      keyframesMask: optional(`${prefix}keyframes_mask`),
      enabled: manifest["scalars"]?.[`${name}.enabled`] ?? true,
    };
  };
  return { inputs: { video: modality("video"), audio: modality("audio") }, tensors: uploaded };
}
