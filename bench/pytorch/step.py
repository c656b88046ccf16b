"""
The other side: the same step in PyTorch, with fused attention. Arguments: folder, layers, heads, steps, kind: "f32" (all in float32),
"cast" (bfloat16 weights, widened where they are used) or "bf16" (bfloat16 weights and autocast, as the official trainer runs it).
"""
import json
import math
import mmap
import re
import struct
import sys
import time

import torch
from torch.nn.functional import gelu, layer_norm, linear, scaled_dot_product_attention, silu

SIGMA, LEARNING_RATE, EPS = 0.7, 1e-3, 1e-6
TYPES = {"F32": torch.float32, "BF16": torch.bfloat16}


def read(path):
    """All tensors of a safetensors file, on top of the mapped file."""
    with open(path, "rb") as file:
        memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    (length,) = struct.unpack("<Q", memory[:8])
    tensors = {}
    for name, entry in json.loads(memory[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        start, _ = entry["data_offsets"]
        count = math.prod(entry["shape"])
        flat = torch.frombuffer(memory, dtype=TYPES[entry["dtype"]], count=count, offset=8 + length + start)
        tensors[name] = flat.reshape(entry["shape"])
    return tensors


class Widened(torch.autograd.Function):
    """A linear layer over a bfloat16 weight, widened on the way forth and again on the way back."""

    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(weight)
        return linear(x, weight.float(), bias)

    @staticmethod
    def backward(ctx, dy):
        (weight,) = ctx.saved_tensors
        return dy @ weight.float(), None, None


class Model:
    def __init__(self, weights, adapters, layers, heads, tables, widens):
        self.w, self.adapters, self.layers, self.heads, self.tables = weights, adapters, layers, heads, tables
        self.widens = widens

    def linear(self, name, x):
        weight, bias = self.w[name + ".weight"], self.w.get(name + ".bias")
        widens = self.widens and weight.dtype == torch.bfloat16
        y = Widened.apply(x, weight, bias) if widens else linear(x, weight, bias)
        if name + ".lora_A.weight" in self.adapters:
            a, b = self.adapters[name + ".lora_A.weight"], self.adapters[name + ".lora_B.weight"]
            y = y + linear(linear(x, a), b)
        return y

    def adaln(self, name, t, rows):
        i = torch.arange(128, dtype=torch.float32)
        frequencies = torch.exp(-math.log(10000) * i / 128)
        angles = t.reshape(-1, 1) * frequencies
        hidden = silu(self.linear(name + ".emb.timestep_embedder.linear_1", torch.cat([angles.cos(), angles.sin()], 1)))
        embedded = self.linear(name + ".emb.timestep_embedder.linear_2", hidden)
        table = self.linear(name + ".linear", silu(embedded))
        return table.reshape(1, t.numel(), rows, -1), embedded.reshape(1, t.numel(), -1)

    def attention(self, name, x, context, rope=None, key_rope=None):
        q = norm(self.linear(name + ".to_q", x)) * self.w[name + ".q_norm.weight"]
        k = norm(self.linear(name + ".to_k", context)) * self.w[name + ".k_norm.weight"]
        v = split(self.linear(name + ".to_v", context), self.heads)
        q, k = split(q, self.heads), split(k, self.heads)
        if rope is not None:
            q, k = rotate(q, *rope), rotate(k, *(key_rope or rope))
        o = scaled_dot_product_attention(q, k, v.to(q.dtype)).transpose(1, 2)
        gate = 2 * torch.sigmoid(self.linear(name + ".to_gate_logits", x))
        return self.linear(name + ".to_out.0", (o * gate.unsqueeze(3)).flatten(2))

    def stream(self, name, batch, other_sigma):
        own = "" if name == "video" else "audio_"
        t = 1000 * batch["timesteps"]
        rows, embedded = self.adaln(own + "adaln_single", t, 9)
        prompt, _ = self.adaln(own + "prompt_adaln_single", 1000 * batch["sigma"], 2)
        cross, _ = self.adaln(f"av_ca_{name}_scale_shift_adaln_single", t, 4)
        direction = "a2v" if name == "video" else "v2a"
        gate, _ = self.adaln(f"av_ca_{direction}_gate_adaln_single", 1000 * other_sigma, 1)
        x = self.linear(own + "patchify_proj", batch["noisy"])
        return dict(name=name, own=own, rows=rows, embedded=embedded, prompt=prompt, cross=cross, gate=gate, x=x, context=batch["context"])

    def attend(self, block, s):
        row = lambda i: s["rows"][:, :, i] + self.w[block + s["own"] + "scale_shift_table"][i]
        prompt = lambda i: s["prompt"][:, :, i] + self.w[block + s["own"] + "prompt_scale_shift_table"][i]
        x = s["x"]
        z = norm(x) * (1 + row(1)) + row(0)
        x = x + self.attention(block + s["own"] + "attn1", z, z, self.tables[s["name"], "self"]) * row(2)
        z = norm(x) * (1 + row(7)) + row(6)
        context = s["context"] * (1 + prompt(1)) + prompt(0)
        return x + self.attention(block + s["own"] + "attn2", z, context) * row(8)

    def feed_forward(self, block, s):
        row = lambda i: s["rows"][:, :, i] + self.w[block + s["own"] + "scale_shift_table"][i]
        z = norm(s["x"]) * (1 + row(4)) + row(3)
        hidden = gelu(self.linear(block + s["own"] + "ff.net.0.proj", z), approximate="tanh")
        return s["x"] + self.linear(block + s["own"] + "ff.net.2", hidden) * row(5)

    def cross(self, block, v, a):
        def side(s):
            table = self.w[f"{block}scale_shift_table_a2v_ca_{s['name']}"]
            row = lambda i: s["cross"][:, :, i] + table[i]
            z = norm(s["x"])
            return [z * (1 + row(2 * d)) + row(2 * d + 1) for d in (0, 1)], s["gate"][:, :, 0] + table[4]

        (v_in, v_gate), (a_in, a_gate) = side(v), side(a)
        rope_v, rope_a = self.tables["video", "cross"], self.tables["audio", "cross"]
        to_v = self.attention(block + "audio_to_video_attn", v_in[0], a_in[0], rope_v, rope_a) * v_gate
        to_a = self.attention(block + "video_to_audio_attn", a_in[1], v_in[1], rope_a, rope_v) * a_gate
        return v["x"] + to_v, a["x"] + to_a

    def velocity(self, s):
        row = lambda i: s["embedded"] + self.w[s["own"] + "scale_shift_table"][i]
        z = layer_norm(s["x"], s["x"].shape[-1:], eps=EPS) * (1 + row(1)) + row(0)
        return self.linear(s["own"] + "proj_out", z)

    def forward(self, video, audio):
        v, a = self.stream("video", video, audio["sigma"]), self.stream("audio", audio, video["sigma"])
        for i in range(self.layers):
            block = f"transformer_blocks.{i}."
            v["x"], a["x"] = self.attend(block, v), self.attend(block, a)
            v["x"], a["x"] = self.cross(block, v, a)
            v["x"], a["x"] = self.feed_forward(block, v), self.feed_forward(block, a)
        return self.velocity(v), self.velocity(a)


def norm(x):
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + EPS)


def split(x, heads):
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


def rotate(x, cos, sin):
    a, b = x.chunk(2, 3)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], 3)


