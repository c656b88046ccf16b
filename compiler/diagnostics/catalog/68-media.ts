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
  {
    code: "LTX6810",
    slug: "ffmpeg-missing",
    title: "ffmpeg is not installed",
    explanation:
      "Videos are written by the program `ffmpeg`, which the system must have: on Debian and Ubuntu the package `ffmpeg`. It is looked for in PATH. Latents of one frame become a .png without it.",
    bad: "ltxc decode latents --vae ltx-2-19b-dev.safetensors\n",
    good: "apt-get install ffmpeg\nltxc decode latents --vae ltx-2-19b-dev.safetensors\n",
  },
  {
    code: "LTX6811",
    slug: "ffmpeg-failed",
    title: "ffmpeg could not do its part",
    explanation:
      "The message ends with what ffmpeg said. Most often the disk is full, or this build of ffmpeg has no encoder for H.264 (`libx264`). Nothing that was there before is touched.",
    bad: "ltxc decode latents --vae ltx-2-19b-dev.safetensors --out /mnt/full\n",
    good: "ltxc decode latents --vae ltx-2-19b-dev.safetensors --out /mnt/other\n",
  },
  {
    code: "LTX6812",
    slug: "no-video-latents",
    title: "A file holds no video latents that this VAE decodes",
    explanation:
      "Video latents have four axes: channels, frames, height and width, in latent cells. In a safetensors file they are the tensor `video`, as samples of a run have it, or `latents`. A VAE decodes latents with its own number of channels, 128 in every published file, and all of their numbers must be finite.",
    bad: "ltxc decode outputs/checkpoints/lora_weights_step_00250.safetensors --vae ltx-2-19b-dev.safetensors\n",
    good: "ltxc decode outputs/samples/step_000250_1.safetensors --vae ltx-2-19b-dev.safetensors\n",
  },
  {
    code: "LTX6813",
    slug: "frame-rate-impossible",
    title: "A file has a frame rate that no video has",
    explanation:
      "`fps` in a file of latents says how many frames are shown in a second. Videos are written with rates from 0.01 to 1000.",
    bad: "fps: 0.0\n",
    good: "fps: 24.0\n",
  },
  {
    code: "LTX6814",
    slug: "decoded-file-exists",
    title: "The video or picture is there already",
    explanation:
      "`ltxc decode` replaces nothing unless it is told to, since what lies there may have been made by another VAE or by hand.",
    bad: "ltxc decode latents --vae ltx-2-19b-dev.safetensors\nltxc decode latents --vae ltx-2-19b-dev.safetensors\n",
    good: "ltxc decode latents --vae ltx-2-19b-dev.safetensors\nltxc decode latents --vae ltx-2-19b-dev.safetensors --force\n",
  },
] as const satisfies readonly Entry[];
