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
    """Frames per second, float64 [B]; 24 where the files do not say."""
    latents, fps = entry["latents"], entry.get("fps")
    if fps is None:
        return torch.full((len(latents),), 24, dtype=torch.float64, device=latents.device)
    return fps.to(latents.device, torch.float64)


def mask_of(entry: dict) -> Tensor:
    """A mask of any shape with one value for each token, [B, T]."""
    return entry["mask"].flatten(1)


def context_of(texts: dict, modality: str) -> Tensor:
    """The text embeddings of a modality, [B, S, D], without a gradient."""
    embeddings = texts[f"{modality}_prompt_embeds"]
    if embeddings is None:
        raise RuntimeError(f"the checkpoint has no text connector for {modality}, which this strategy trains")
    return embeddings.detach()


def to_video_tokens(x: Tensor) -> Tensor:
    """[B, C, F, H, W] as tokens [B, F*H*W, C], columns fastest."""
    return x.flatten(2).transpose(1, 2)


def to_audio_tokens(x: Tensor) -> Tensor:
    """[B, C, T, mel] as tokens [B, T, C*mel]."""
    return x.permute(0, 2, 1, 3).flatten(2)


def over_tokens(x: Tensor, axis: int, grid: tuple, present: list) -> Tensor:
    """`x` with its grid axes, which begin at `axis`, as one axis of tokens; those that it lacks are repeated."""
    before, after = x.shape[:axis], x.shape[axis + sum(present) :]
    open_grid = [size if here else 1 for size, here in zip(grid, present)]
    return x.reshape(*before, *open_grid, *after).expand(*before, *grid, *after).flatten(axis, axis + len(grid) - 1)


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


def masked_mean(error: Tensor, weights: Tensor) -> Tensor:
    """mean(error * weights) / mean(weights) for each sample; both have the batch first and as many axes."""
    axes = tuple(range(1, error.dim()))
    return (error * weights).mean(axes) / weights.mean(axes).clamp(min=1e-8)


def larger(a: Tensor, b: Tensor) -> Tensor:
    """The larger one of each pair; where they are equal, `a` gets the gradient."""
    return torch.where(a >= b, a, b)


def smaller(a: Tensor, b: Tensor) -> Tensor:
    """The smaller one of each pair; where they are equal, `a` gets the gradient."""
    return torch.where(a <= b, a, b)


def either(test: bool, yes, no) -> Tensor:
    """`yes if test else no`, in the shape of both."""
    yes, no = (value if torch.is_tensor(value) else torch.tensor(value) for value in (yes, no))
    device = yes.device if yes.dim() else no.device
    return (yes if test else no).to(device).expand(torch.broadcast_shapes(yes.shape, no.shape))


def shifted(x: Tensor, axis: int, by: float) -> Tensor:
    """The value `by` places earlier along an axis, later where it is negative; the edge is repeated."""
    size = x.shape[axis]
    places = min(abs(math.floor(by + 0.5)), size - 1)
    if places <= 0:
        return x
    edge = x.narrow(axis, 0 if by > 0 else size - 1, 1)
    filled = edge.expand([places if i == axis % x.dim() else -1 for i in range(x.dim())])
    rest = x.narrow(axis, 0 if by > 0 else places, size - places)
    return torch.cat([filled, rest] if by > 0 else [rest, filled], axis)


def dilate(x: Tensor, cells: float) -> Tensor:
    """The largest value within `cells` cells along the last two axes."""
    for axis in (-2, -1):
        moved = [shifted(x, axis, sign * by) for by in range(1, math.floor(cells) + 1) for sign in (1, -1)]
        for each in moved:
            x = larger(x, each)
    return x


def blur(x: Tensor, radius: float) -> Tensor:
    """A Gaussian over the last two axes; `radius` is its standard deviation in cells."""
    rows, columns = (gaussian(size, radius).to(x.device) for size in x.shape[-2:])
    return rows @ (x @ columns.T)


def gaussian(size: int, radius: float) -> Tensor:
    """Weights [size, size] of each cell's neighbours; what would fall off the edge is shared out among them."""
    cells = torch.arange(size, dtype=torch.float64)
    distances = cells[:, None] - cells
    weights = torch.where(distances == 0, 1.0, (-distances.square() / (2 * radius**2)).exp())
    return (weights / weights.sum(1, keepdim=True)).float()


def cell(pixel: float, scale: int, count: int) -> int:
    """The latent cell that holds a pixel, among `count`."""
    return min(max(math.floor(pixel / scale), 0), count)


def others(x: Tensor) -> Tensor:
    """For each sample the values of all others, [B, B - 1, ...], from the next one on."""
    size = len(x)
    if size < 2:
        raise RuntimeError("this strategy compares the samples of a batch: write `batch_size: 2` or more")
    count = torch.arange(size, device=x.device)
    return x[(count[:, None] + 1 + count[:-1]) % size]


def assigned(x: Tensor, to: Tensor) -> Tensor:
    """The samples of `x` in the order in which they lie nearest to those of `to`, exactly for each eight of them."""
    if len(x) < 2:
        raise RuntimeError("this strategy compares the samples of a batch: write `batch_size: 2` or more")
    parts = []
    for part, near in zip(x.split(8), to.split(8), strict=True):
        # Of the squared distance, the order changes the product alone.
        costs = -(near.flatten(1) @ part.flatten(1).T)
        parts.append(part[best_order(costs.tolist())])
    return torch.cat(parts)


def best_order(costs: list) -> list:
    """One column for each row, so that the sum of the costs is smallest.

    Of all ways to the same columns one is kept.
    """
    ways = {0: (0.0, [])}
    for row in costs:
        longer = {}
        for taken, (cost, order) in ways.items():
            for column, more in enumerate(row):
                key = taken | 1 << column
                if key != taken and (key not in longer or cost + more < longer[key][0]):
                    longer[key] = (cost + more, [*order, column])
        ways = longer
    return ways[2 ** len(costs) - 1][1]


def dft(x: Tensor, axes: tuple) -> Tensor:
    """The frequencies along `axes`, behind all other axes; along the last half of them, then real and imaginary part."""
    last = tuple(range(-len(axes), 0))
    return torch.view_as_real(torch.fft.rfftn(x.float().movedim(axes, last), dim=last))


def quantile(x: Tensor, share: float, axes: tuple) -> Tensor:
    """The smallest number along `axes` that at least this share of them does not exceed."""
    kept = [axis for axis in range(x.dim()) if axis not in axes]
    flat = x.permute(*kept, *axes).flatten(len(kept))
    place = max(1, math.ceil(share * flat.shape[-1] - 1e-6))
    return flat.sort(-1).values[..., place - 1]
