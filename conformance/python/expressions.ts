/** Strategies that use every operation of the language, for a comparison of the back ends. */

const head = (name: string): string => `strategy: ${name}
params:
  strength: {type: number, default: 0.3}
  count: {type: integer, default: 2, minimum: 1}
  flag: {type: boolean, default: true}
  region: {type: array, items: {type: integer}, default: [20, 40, 90, 100], minItems: 4}
sources:
  latents: {directory: latents, kind: video_latents}
  sounds: {directory: sounds, kind: audio_latents}
  near: {directory: near, kind: video_latents}
  voice: {directory: voice, kind: audio_latents}
  hole: {directory: hole, kind: video_mask}
  features: {directory: features, kind: tensor, key: features, axes: [token:video, feature]}
  conditions: {directory: conditions, kind: text_embeddings}
`;

const v = "video.prediction";

/** Each is a loss term over video. */
const terms = [
  `mean(abs(${v}) + floor(${v} * 3) + square(${v}) + tanh(${v}) + sigmoid(${v}) + sin(${v}) - cos(${v}))`,
  `mean(sqrt(abs(${v}) + 0.1) + exp(${v} / 3) + log(abs(${v}) + 1) + (abs(${v}) + 0.5) ^ 1.7 + 2 ^ ${v})`,
  `mean(max(${v}, video.target) * min(${v}, 0.4) + clamp(${v}, -0.5, strength) + max(0.1, ${v}))`,
  `mean(if ${v} > video.target then ${v} else 2) + mean(where(${v} == 0 or ${v} != 1, 1, 0) * ${v})`,
  `mean(if flag then ${v} else mean(${v}, channel)) + mean(where(flag and video.frames > 1, 1, 0.5) * ${v})`,
  `mean(if progress > 0.4 then ${v} * global_step else video.target * mean(${v}, token))`,
  `mean(stop_gradient(${v}) * ${v}) + sum(norm(${v}, channel), token) / 100 + snr(video.sigma) * mean(${v})`,
  `mean(max(${v}, channel)) + min(${v}) * max(${v}, token, channel) + mean(sum(grid(${v}), height, width))`,
  `mean(float(any(${v} > 1, channel)) * mean(${v}, channel)) + mean(float(all(hole > 0.5, token)) * ${v})`,
  `huber(${v}, video.target, 0.5) over hole over video.generated`,
  `charbonnier(${v}, video.target) over all + mae(${v}, video.clean) over (video.generated and not video.first_frame)`,
  `cosine_distance(${v}, video.target) over hole * (1 + strength / count)`,
  `mean(blur(${v}, 1.3) * video.target) + mean(blur(hole, 0.7) * ${v}) + mean(float(dilate(hole > 0.5, 1)) * ${v})`,
  `mean(${v} * shift(${v}, frame, 1)) + mean(shift(grid(${v}), width, -2) * grid(${v})) + mean(dilate(${v}, 1))`,
  `mean(concat(${v}, video.target, channel) * 2) + mean(square(concat(${v}, ${v}, token)))`,
  `mean(${v} * (video.frame_index + video.row * video.column + video.time)) / video.height`,
  `mean(features) * mean(${v}) + mean(${v} * float(video.crop(region[0], region[1], region[2], region[3])))`,
  `mean(${v} * uniform(0.5, strength + 1) * float(bernoulli(0.4) per frame)) + mean(${v} * randint(1, 4) per token:video)`,
  `mean(${v} * (latents.fps / 24 + video.fps * 0.01)) + mean(${v} * float(latents.fps > 23))`,
  `abs(-strength) ^ 0.5 * sqrt(count) * exp(strength) * log(count + 1) * mean(${v}) * max(count, 3) / (count - 5)`,
  `mean(mean(${v}, token) * mean(near, frame, height, width)) + mean(voice) * mean(${v} * near.frames)`,
];

const modalities = (video: string, audio: string): string => `video:
  latents: latents
${video}audio:
  latents: sounds
${audio}loss:
`;

