import type { Entry } from "./entry.ts";

/** Video VAEs, and pictures and videos that are read or written. */
export const entries = [
  {
    code: "LTX6801",
    slug: "vae-config-value",
    title: "The video VAE is built in a way that ltxc does not implement",
    explanation:
      "The section `vae` of a file's config lists the blocks of the video VAE, its widths and how convolutions go on at the edges. A block, norm or padding that no published file of LTX-2 has, or a width that does not divide as a block demands, means another model or damaged metadata.",
    bad: "ltxc decode latents --vae edited-vae.safetensors\n",
    good: "ltxc decode latents --vae ltx-2-19b-dev.safetensors\n",
  },
  {
    code: "LTX6802",
    slug: "vae-diffusion-decoder",
    title: "The VAE's decoder is a diffusion model",
    explanation:
      "LTX-2.5 has two files for its video VAE. The decoder of one is a small diffusion model, which this version does not run. The other, with `conv` in its name, decodes the same latents by convolutions.",
    bad: "ltxc decode latents --vae ltx-2.5-video-vae.safetensors\n",
    good: "ltxc decode latents --vae ltx-2.5-video-vae-conv.safetensors\n",
  },
  {
    code: "LTX6803",
    slug: "vae-half-missing",
    title: "A file lacks the half of the video VAE that is needed",
    explanation:
      "Latents become pixels by the decoder of a video VAE, and pixels become latents by its encoder. The file holds only the other half, or none: the transformer of LTX-2.5, for example, is a file of its own.",
    bad: "ltxc decode latents --vae ltx-2.5-transformer.safetensors\n",
    good: "ltxc decode latents --vae ltx-2.5-video-vae-conv.safetensors\n",
  },
] as const satisfies readonly Entry[];
