"""Writes data files as the official preprocessing does, and times torch.load on them.

First line out: the kinds of files, each with its files and the SHA-256 of each tensor as float32. Then for every line "KIND" or
"KIND<tab>float32" in: the seconds that it takes to load all files of that kind one after the other; as float32, the last few are kept.
"""

import hashlib
import json
import os
import sys
import time
from collections import deque

import torch

torch.set_num_threads(1)
folder, count, kept = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
generator = torch.Generator().manual_seed(1)


def randn(*shape, dtype):
    return torch.randn(*shape, generator=generator).to(dtype)


def video(frames, height, width):
    latents = randn(128, frames, height, width, dtype=torch.bfloat16)
    return {"latents": latents, "num_frames": frames, "height": height, "width": width, "fps": 24.0}


def audio(steps):
    latents = randn(8, steps, 16, dtype=torch.float32)
    return {"latents": latents, "num_time_steps": steps, "frequency_bins": 16, "duration": steps / 25}


def text(video_channels, audio_channels, tokens=1024, used=77):
    return {
        "video_prompt_embeds": randn(tokens, video_channels, dtype=torch.bfloat16),
        "audio_prompt_embeds": randn(tokens, audio_channels, dtype=torch.bfloat16),
        "prompt_attention_mask": (torch.arange(tokens) >= tokens - used).to(torch.int64),
    }


kinds = {
    "video of 121 frames, 768x512": lambda: video(16, 16, 24),
    "video of 121 frames, 1216x704": lambda: video(16, 22, 38),
    "image, 512x512": lambda: video(1, 16, 16),
    "audio of 5 s": lambda: audio(125),
    "captions, 3840 and 3840": lambda: text(3840, 3840),
    "captions, 4096 and 2048": lambda: text(4096, 2048),
}


def write(path, entries):
    torch.save(entries, path)
    return {
        "path": path,
        "tensors": {
            key: hashlib.sha256(value.float().numpy().tobytes()).hexdigest()
            for key, value in entries.items()
            if torch.is_tensor(value)
        },
    }


def write_all(number, make):
    return [write(os.path.join(folder, f"{number}-{i}.pt"), make()) for i in range(count)]


files = {name: write_all(number, make) for number, (name, make) in enumerate(kinds.items())}
first, captions = files["video of 121 frames, 768x512"], files["captions, 3840 and 3840"]
files["a sample: the first and the fifth"] = [file for pair in zip(first, captions) for file in pair]
print(json.dumps({"torch": torch.__version__, "kinds": files}), flush=True)


def widened(entries):
    return {key: value.float() if torch.is_tensor(value) else value for key, value in entries.items()}


for line in sys.stdin:
    name, _, widen = line.rstrip("\n").partition("\t")
    last = deque(maxlen=kept * len(files[name]) // count)
    began = time.perf_counter()
    for file in files[name]:
        entries = torch.load(file["path"])
        if widen:
            last.append(widened(entries))
    print(time.perf_counter() - began, flush=True)
