/** The part of the schema of `.strategy` files that is about networks. */
import { insideRoot, object, text, type Schema } from "./schema-parts.ts";

const cells = (description: string): Schema => ({
  type: "integer",
  title: "a whole number above 0",
  minimum: 1,
  description,
});

const layers = "layers such as `[linear 64, gelu, linear 16]`";

export const network = object(
  "A network whose weights are not trained; gradients pass through it to what it is given.",
  {
    architecture: {
      type: ["string", "array"],
      title: `\`ltx_video_decoder\`, \`ltx_video_encoder\`, or ${layers}`,
      minItems: 1,
      items: text("A layer.", {
        title: "a layer such as `linear 64`",
        examples: ["linear 64", "gelu", "conv 16 1x3x3"],
      }),
      description: "The video VAE's decoder (latents to pixels) or encoder, or a list of layers.",
      examples: ["ltx_video_decoder", "ltx_video_encoder", ["linear 64", "gelu", "linear 16"]],
    },
    from: text(
      "The safetensors file with its weights, below `data.preprocessed_data_root`; by default the run's own checkpoint, for its video VAE.",
      {
        title: "a file inside the data root, without a leading `/` and without `..`",
        pattern: insideRoot,
        examples: ["vae.safetensors", "${probe}"],
      },
    ),
    prefix: text("Of layers: what their names in the file begin with, as in `head.0.weight`.", { examples: ["head."] }),
    window: object(
      "Of `ltx_video_decoder`: decodes only so many latent cells in each step, at a place that is drawn anew.",
      {
        frames: cells("Latent frames."),
        height: cells("Rows of latent cells."),
        width: cells("Columns of latent cells."),
      },
      { minProperties: 1, examples: [{ frames: 2, height: 8, width: 8 }] },
    ),
    type: text("What it takes and gives; by default what its architecture says.", {
      examples: ["(x: tokens:video) -> f32[batch, token:video, feature]"],
    }),
  },
);
