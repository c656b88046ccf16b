"""LTX-2's transformer for video alone, in PyTorch and float64, as far as the model of the vectors needs it: split rotary embedding from a
float64 grid, gated attention, modulated text attention. Independent of ltxc: written from the model's description, and `check` compares it
with what the official code gave."""
import json
import math

import torch
from safetensors import safe_open

EPS = 1e-6


class TinyLtx2:
    def __init__(self, folder):
        with safe_open(f"{folder}/weights.safetensors", "pt") as file:
            self.config = json.loads(file.metadata()["config"])["transformer"]
            self.weights = {name: file.get_tensor(name).double() for name in file.keys()}
        self.heads, self.width = self.config["num_attention_heads"], self.weights["patchify_proj.bias"].shape[0]
        # By layer: A [rank, in] and B [out, rank].
        self.lora, self.scale, self.has_adapters = {}, 1.0, True

    def linear(self, name, x):
        y = x @ self.weights[f"{name}.weight"].T
        if f"{name}.bias" in self.weights:
            y = y + self.weights[f"{name}.bias"]
        if self.has_adapters and name in self.lora:
            a, b = self.lora[name]
            y = y + self.scale * (x @ a.T @ b.T)
        return y

    def timestep(self, name, level):
        """Level [...] -> modulation [..., n, width] and the embedding before it."""
        steps = torch.arange(128, dtype=torch.float32) * torch.tensor(-math.log(10000.0), dtype=torch.float32) / 128
        angles = (level.float() * self.config["timestep_scale_multiplier"])[..., None] * torch.exp(steps.double()).float()
        waves = torch.cat([angles.cos(), angles.sin()], -1).double()
        hidden = torch.nn.functional.silu(self.linear(f"{name}.emb.timestep_embedder.linear_1", waves))
        embedded = self.linear(f"{name}.emb.timestep_embedder.linear_2", hidden)
        rows = self.linear(f"{name}.linear", torch.nn.functional.silu(embedded))
        return rows.unflatten(-1, (-1, self.width)), embedded

    def rope(self, positions):
        """Bounds [B, 3, T, 2] -> cosines and sines [B, heads, T, head width / 2]."""
        count = self.width // 6
        grid = 10000.0 ** (torch.arange(count, dtype=torch.float64) / (count - 1)) * math.pi / 2
        most = torch.tensor(self.config["positional_embedding_max_pos"], dtype=torch.float32)[None, :, None]
        middle = (positions.float()[..., 0] + positions.float()[..., 1]) / 2
        # [B, T, frequency, axis], every step rounded to float32.
        angles = grid.float()[:, None] * (2 * (middle / most) - 1).transpose(1, 2)[:, :, None, :]
        halves = angles.double().flatten(2).unflatten(2, (self.heads, -1)).transpose(1, 2)
        return halves.cos(), halves.sin()

    def attention(self, name, x, context, tables=None):
        q, k = (self.normed(f"{name}.{part}", y) for part, y in (("q", x), ("k", context)))
        q, k, v = (self.split(y) for y in (q, k, self.linear(f"{name}.to_v", context)))
        if tables is not None:
            q, k = turned(q, *tables), turned(k, *tables)
        weights = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), -1)
        gate = 2 * torch.sigmoid(self.linear(f"{name}.to_gate_logits", x))
        return self.linear(f"{name}.to_out.0", ((weights @ v).transpose(1, 2) * gate[..., None]).flatten(2))

    def normed(self, name, x):
        attention, part = name.rsplit(".", 1)
        return rms(self.linear(f"{attention}.to_{part}", x)) * self.weights[f"{attention}.{part}_norm.weight"]

    def split(self, x):
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)

    def forward(self, latent, timesteps, sigma, positions, context):
        """Latent [B, T, C], noise levels [B, T] and [B], bounds [B, 3, T, 2], text [B, S, width] -> velocity [B, T, C]."""
        x = self.linear("patchify_proj", latent)
        rows, embedded = self.timestep("adaln_single", timesteps)
        of_text, _ = self.timestep("prompt_adaln_single", sigma)
        tables = self.rope(positions)
        for i in range(self.config["num_layers"]):
            x = self.block(f"transformer_blocks.{i}", x, context, (rows, of_text[:, None], tables))
        centred = torch.nn.functional.layer_norm(x, (self.width,), eps=EPS)
        shift, scale = (self.weights["scale_shift_table"][j] + embedded for j in range(2))
        return self.linear("proj_out", centred * (1 + scale) + shift)

    def block(self, name, x, context, given):
        rows, of_text, tables = given
        m = [self.weights[f"{name}.scale_shift_table"][j] + rows[:, :, j] for j in range(9)]
        shift, scale = (self.weights[f"{name}.prompt_scale_shift_table"][j] + of_text[:, :, j] for j in range(2))
        inner = rms(x) * (1 + m[1]) + m[0]
        x = x + self.attention(f"{name}.attn1", inner, inner, tables) * m[2]
        x = x + self.attention(f"{name}.attn2", rms(x) * (1 + m[7]) + m[6], context * (1 + scale) + shift) * m[8]
        hidden = self.linear(f"{name}.ff.net.0.proj", rms(x) * (1 + m[4]) + m[3])
        return x + self.linear(f"{name}.ff.net.2", torch.nn.functional.gelu(hidden, approximate="tanh")) * m[5]


def rms(x):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS)


def turned(x, cos, sin):
    """The halves of each head as real and imaginary parts, turned by the angles."""
    first, second = x.chunk(2, -1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)


def check(folder):
    """The model of the golden case in `folder` gives what the official code gave; returns the model and the largest difference."""
    model = TinyLtx2(folder)
    with safe_open(f"{folder}/tensors.safetensors", "pt") as file:
        stored = {name: file.get_tensor(name).double() for name in file.keys()}
    given = [stored[f"in.video.{name}"] for name in ("latent", "timesteps", "sigma", "positions", "context")]
    difference = (model.forward(*given) - stored["out.video"]).abs().max().item()
    assert difference < 3e-5, f"the model differs from the recorded one by {difference}"
    return model, difference