def main(folder, layers, heads, steps, kind):
    torch.set_num_threads(2)
    given = read(folder + "/inputs.safetensors")
    adapters = {name: x.clone().requires_grad_() for name, x in given.items() if "lora" in name}
    checkpoint = read(folder + "/model.safetensors")
    is_large = lambda x: x.dim() == 2 and x.numel() > 65536
    is_kept = lambda x: kind == "cast" and x.dtype == torch.bfloat16 and is_large(x)
    narrow = lambda x: x.bfloat16() if kind == "bf16" and is_large(x) else x.float()
    checkpoint = {name: x if is_kept(x) else narrow(x) for name, x in checkpoint.items()}
    tables = {(s, k): (given[f"{s}.{k}.cos"], given[f"{s}.{k}.sin"]) for s in ("video", "audio") for k in ("self", "cross")}
    model = Model(checkpoint, adapters, layers, heads, tables, kind == "cast")
    optimizer = torch.optim.AdamW(adapters.values(), lr=LEARNING_RATE, weight_decay=0.01)

    def batch(s):
        latent, noise = given[s + ".latent"], given[s + ".noise"]
        level = torch.full((1,), SIGMA)
        timesteps = level.expand(latent.shape[1])
        return dict(noisy=(1 - SIGMA) * latent + SIGMA * noise, target=noise - latent, sigma=level, timesteps=timesteps, context=given[s + ".context"])

    for _ in range(steps):
        start = time.perf_counter()
        video, audio = batch("video"), batch("audio")
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=kind == "bf16"):
            v, a = model.forward(video, audio)
        loss = ((v.float() - video["target"]) ** 2).mean() + ((a.float() - audio["target"]) ** 2).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        print(json.dumps(dict(loss=loss.item(), ms=1000 * (time.perf_counter() - start))), flush=True)
    status = open("/proc/self/status").read()
    print(json.dumps(dict(peakMiB=int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024)))


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
