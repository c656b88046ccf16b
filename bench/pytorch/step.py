"""
The other side: the same step in PyTorch, with fused attention. Arguments: folder, layers, heads, steps, kind: "f32" (all in float32),
"cast" (bfloat16 weights, widened where they are used), "bf16" (autocast, large weights in bfloat16) or "base" (autocast, all weights and captions in
bfloat16, PyTorch's own norms: as the official trainer runs it); device ("cpu" or "cuda"), and options, separated by "+": "compile" (each block by torch.compile), "checkpoint" (blocks computed again backward).
"""
import json
import math
import mmap
import re
import struct
import sys
import time

import torch
from torch.utils.checkpoint import checkpoint
from torch.nn.functional import gelu, layer_norm, linear, rms_norm, scaled_dot_product_attention, silu

SIGMA, LEARNING_RATE, EPS = 0.7, 1e-3, 1e-6
# Whether norms are PyTorch's kernels.
OWN_NORMS = "base" in sys.argv
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


class Part:
    """The model without its blocks, or one block: weights and adapters (`lora_A`, `lora_B`) by their names in it."""

    def __init__(self, tensors, heads, widens):
        self.w, self.heads, self.widens = tensors, heads, widens

    def linear(self, name, x):
        weight, bias = self.w[name + ".weight"], self.w.get(name + ".bias")
        widens = self.widens and weight.dtype == torch.bfloat16
        y = Widened.apply(x, weight, bias) if widens else linear(x, weight, bias)
        if name + ".lora_A.weight" in self.w:
            a, b = self.w[name + ".lora_A.weight"], self.w[name + ".lora_B.weight"]
            y = y + linear(linear(x, a), b)
        return y

    def adaln(self, name, t, rows):
        i = torch.arange(128, dtype=torch.float32, device=t.device)
        frequencies = torch.exp(-math.log(10000) * i / 128)
        angles = t.reshape(-1, 1) * frequencies
        hidden = silu(self.linear(name + ".emb.timestep_embedder.linear_1", torch.cat([angles.cos(), angles.sin()], 1)))
        embedded = self.linear(name + ".emb.timestep_embedder.linear_2", hidden)
        table = self.linear(name + ".linear", silu(embedded))
        return table.reshape(1, t.numel(), rows, -1), embedded.reshape(1, t.numel(), -1)

    def attention(self, name, x, context, rope=None, key_rope=None):
        q = norm(self.linear(name + ".to_q", x), self.w[name + ".q_norm.weight"])
        k = norm(self.linear(name + ".to_k", context), self.w[name + ".k_norm.weight"])
        v = split(self.linear(name + ".to_v", context), self.heads)
        q, k = split(q, self.heads), split(k, self.heads)
        if rope is not None:
            q, k = rotate(q, *rope), rotate(k, *(key_rope or rope))
        o = scaled_dot_product_attention(q, k, v.to(q.dtype)).transpose(1, 2)
        gate = 2 * torch.sigmoid(self.linear(name + ".to_gate_logits", x))
        return self.linear(name + ".to_out.0", (o * gate.unsqueeze(3)).flatten(2))

    def stream(self, name, batch, other_sigma, tables):
        own = "" if name == "video" else "audio_"
        t = 1000 * batch["timesteps"]
        rows, embedded = self.adaln(own + "adaln_single", t, 9)
        prompt, _ = self.adaln(own + "prompt_adaln_single", 1000 * batch["sigma"], 2)
        cross, _ = self.adaln(f"av_ca_{name}_scale_shift_adaln_single", t, 4)
        direction = "a2v" if name == "video" else "v2a"
        gate, _ = self.adaln(f"av_ca_{direction}_gate_adaln_single", 1000 * other_sigma, 1)
        x = self.linear(own + "patchify_proj", batch["noisy"])
        return dict(name=name, own=own, tables=tables, rows=rows, embedded=embedded, prompt=prompt, cross=cross, gate=gate, x=x, context=batch["context"])

    def attend(self, s):
        row = lambda i: s["rows"][:, :, i] + self.w[s["own"] + "scale_shift_table"][i]
        prompt = lambda i: s["prompt"][:, :, i] + self.w[s["own"] + "prompt_scale_shift_table"][i]
        x = s["x"]
        z = norm(x) * (1 + row(1)) + row(0)
        x = x + self.attention(s["own"] + "attn1", z, z, s["tables"]["self"]) * row(2)
        z = norm(x) * (1 + row(7)) + row(6)
        context = s["context"] * (1 + prompt(1)) + prompt(0)
        return x + self.attention(s["own"] + "attn2", z, context) * row(8)

    def feed_forward(self, s):
        row = lambda i: s["rows"][:, :, i] + self.w[s["own"] + "scale_shift_table"][i]
        z = norm(s["x"]) * (1 + row(4)) + row(3)
        hidden = gelu(self.linear(s["own"] + "ff.net.0.proj", z), approximate="tanh")
        return s["x"] + self.linear(s["own"] + "ff.net.2", hidden) * row(5)

    def cross(self, v, a):
        def side(s):
            table = self.w[f"scale_shift_table_a2v_ca_{s['name']}"]
            row = lambda i: s["cross"][:, :, i] + table[i]
            z = norm(s["x"])
            return [z * (1 + row(2 * d)) + row(2 * d + 1) for d in (0, 1)], s["gate"][:, :, 0] + table[4]

        (v_in, v_gate), (a_in, a_gate) = side(v), side(a)
        rope_v, rope_a = v["tables"]["cross"], a["tables"]["cross"]
        to_v = self.attention("audio_to_video_attn", v_in[0], a_in[0], rope_v, rope_a) * v_gate
        to_a = self.attention("video_to_audio_attn", a_in[1], v_in[1], rope_a, rope_v) * a_gate
        return v["x"] + to_v, a["x"] + to_a

    def velocity(self, s):
        row = lambda i: s["embedded"] + self.w[s["own"] + "scale_shift_table"][i]
        z = layer_norm(s["x"], s["x"].shape[-1:], eps=EPS) * (1 + row(1)) + row(0)
        return self.linear(s["own"] + "proj_out", z)


