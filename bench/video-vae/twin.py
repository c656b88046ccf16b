"""PyTorch's side: the same encoder and decoder on the whole clip, with its own 3D convolutions. Arguments: the VAE's file, the clip's sizes, repeats."""
import json, sys, time
import torch
import torch.nn.functional as F

path, frames, height, width, repeats = sys.argv[1], *map(int, sys.argv[2:6])


def read(path):
    """Metadata and float32 tensors of a safetensors file, without its library, which a Python with PyTorch need not have."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = bytearray(file.read())
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = torch.frombuffer(data, dtype=torch.float32, count=(end - begin) // 4, offset=begin).view(entry["shape"])
    return metadata, tensors


metadata, weights = read(path)
config = json.loads(metadata["config"])["vae"]
flops = 0


def conv(name, x, causal):
    global flops
    before, behind = (2, 0) if causal else (1, 1)
    first, last = x[:, :, :1], x[:, :, -1:]
    x = torch.cat([first] * before + [x] + [last] * behind, 2)
    w = weights[name + ".weight"]
    y = F.conv3d(x, w, weights[name + ".bias"], padding=(0, 1, 1))
    flops += 2 * y.numel() * w[0].numel()
    return y


def norm(x):
    return x / torch.sqrt((x * x).mean(1, keepdim=True) + 1e-8)


def residual(name, x, causal):
    y = conv(name + ".conv1.conv", F.silu(norm(x)), causal)
    return x + conv(name + ".conv2.conv", F.silu(norm(y)), causal)


def fold(x, t, r, c):
    b, n, f, h, w = x.shape
    x = x.reshape(b, n, f // t, t, h // r, r, w // c, c)
    return x.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(b, n * t * r * c, f // t, h // r, w // c)


def unfold(x, t, r, c):
    b, n, f, h, w = x.shape
    x = x.reshape(b, n // (t * r * c), t, r, c, f, h, w)
    return x.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(b, n // (t * r * c), f * t, h * r, w * c)


strides = {"compress_time": (2, 1, 1), "compress_space": (1, 2, 2), "compress_all": (2, 2, 2)}
statistics = [weights["per_channel_statistics." + name].view(1, -1, 1, 1, 1) for name in ("mean-of-means", "std-of-means")]
patch = config["patch_size"]


def encode(x):
    # The column comes before the row among the channels of a patch.
    x = conv("encoder.conv_in.conv", fold(fold(x, 1, 1, patch), 1, patch, 1), True)
    for i, (kind, given) in enumerate(config["encoder_blocks"]):
        name = f"encoder.down_blocks.{i}"
        if kind == "res_x":
            for j in range(given["num_layers"]):
                x = residual(f"{name}.res_blocks.{j}", x, True)
            continue
        steps = strides[kind.removesuffix("_res")]
        if steps[0] == 2:
            x = torch.cat([x[:, :, :1], x], 2)
        main, skip = fold(conv(name + ".conv.conv", x, True), *steps), fold(x, *steps)
        b, _, f, h, w = skip.shape
        x = main + skip.reshape(b, main.shape[1], -1, f, h, w).mean(2)
    x = conv("encoder.conv_out.conv", F.silu(norm(x)), True)[:, : config["latent_channels"]]
    return (x - statistics[0]) / statistics[1]


def decode(x):
    x = conv("decoder.conv_in.conv", x * statistics[1] + statistics[0], False)
    for i, (kind, given) in enumerate(reversed(config["decoder_blocks"])):
        name = f"decoder.up_blocks.{i}"
        if kind == "res_x":
            for j in range(given["num_layers"]):
                x = residual(f"{name}.res_blocks.{j}", x, False)
            continue
        steps = strides[kind]
        x = unfold(conv(name + ".conv.conv", x, False), *steps)
        x = x[:, :, 1:] if steps[0] == 2 else x
    x = conv("decoder.conv_out.conv", F.silu(norm(x)), False)
    return unfold(unfold(x, 1, patch, 1), 1, 1, patch)


torch.set_num_threads(2)
count = 3 * frames * height * width
clip = torch.sin(torch.arange(count, dtype=torch.float64) * 0.37).float().view(1, 3, frames, height, width)
with torch.inference_mode():
    for _ in range(repeats + 1):
        flops, began = 0, time.perf_counter()
        latent = encode(clip)
        encoded, first = time.perf_counter(), flops
        pixels = decode(latent)
        ended = time.perf_counter()
        said = {"encode": encoded - began, "decode": ended - encoded, "flops": [first, flops - first]}
        print(json.dumps({**said, "sizes": [latent.abs().mean().item(), pixels.abs().mean().item()]}))
