"""References and target: the parts of a sequence, as latents [B, C, F, H, W] or [B, C, T, mel], the target last."""
import math

import torch
from torch import Tensor


def grid_of(latents: Tensor) -> torch.Size:
    """Frames, height and width of video latents, steps of audio latents."""
    return latents.shape[2:] if latents.dim() == 5 else latents.shape[2:3]


def token_count(parts: list) -> int:
    """Number of tokens of all parts."""
    return sum(math.prod(grid_of(latents)) for latents in parts)


def in_sequence(parts: list, value) -> Tensor:
    """A number for each token, [T]: `value` of the tokens of a part, counted from 0, and of the part's grid."""
    device = parts[-1].device
    values = [value(torch.arange(token_count([part]), device=device), *grid_of(part)) for part in parts]
    return torch.cat(values).float()


def is_from(source: Tensor, parts: list) -> Tensor:
    """Which tokens are those of a source, [T]."""
    masks = [torch.full((token_count([part]),), part is source, dtype=torch.bool) for part in parts]
    return torch.cat(masks).to(source.device)


def after_references(x: Tensor, axis: int, count: int) -> Tensor:
    """A value over target tokens as one over all `count` tokens of the sequence: False or 0 on references."""
    shape = list(x.shape)
    shape[axis] = count - shape[axis]
    return torch.cat([x.new_zeros(shape), x], axis)


def tokens_of_references(parts: list, *noised: tuple) -> list:
    """The tokens of each reference, [B, T, C]. `noised`: latents with the tokens to take; all others are clean."""
    given = {id(latents): tokens for latents, tokens in noised}
    clean = {5: to_video_tokens, 4: to_audio_tokens}
    return [given[id(part)] if id(part) in given else clean[part.dim()](part.float()) for part in parts]


def levels_of_references(parts: list, *noised: tuple) -> list:
    """The levels of each reference's tokens, [B, T]. `noised`: latents with the levels to take; others have 0."""
    given = {id(latents): levels for latents, levels in noised}
    clean = [torch.zeros(len(part), token_count([part]), device=part.device) for part in parts]
    return [given.get(id(part), zeros) for part, zeros in zip(parts, clean)]


def positions_of_video(parts: list, scale) -> Tensor:
    """
    Where each token lies, [B, 3, T, 2]: from and to in seconds, pixel rows and pixel columns. `parts` are latents with
    their frames per second. References are laid over the whole of the target.
    """
    return torch.cat([positions_of_part(latents, fps, *parts[-1], scale) for latents, fps in parts], 2)


def positions_of_part(latents: Tensor, fps: Tensor, target: Tensor, target_fps: Tensor, scale) -> Tensor:
    """
    The first latent frame covers one pixel frame, each further one `scale.time`. A reference with fewer frames per
    second has a longer first frame; all its times move back by `lead` seconds, so that it covers the target's first
    frame alone.
    """
    space, time = reference_factors(latents, target)
    frames, rows, columns = (torch.arange(size + 1, device=latents.device) for size in grid_of(latents))
    lead = (time - 1) * (1 / target_fps.float())
    seconds = (frames * scale.time + 1 - scale.time).clamp(min=0) / fps.float()[:, None]
    bounds = (
        (seconds - lead[:, None]).clamp(min=0)[:, :, None, None],
        (rows * scale.height * space).float()[None, None, :, None],
        (columns * scale.width * space).float()[None, None, None, :],
    )
    shape = (len(latents), *grid_of(latents))
    start = [bound.narrow(axis, 0, shape[axis]).expand(shape) for axis, bound in enumerate(bounds, 1)]
    end = [bound.narrow(axis, 1, shape[axis]).expand(shape) for axis, bound in enumerate(bounds, 1)]
    return torch.stack([torch.stack(start, 1), torch.stack(end, 1)], -1).flatten(2, 4)


def positions_of_audio(parts: list) -> Tensor:
    """
    When each step sounds, [B, 1, T, 2]: from and to in seconds, each part from 0 on. A step covers 4 hops of 160
    samples of 16000 a second, the first one a single hop.
    """
    device = parts[-1].device
    seconds = [(torch.arange(-1, part.shape[2], device=device) * 4 + 1).clamp(min=0) * 160 / 16000 for part in parts]
    bounds = torch.cat([torch.stack([bound[:-1], bound[1:]], 1) for bound in seconds])
    return bounds.expand(len(parts[-1]), 1, -1, -1)


def reference_factors(reference: Tensor, target: Tensor) -> tuple:
    """How many times larger, and finer in time, a target is than its reference."""
    (frames, height, width), (target_frames, target_height, target_width) = grid_of(reference), grid_of(target)
    space, is_moving = target_height // height, frames > 1 and target_frames > 1
    time = (target_frames - 1) // (frames - 1) if is_moving else 1
    is_exact = (height * space, width * space) == (target_height, target_width)
    if not is_exact or (is_moving and (frames - 1) * time != target_frames - 1):
        raise ValueError(
            f"a reference of {frames} x {height} x {width} latent cells (frames, height, width) is no exact fraction "
            f"of its target of {target_frames} x {target_height} x {target_width}"
        )
    return space, time
