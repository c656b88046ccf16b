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
    title: "The VAE's decoder is a diffusion model, and a convolutional one is needed",
    explanation:
      "LTX-2.5 has two files for its video VAE. The decoder of one is a small diffusion model, which `ltxc decode` and samples of a run use like any other. Where pixels are computed within a step, or the tensors of a file are those of a convolutional decoder though its config names another class, the convolutional one is needed: the file with `conv` in its name, which decodes the same latents.",
    bad: "model:\n  video_vae_path: ltx-2.5-video-vae.safetensors\n",
    good: "model:\n  video_vae_path: ltx-2.5-video-vae-conv.safetensors\n",
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
    title: "The file to be made is there already",
    explanation:
      "`ltxc decode` and `ltxc encode` replace nothing unless they are told to, since what lies there may have been made by another VAE or by hand. `ltxc encode --keep` leaves such files without an error and makes the others, which goes on after an interruption.",
    bad: "ltxc decode latents --vae ltx-2-19b-dev.safetensors\nltxc decode latents --vae ltx-2-19b-dev.safetensors\n",
    good: "ltxc decode latents --vae ltx-2-19b-dev.safetensors\nltxc decode latents --vae ltx-2-19b-dev.safetensors --force\n",
  },
  {
    code: "LTX6820",
    slug: "clip-unreadable",
    title: "A file can not be read as a video or picture",
    explanation:
      "The file is empty, damaged, a song with a cover, or something else. Pictures in the PNG format are read by ltxc, all else by `ffmpeg`, whose words end the message. Playlists and other files that name further files are not followed.",
    bad: "ltxc encode notes.txt --vae ltx-2-19b-dev.safetensors\n",
    good: "ltxc encode clip.mp4 --vae ltx-2-19b-dev.safetensors\n",
  },
  {
    code: "LTX6821",
    slug: "ffprobe-missing",
    title: "ffmpeg is not installed, and a file is read by it",
    explanation:
      "Videos, and pictures other than PNG, are read by the programs `ffprobe` and `ffmpeg`, which come together: on Debian and Ubuntu in the package `ffmpeg`. They are looked for in PATH.",
    bad: "ltxc encode clip.mp4 --vae ltx-2-19b-dev.safetensors\n",
    good: "apt-get install ffmpeg\nltxc encode clip.mp4 --vae ltx-2-19b-dev.safetensors\n",
  },
  {
    code: "LTX6822",
    slug: "clip-damaged",
    title: "A video is damaged, and was read as far as it goes",
    explanation:
      "ffmpeg could not decode all of the file, for example because a download or a copy was cut off. The frames that could be decoded are used. Look at them, or replace the file.",
    bad: "ltxc encode half-a-download.mp4 --vae ltx-2-19b-dev.safetensors\n",
    good: "ltxc encode whole.mp4 --vae ltx-2-19b-dev.safetensors\n",
  },
  {
    code: "LTX6823",
    slug: "picture-too-large",
    title: "A picture has more pixels than are read",
    explanation:
      "Pictures of up to 134,217,728 pixels are read, four times those of 8K video. Larger sizes are mostly those of damaged files; a picture that really is so large has to be made smaller before.",
    bad: "ltxc encode map-of-the-world.png --vae ltx-2-19b-dev.safetensors\n",
    good: "ffmpeg -i map-of-the-world.png -vf scale=4096:-1 smaller.png\nltxc encode smaller.png --vae ltx-2-19b-dev.safetensors\n",
  },
  {
    code: "LTX6824",
    slug: "clip-reading-stalls",
    title: "ffmpeg does not get on with a file",
    explanation:
      "The program that reads the file has done nothing for a minute or two, and was ended. The file is damaged, or the disk or network that it lies on does not answer.",
    bad: "ltxc encode /mnt/lost/clip.mp4 --vae ltx-2-19b-dev.safetensors\n",
    good: "cp /mnt/back/clip.mp4 .\nltxc encode clip.mp4 --vae ltx-2-19b-dev.safetensors\n",
  },
  {
    code: "LTX6825",
    slug: "clip-too-short",
    title: "A clip has fewer frames than the shortest bucket",
    explanation:
      "Each size of `--resolution-buckets` ends with a number of frames, and a clip is cut to it; frames are never added. A picture has one frame, for which there must be a bucket that ends with x1.",
    bad: 'ltxc encode picture.png --vae ltx-2-19b-dev.safetensors --resolution-buckets "768x512x49"\n',
    good: 'ltxc encode picture.png --vae ltx-2-19b-dev.safetensors --resolution-buckets "768x512x49;768x512x1"\n',
  },
  {
    code: "LTX6826",
    slug: "picture-too-small",
    title: "A picture is smaller than a latent cell",
    explanation:
      "A latent cell stands for 32 x 32 pixels. Without `--resolution-buckets` a picture keeps its size, and what does not fill cells is cut off; of a smaller one nothing would be left. With a bucket it is enlarged.",
    bad: "ltxc encode icon-16x16.png --vae ltx-2-19b-dev.safetensors\n",
    good: 'ltxc encode icon-16x16.png --vae ltx-2-19b-dev.safetensors --resolution-buckets "256x256x1"\n',
  },
  {
    code: "LTX6827",
    slug: "picture-mostly-cut",
    title: "More than half of each picture is cut off",
    explanation:
      "A picture is resized so that it covers the size it is brought to, and what stands out on two sides is cut off. Where the two shapes differ as much as upright and wide, little is left of it.",
    bad: 'ltxc encode upright.mp4 --vae ltx-2-19b-dev.safetensors --resolution-buckets "768x448x49"\n',
    good: 'ltxc encode upright.mp4 --vae ltx-2-19b-dev.safetensors --resolution-buckets "768x448x49;448x768x49"\n',
  },
  {
    code: "LTX6840",
    slug: "colour-profile-not-converted",
    title: "The colours of a picture are not converted",
    explanation:
      "A picture's ICC profile says what its numbers look like. Profiles of three curves and a matrix (sRGB, Display P3, Adobe RGB, ProPhoto) are converted to sRGB, as the official preprocessing does. Others, such as those of CMYK for printing and those made of tables, are not: the numbers are taken as sRGB, and colours look somewhat different.",
    bad: "ltxc encode for-printing.jpg --vae ltx-2-19b-dev.safetensors\n",
    good: "ltxc encode saved-as-srgb.jpg --vae ltx-2-19b-dev.safetensors\n",
  },
  {
    code: "LTX6841",
    slug: "picture-transparent",
    title: "A picture has transparency",
    explanation:
      "Latents have no transparency. As in the official preprocessing, it is left out, and pixels that cannot be seen get the colours that are stored under them: often black, or what an editor has erased.",
    bad: "ltxc encode cut-out.png --vae ltx-2-19b-dev.safetensors\n",
    good: "ltxc encode on-white.png --vae ltx-2-19b-dev.safetensors\n",
  },
  {
    code: "LTX6830",
    slug: "condition-not-encoded",
    title: "A sample is given pixels, and there is nothing to encode them",
    explanation:
      "`image_or_video`, `video` and `mask` of a sample may name a video or picture. It is encoded when the run starts, by the encoder of `model.video_vae_path` or of the checkpoint itself. The message ends with why that can not be.",
    bad: "model:\n  model_path: transformer.safetensors\nvalidation:\n  samples:\n    - conditions_file: data/conditions/clip.pt\n      conditions: [{type: first_frame, image_or_video: first.png}]\n",
    good: "model:\n  model_path: transformer.safetensors\n  video_vae_path: video-vae-conv.safetensors\nvalidation:\n  samples:\n    - conditions_file: data/conditions/clip.pt\n      conditions: [{type: first_frame, image_or_video: first.png}]\n",
  },
  {
    code: "LTX6831",
    slug: "samples-not-decoded",
    title: "Samples will not be decoded to videos",
    explanation:
      "Samples are decoded by the video VAE of `model.video_vae_path` or of the checkpoint itself. The message ends with why that can not be. A picture with a tile per channel of the latents takes the place of a video; the latents are kept in `samples/latents`, and `ltxc decode` makes videos of them later.",
    bad: "model:\n  model_path: transformer.safetensors\n",
    good: "model:\n  model_path: transformer.safetensors\n  video_vae_path: video-vae-conv.safetensors\n",
  },
  {
    code: "LTX6832",
    slug: "samples-without-ffmpeg",
    title: "Samples will be pictures, since ffmpeg is not installed",
    explanation:
      "Videos are written by the program `ffmpeg`, which the system must have. Without it, a sample is a picture of five of its frames. Nothing else of the run needs it.",
    bad: "ltxc run\n",
    good: "apt-get install ffmpeg\nltxc run\n",
  },
  {
    code: "LTX6833",
    slug: "network-file-unfit",
    title: "A network's file does not hold its layers",
    explanation:
      "A strategy lists the layers of a network of its own, and its file holds the weights of each, under the names of PyTorch's `nn.Sequential`: `0.weight`, `0.bias`, `2.weight`, counted from 0, activations among them. A `linear 64` on 128 channels has a weight [64, 128], a `conv 16 1x3x3` one of [16, 128, 1, 3, 3]. `prefix` in the strategy names what stands in front, as in `head.0.weight`.",
    bad: "networks:\n  judge: {architecture: [linear 64, gelu, linear 16], from: judge.safetensors}   # of a [linear 32, gelu, linear 16]\n",
    good: "networks:\n  judge: {architecture: [linear 32, gelu, linear 16], from: judge.safetensors}\n",
  },
  {
    code: "LTX6834",
    slug: "network-of-other-width",
    title: "A network takes values of another width",
    explanation:
      "What a network is given has as many channels as the model's latents, its streams (`hidden`) or pixels have, and the network's first layer takes another number. Most often its file belongs to another model.",
    bad: "runtime: {networks: {judge: /models/judge-of-16-channels.safetensors}}\n",
    good: "runtime: {networks: {judge: /models/judge-of-128-channels.safetensors}}\n",
  },
  {
    code: "LTX6835",
    slug: "network-draws-noise",
    title: "A video VAE draws noise while it decodes",
    explanation:
      "Decoders with `timestep_conditioning` or `inject_noise` in their config draw noise, so two decodings of the same latents differ, and a loss between them is never 0. No published video VAE of LTX-2 does so; `ltxc decode` runs them.",
    bad: "model: {model_path: ltx-2-19b-dev.safetensors, video_vae_path: ltx-video-0.9-vae.safetensors}\n",
    good: "model: {model_path: ltx-2-19b-dev.safetensors}\n",
  },
] as const satisfies readonly Entry[];
