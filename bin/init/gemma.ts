/**
 * A text encoder's folder for the tiny model. The official trainer reads sizes from its config at every start; of the other files it
 * only wants to see that they are there.
 */
import type { ProjectFile } from "./project-file.ts";

/** Where it lies in a project. */
export const gemmaFolder = "models/gemma";

const config = {
  architectures: ["Gemma3ForConditionalGeneration"],
  model_type: "gemma3",
  text_config: {
    model_type: "gemma3_text",
    hidden_size: 16,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    head_dim: 8,
    intermediate_size: 32,
    max_position_embeddings: 1024,
    query_pre_attn_scalar: 8,
    sliding_window: 512,
    vocab_size: 64,
  },
};

export const gemmaFiles: readonly ProjectFile[] = [
  { path: `${gemmaFolder}/config.json`, content: `${JSON.stringify(config, null, 2)}\n` },
  ...["tokenizer.json", "tokenizer_config.json", "processor_config.json"].map((name) => ({
    path: `${gemmaFolder}/${name}`,
    content: "{}\n",
  })),
  { path: `${gemmaFolder}/model.safetensors`, content: "" },
];
