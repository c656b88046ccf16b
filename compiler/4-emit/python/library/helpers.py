"""Tensors."""
import math

import torch
from torch import Tensor


def latents_of(entry: dict) -> Tensor:
    """The latents of a batch as they are stored; tokens [B, F*H*W, C] of an older format are laid out on their grid."""
    latents = entry["latents"]
    if latents.dim() == 3:
        frames, height, width = (int(entry[size][0]) for size in ("num_frames", "height", "width"))
        latents = latents.unflatten(1, (frames, height, width)).permute(0, 4, 1, 2, 3)
    return latents[...]  # a tensor of its own, by which its source is known


def fps_of(entry: dict) -> Tensor:
    """Frames per second, [B]; 24 where the files do not say."""
    fps = entry.get("fps")
    latents = entry["latents"]
    return latents.new_full(latents.shape[:1], 24, dtype=torch.float64) if fps is None else fps.double()


def rounded(x: Tensor, storage: torch.dtype) -> Tensor:
    """`x` rounded to what `storage` holds, in float32; without a gradient."""
    x = x.detach()
    if storage.is_floating_point:
        return x.to(storage).float()
    whole = x.round()
    if storage == torch.bool:
        return whole.clamp(0, 1)
    limits = torch.iinfo(storage)
    return whole if limits.bits > 16 else whole.clamp(limits.min, limits.max)


def to_video_tokens(x: Tensor) -> Tensor:
    """[B, C, F, H, W] as tokens [B, F*H*W, C]."""
    return x.flatten(2).transpose(1, 2)


def masked_mean(error: Tensor, weights: Tensor) -> Tensor:
    """mean(error * weights) / mean(weights) for each sample; both have the batch first and as many axes."""
    axes = tuple(range(1, error.dim()))
    return (error * weights).mean(axes) / weights.mean(axes).clamp(min=1e-8)


def positions_of_video(parts: list, scale) -> Tensor:
    """
    Where each token lies, [B, 3, T, 2]: from and to in seconds, pixel rows and pixel columns. `parts` are latents with
    their frames per second, references first; references are laid over the whole of the target, which comes last.
    """
    target, target_fps = parts[-1]
    return torch.cat([part_positions(latents, fps, target, target_fps, scale) for latents, fps in parts], 2)


def part_positions(latents: Tensor, fps: Tensor, target: Tensor, target_fps: Tensor, scale) -> Tensor:
    """The positions of one part. Its first latent frame covers one pixel frame, each further one `scale.time`."""
    space, time = reference_factors(latents.shape[2:], target.shape[2:])
    frames, height, width = (torch.arange(size + 1, device=latents.device) for size in latents.shape[2:])
    lead = (time - 1) * (1 / target_fps.float())
    seconds = (frames * scale.time + 1 - scale.time).clamp(min=0) / fps.float()[:, None]
    seconds = (seconds - lead[:, None]).clamp(min=0)[:, :, None, None]
    rows = (height * scale.height * space).float()[None, None, :, None]
    columns = (width * scale.width * space).float()[None, None, None, :]
    shape = (len(latents), *latents.shape[2:])
    start = [seconds[:, :-1].expand(shape), rows[:, :, :-1].expand(shape), columns[..., :-1].expand(shape)]
    end = [seconds[:, 1:].expand(shape), rows[:, :, 1:].expand(shape), columns[..., 1:].expand(shape)]
    return torch.stack([torch.stack(start, 1), torch.stack(end, 1)], -1).flatten(2, 4)


def reference_factors(reference, target) -> tuple:
    """How many times larger, and finer in time, a target is than its reference; both are frames, height and width."""
    space, time = target[1] // reference[1], 1
    if target[0] > 1 and reference[0] > 1:
        time = (target[0] - 1) // (reference[0] - 1)
    frames = 1 + (reference[0] - 1) * time if target[0] > 1 and reference[0] > 1 else target[0]
    if (frames, reference[1] * space, reference[2] * space) != tuple(target):
        raise ValueError(f"a reference of {tuple(reference)} latent cells is no exact fraction of {tuple(target)}")
    return space, time


def keys_of(directories: dict, text: str) -> dict:
    """
    Where each source lies in a batch: under its name, sources of one directory under that of the first. The trainer
    looks for texts under `conditions`, and puts the places of samples under `idx`.
    """
    keys, by_directory = {}, {directories[text]: "conditions"}
    for name, directory in directories.items():
        own = f"{name}_" if name in ("conditions", "idx") else name
        keys[name] = by_directory.setdefault(directory, own)
    return keys


def mask_of(entry: dict) -> Tensor:
    """A mask of any shape with one value for each token, [B, T]."""
    return entry["mask"].flatten(1)


def context_of(texts: dict, modality: str) -> Tensor:
    """The text embeddings of a modality, [B, S, D], without a gradient."""
    embeddings = texts[f"{modality}_prompt_embeds"]
    if embeddings is None:
        raise RuntimeError(f"the checkpoint has no text connector for {modality}, which this strategy trains")
    return embeddings.detach()
