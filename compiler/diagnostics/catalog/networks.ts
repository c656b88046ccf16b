/** Strategies with networks, for the examples of findings. */

export const strategy = (networks: string, loss: string): string =>
  `strategy: example\nsources:\n  latents: {directory: latents, kind: video_latents}\n  conditions: {directory: conditions, kind: text_embeddings}\nnetworks:\n${networks}video:\n  latents: latents\nloss:\n  video: mse(video.prediction, video.target)\n  more: ${loss}\n`;
export const pixels = "mae(decode(video.denoised), decode(video.clean))";
export const decoder = (more = ""): string => `  decode: {architecture: ltx_video_decoder${more}}\n`;
export const judged = "mse(judge(video.denoised), judge(video.clean))";
export const judge = (layers = "linear 64, gelu, linear 16", more = ", from: judge.safetensors"): string =>
  `  judge: {architecture: [${layers}]${more}}\n`;