const losses = (list: readonly string[]): string => list.map((term, i) => `  t${i}: ${term}\n`).join("");

/** Terms in groups, with modalities that are written in many ways. */
export const expressionStrategies: readonly { readonly path: string; readonly text: string }[] = [
  head("elements") +
    modalities(
      "  keep:\n    - prefix(count)\n    - bernoulli(0.3) per token with probability 0.5\n",
      "  sigma: video.sigma\n",
    ) +
    losses([...terms.slice(0, 9).map((term) => `${term}`), "mse(audio.prediction, audio.target)"]).replaceAll(
      "target)\n",
      "target) over all\n",
    ),
  head("weights") +
    modalities(
      "  noise_mask: hole > 0.5\n  sigma: sampled() per frame\n  noise: randn() + strength * randn() per (frame, channel)\n",
      "  sigma: shifted_logit_normal(std=0.7, eps=0.01, uniform_prob=strength)\n  keep: suffix(count)\n  noise: blurry(randn())\n",
    ).replace("loss:", "let:\n  blurry(x): x * 0.5 + shift(x, step, 1) / 2\nloss:") +
    losses([
      ...terms.slice(9),
      "mse(audio.prediction, audio.target) over audio.generated",
      "mean(audio.prediction * (audio.time + audio.step_index))",
    ]),
  head("sequences") +
    modalities(
      "  references:\n    - near with probability progress * 0.5 + 0.5\n  sigma: uniform(0.1, 0.9) per token\n  attention: if from(near) and key(row == 1) then 0.25 else exp(-abs(time - key(time)) - float(hole > 0.5) * key(column))\n  keyframes: frame_index < count\n  noisy: clean * (1 - sigma) ^ 2 + noise * sigma\n  target: noise - 2 * clean\n  denoised: noisy - timesteps * prediction\n",
      "  references: [voice]\n  attention: (time >= key(time) or from(voice)) or step_index == key(step_index) and not key(from(voice))\n",
    ) +
    losses([
      "mse(video.prediction, video.target)",
      "mean(square(video.denoised - video.clean)) * mean(near)",
      "mse(audio.prediction, audio.target)",
    ]),
  head("samples") +
    modalities(
      "  fps: max(10, uniform(12, 30) * 0.5 + randint(1, 9))\n  noise: assigned(randn(), clean)\n  keep: first_frame with probability 0.5\n",
      "  noise: randn()\n",
    ) +
    losses([
      `mean((${v} - others(video.target))^2) - mean(exp(-(mean(${v}) - others(mean(${v})))^2), other)`,
      "mean(float(any(others(video.keep), other)) * video.time * mean(video.prediction, channel))",
      "mean(others(latents) * grid(video.prediction)) + mean(others(video.fps) - video.fps) * mean(video.prediction)",
      "mse(audio.prediction, audio.target)",
    ]),
  head("noised") +
    modalities(
      '  references:\n    - {source: near, probability: 0.5, sigma: "uniform(0, 0.2) per frame", noise: "randn() + strength * randn() per (frame, channel)"}\n',
      '  references:\n    - {source: voice, sigma: "0.1 * audio.sigma"}\n',
    ) +
    losses([
      "mean(near.timesteps) * mse(video.prediction, video.target) + mean(near.noisy * near.sigma)",
      "mse(audio.prediction, audio.target) + mean(voice.noise)",
    ]),
  head("rounding") +
    modalities("  keep: mod(frame_index, 2) == 1 with probability ceil(strength) - 0.5\n", "  noise: randn()\n") +
    losses([
      `mean(ceil(${v} * 3) + round(${v} * 3) + mod(${v}, 0.3) + sign(${v}) * ${v} + softplus(${v} * 30))`,
      `mean(quantile(${v}, 0.9, token) * 2) + quantile(${v}, strength) + mean(quantile(grid(${v}), 0.5, height, width))`,
      "mse(video.prediction, video.target) over video.generated",
      "mse(audio.prediction, audio.target)",
    ]),
].map((text, i) => ({ path: `expressions${i}.strategy`, text }));