def run_block(tensors, heads, widens, v, a):
    """The streams after one block. A function of tensors alone, so that it is compiled once for all blocks."""
    block = Part(tensors, heads, widens)
    v, a = dict(v, x=block.attend(v)), dict(a, x=block.attend(a))
    xv, xa = block.cross(v, a)
    v, a = dict(v, x=xv), dict(a, x=xa)
    return block.feed_forward(v), block.feed_forward(a)


def forward(parts, video, audio, tables, options):
    outer, blocks = parts
    one = torch.compile(run_block) if "compile" in options else run_block
    v = outer.stream("video", video, audio["sigma"], tables["video"])
    a = outer.stream("audio", audio, video["sigma"], tables["audio"])
    for block in blocks:
        args = (block.w, block.heads, block.widens, v, a)
        xv, xa = checkpoint(one, *args, use_reentrant=False) if "checkpoint" in options else one(*args)
        v, a = dict(v, x=xv), dict(a, x=xa)
    return outer.velocity(v), outer.velocity(a)


def norm(x, weight=None):
    if OWN_NORMS:
        return rms_norm(x, x.shape[-1:], weight, EPS)
    y = x * torch.rsqrt((x * x).mean(-1, keepdim=True) + EPS)
    return y if weight is None else y * weight


def split(x, heads):
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


def rotate(x, cos, sin):
    a, b = x.chunk(2, 3)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], 3)


def parts_of(tensors, layers, heads, widens):
    """The model without its blocks, and the blocks, each with the names that its tensors have in it."""
    prefixes = [f"transformer_blocks.{i}." for i in range(layers)]
    below = lambda prefix: {name[len(prefix) :]: x for name, x in tensors.items() if name.startswith(prefix)}
    outer = {name: x for name, x in tensors.items() if not name.startswith("transformer_blocks.")}
    return Part(outer, heads, widens), [Part(below(prefix), heads, widens) for prefix in prefixes]


def load(folder, kind, device):
    """Inputs, adapters and weights on the device, in the types that the kind wants."""
    given = {name: x.to(device) for name, x in read(folder + "/inputs.safetensors").items()}
    is_large = lambda x: x.dim() == 2 and x.numel() > 65536
    is_kept = lambda x: kind == "cast" and x.dtype == torch.bfloat16 and is_large(x)
    is_narrow = lambda x: kind == "base" or (kind == "bf16" and is_large(x))
    narrow = lambda x: x.bfloat16() if is_narrow(x) else x.float()
    weights = {name: x.to(device) for name, x in read(folder + "/model.safetensors").items()}
    return given, {name: x if is_kept(x) else narrow(x) for name, x in weights.items()}


def peak_mebibytes(device):
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    status = open("/proc/self/status").read()
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024


def main(folder, layers, heads, steps, kind, device="cpu", options=""):
    if device == "cpu":
        torch.set_num_threads(2)
    options = [x for x in options.split("+") if x]
    given, weights = load(folder, kind, device)
    context = lambda s: given[s + ".context"].bfloat16() if kind == "base" else given[s + ".context"]
    adapters = {name: x.clone().requires_grad_() for name, x in given.items() if "lora" in name}
    parts = parts_of({**weights, **adapters}, layers, heads, kind == "cast")
    del weights
    table = lambda s, k: (given[f"{s}.{k}.cos"], given[f"{s}.{k}.sin"])
    tables = {s: {k: table(s, k) for k in ("self", "cross")} for s in ("video", "audio")}
    optimizer = torch.optim.AdamW(adapters.values(), lr=LEARNING_RATE, weight_decay=0.01)

    def batch(s):
        latent, noise = given[s + ".latent"], given[s + ".noise"]
        level = torch.full((1,), SIGMA, device=device)
        timesteps = level.expand(latent.shape[1])
        return dict(noisy=(1 - SIGMA) * latent + SIGMA * noise, target=noise - latent, sigma=level, timesteps=timesteps, context=context(s))

    for _ in range(steps):
        start = time.perf_counter()
        video, audio = batch("video"), batch("audio")
        with torch.autocast(device, dtype=torch.bfloat16, enabled=kind in ("bf16", "base")):
            v, a = forward(parts, video, audio, tables, options)
        loss = ((v.float() - video["target"]) ** 2).mean() + ((a.float() - audio["target"]) ** 2).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        # Waits for the device.
        value = [loss.item(), next(iter(adapters.values()))[0, 0].item()][0]
        print(json.dumps(dict(loss=value, ms=1000 * (time.perf_counter() - start))), flush=True)
    print(json.dumps(dict(peakMiB=peak_mebibytes(device))))


main(*sys.argv[1:2], *(int(x) for x in sys.argv[2:5]), *sys.argv[5:])
