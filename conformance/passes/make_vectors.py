"""Writes vectors.json: one training step of the examples diffusion_dpo and guidance_distillation on a linear model, in PyTorch.

The model is y = (W + scale * B A) x + sigma * u + mean(context) * v for each token, with the LoRA B A or without. Run from this folder:
python make_vectors.py
"""
import json

import torch

torch.manual_seed(7)
BATCH, CHANNELS, RANK, FRAMES, HEIGHT, WIDTH = 2, 3, 2, 2, 2, 2
TOKENS = FRAMES * HEIGHT * WIDTH
SCALE, BETA, GUIDANCE = 0.5, 3.0, 4.0


def tokens(latents):
    """[B, C, F, H, W] as [B, T, C], w fastest."""
    return latents.flatten(2).transpose(1, 2)


winner, loser = (torch.randn(BATCH, CHANNELS, FRAMES, HEIGHT, WIDTH) for _ in range(2))
noise = torch.randn(BATCH, TOKENS, CHANNELS)
sigma = torch.tensor([0.3, 0.8])
texts = {"conditions": torch.randn(BATCH, 4, 3), "empty": torch.randn(BATCH, 4, 3)}
W, u, v = torch.randn(CHANNELS, CHANNELS), torch.randn(CHANNELS), torch.randn(CHANNELS)
A = torch.randn(RANK, CHANNELS, requires_grad=True)
B = torch.randn(CHANNELS, RANK, requires_grad=True)


def model(x, text, adapters=True):
    y = x @ W.T + sigma[:, None, None] * u + texts[text].mean((1, 2))[:, None, None] * v
    return y + SCALE * (x @ A.T @ B.T) if adapters else y


def base(x, text):
    with torch.no_grad():
        return model(x, text, adapters=False)


def noisy(latents):
    level = sigma[:, None, None]
    return (1 - level) * tokens(latents) + level * noise


def mse(a, b):
    return (a - b).square().mean((1, 2))


def dpo():
    def gain(latents):
        x, target = noisy(latents), noise - tokens(latents)
        return mse(base(x, "conditions"), target) - mse(model(x, "conditions"), target)

    return -torch.nn.functional.logsigmoid(BETA * (gain(winner) - gain(loser)))


def distillation():
    x = noisy(winner)
    with_text, without = base(x, "conditions"), base(x, "empty")
    return mse(model(x, "conditions"), without + GUIDANCE * (with_text - without))


def step(loss):
    terms = loss()
    gradients = torch.autograd.grad(terms.mean(), [A, B])
    return {"terms": terms.tolist(), "A": gradients[0].flatten().tolist(), "B": gradients[1].flatten().tolist()}


def plain(x):
    return {"shape": list(x.shape), "data": x.detach().flatten().tolist()}


inputs = {"winner": winner, "loser": loser, "noise": noise, "sigma": sigma, "W": W, "u": u, "v": v, "A": A, "B": B, **texts}
vectors = {
    "scale": SCALE,
    "beta": BETA,
    "guidance": GUIDANCE,
    "inputs": {name: plain(x) for name, x in inputs.items()},
    "diffusion_dpo": step(dpo),
    "guidance_distillation": step(distillation),
}
with open("vectors.json", "w") as file:
    json.dump(vectors, file, indent=1)
    file.write("\n")
