"""Writes the golden cases of the group `passes`: one training step of the examples diffusion_dpo and guidance_distillation on a tiny LTX-2,
computed in PyTorch without ltxc. Run from this folder: python make_vectors.py
"""
import json
import os

import torch
from safetensors.torch import save_file
from tiny_ltx2 import check

MODEL = "transformer/video_double_precision_rope"
BATCH, CHANNELS, FRAMES, HEIGHT, WIDTH, TEXT = 2, 8, 2, 2, 3, 4
FPS, CELL = 24, (8, 32, 32)
RANK, ALPHA = 2, 4
TARGETS = ["attn1.to_q", "attn2.to_v", "ff.net.2"]

torch.manual_seed(7)
model, difference = check(f"../vectors/{MODEL}")
print(f"largest difference of the model to the recorded one: {difference:.1e}")


def drawn(*shape, spread=1.0):
    """Normal numbers that float32 holds exactly."""
    return (spread * torch.randn(*shape)).double()


def add_adapters():
    model.scale = ALPHA / RANK
    for name, weight in [*model.weights.items()]:
        layer = name.removesuffix(".weight")
        if name.startswith("transformer_blocks.") and any(layer.endswith(f".{target}") for target in TARGETS):
            out, width = weight.shape
            a, b = drawn(RANK, width, spread=0.3), drawn(out, RANK, spread=0.3)
            model.lora[layer] = a.requires_grad_(), b.requires_grad_()


def bounds():
    """[1, 3, T, 2]: seconds, and pixels down and across, of each latent cell; width is fastest."""
    f, h, w = torch.meshgrid(*(torch.arange(n) for n in (FRAMES, HEIGHT, WIDTH)), indexing="ij")
    edges = []
    for cell, size in zip((f, h, w), CELL):
        edges.append(torch.stack([cell.flatten() * size, (cell.flatten() + 1) * size], -1).float())
    edges[0] = (edges[0] + 1 - CELL[0]).clamp(min=0) / FPS
    return torch.stack(edges)[None]


def tokens(latents):
    """[B, C, F, H, W] as [B, T, C], width fastest."""
    return latents.flatten(2).transpose(1, 2)


add_adapters()
clips = {name: drawn(BATCH, CHANNELS, FRAMES, HEIGHT, WIDTH) for name in ("latents", "worse")}
texts = {name: drawn(BATCH, TEXT, model.width) for name in ("conditions", "empty")}
noise = drawn(BATCH, FRAMES * HEIGHT * WIDTH, CHANNELS)
sigma = torch.tensor([0.3, 0.8]).double()
level = sigma[:, None, None]


def predicted(clip, text, adapters=True):
    """The velocity that the model predicts of a noisy clip; without adapters a constant."""
    x = (1 - level) * tokens(clips[clip]) + level * noise
    model.has_adapters = adapters
    with torch.set_grad_enabled(adapters):
        return model.forward(x, sigma[:, None].expand(x.shape[:2]), sigma, bounds(), texts[text])


def mse(a, b):
    return (a - b).square().mean((1, 2))


def dpo(beta):
    def gain(clip):
        target = noise - tokens(clips[clip])
        return mse(predicted(clip, "conditions", adapters=False), target) - mse(predicted(clip, "conditions"), target)

    return -torch.nn.functional.logsigmoid(beta * (gain("latents") - gain("worse")))


def distillation(guidance):
    with_text, without = (predicted("latents", text, adapters=False) for text in ("conditions", "empty"))
    return mse(predicted("latents", "conditions"), without + guidance * (with_text - without))


def write(case, loss, params, sources):
    """Losses [B], and the gradients of their mean, which is what a step minimizes."""
    losses = loss(**params)
    adapters = {f"{layer}.lora_{part}.weight": x for layer, pair in model.lora.items() for part, x in zip("AB", pair)}
    gradients = torch.autograd.grad(losses.mean(), list(adapters.values()))
    inputs = {**{f"in.{name}": {**clips, **texts}[name] for name in sources}, "in.sigma": sigma}
    inputs.update({f"lora.{name}": x for name, x in adapters.items()})
    outputs = {"out.loss": losses, **{f"grad.{name}": x for name, x in zip(adapters, gradients)}}
    stored = {name: x.detach().float().contiguous() for name, x in {**inputs, "draw_00": noise, **outputs}.items()}
    described = {name: {"dtype": "F32", "shape": list(x.shape)} for name, x in stored.items()}
    manifest = {
        "case": case,
        "group": "passes",
        "called": "conformance/passes/make_vectors.py: one step in PyTorch, in float64; not the official trainer, which has no passes",
        "strategy": case,
        "params": params,
        "model": MODEL,
        "fps": FPS,
        "lora": {"rank": RANK, "alpha": ALPHA, "target_modules": TARGETS},
        "draws": [{"name": "draw_00", "kind": "randn", **described["draw_00"]}],
        "inputs": {name: described[name] for name in inputs},
        "outputs": {name: described[name] for name in outputs},
        "tolerance": {"loss": {"atol": 1e-5, "rtol": 1e-5}, "grad": {"atol": 1e-5, "rtol": 1e-4}},
    }
    folder = f"../vectors/passes/{case}"
    os.makedirs(folder, exist_ok=True)
    save_file(stored, f"{folder}/tensors.safetensors")
    with open(f"{folder}/manifest.json", "w") as file:
        json.dump(manifest, file, indent=1)
        file.write("\n")
    print(case, losses.tolist(), [round(x.abs().max().item(), 4) for x in gradients])


write("diffusion_dpo", dpo, {"beta": 3.0}, ["latents", "worse", "conditions"])
write("guidance_distillation", distillation, {"guidance": 4.0}, ["latents", "conditions", "empty"])
