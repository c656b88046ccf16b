"""What a batch must agree in, and what goes into checkpoints."""
import json

import torch
from torch import Tensor

from ltx_trainer import logger


def keys_of(directories: dict, text: str, files=()) -> dict:
    """
    Where each source lies in a batch: under its name, sources of one directory under that of the first. The trainer
    looks for texts under `conditions`, and puts the places of samples under `idx`.
    """
    keys, by_directory = {}, {directories[text]: "conditions"}
    own = {name: f"{name}_" if name in ("conditions", "idx") else name for name in (*directories, *files)}
    for name, directory in directories.items():
        keys[name] = by_directory.setdefault(directory, own[name])
    return {**keys, **{name: own[name] for name in files}}


def refuse(idx: Tensor, what: str):
    """Ends the training: something is wrong with a batch. Samples are counted from 0 in the sorted list of files."""
    raise ValueError(f"samples {', '.join(map(str, idx.tolist()))} of the data: {what}")


def check_grid(idx: Tensor, target: Tensor, /, **sources):
    """Sources other than references lie on the target's grid, masks have one value for each of its tokens."""
    grid, tokens = grid_of(target), token_count([target])
    for name, source in sources.items():
        if source.dim() == 2 and source.shape[1] != tokens:
            refuse(idx, f"the masks of `{name}` have {source.shape[1]} values, the target has {tokens} tokens")
        if source.dim() > 2 and grid_of(source) != grid:
            refuse(idx, f"`{name}` has {list(grid_of(source))} latent cells, the target has {list(grid)}")


def check_references(idx: Tensor, target: tuple, references: list, names: tuple = ("",)) -> dict:
    """
    The factors of references for a checkpoint: where all have the same, by the names that the official pipelines read,
    and factors of 1 are not written; else a list of our own. Latents come with their frames per second, which must tell
    of the same factor.
    """
    (latents, fps), factors = target, {}
    for name, (part, part_fps) in zip(names, references, strict=True):
        factors[name] = space, time = reference_factors(part, latents)
        is_moving = part.shape[2] > 1 and latents.shape[2] > 1
        if is_moving and ((part_fps * time / fps - 1).abs() > 0.005).any():
            refuse(idx, f"references with 1/{time} of the frames must have 1/{time} of the frames per second")
    if len(set(factors.values())) > 1:
        parts = [{"source": name, "space": space, "time": time} for name, (space, time) in factors.items()]
        return {"ltxc.references": json.dumps(parts, separators=(",", ":"), ensure_ascii=False)}
    metadata = {"reference_downscale_factor": space, "reference_spatial_scale_factor": space}
    metadata["reference_temporal_scale_factor"] = time
    return {key: str(factor) for key, factor in metadata.items() if factor != 1}


def check_attention(idx: Tensor, attention: Tensor):
    """Every query has a key that it may attend to; attention is [B, T, T]."""
    is_alone = (attention.amax(2) <= 0).any(1)
    if is_alone.any():
        refuse(idx[is_alone], "a token may attend to no other at all; `attention` is 0 for all its keys")


def unchanged(idx: Tensor, earlier: dict, now: dict) -> dict:
    """Text for the checkpoint, which is the same for every batch."""
    for key in {**earlier, **now}:
        if earlier and earlier.get(key) != now.get(key):
            refuse(idx, f"the checkpoint's metadata `{key}` would be {now.get(key)}, earlier it was {earlier.get(key)}")
    return now


def source_metadata(source: dict, config) -> dict:
    """Which strategy made a checkpoint, with which parameters."""
    params = {key: as_json(value) for key, value in config.model_dump(by_alias=True).items() if key != "name"}
    texts = {**source, "params": json.dumps(params, separators=(",", ":"), ensure_ascii=False)}
    return {f"ltxc.{key}": text for key, text in texts.items()}


def as_json(value):
    """A parameter as JavaScript writes it: no point where a number is whole."""
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e21 else value


class FirstBatches:
    """The first 100 micro-batches: warns of what is probably a mistake, of each kind once."""

    def __init__(self):
        self.left, self.said = 100, set()

    def look(self, idx: Tensor, overlaps: dict, generated: list):
        """`overlaps`: whether each loss term covers kept tokens, [B]; `generated`: which are not kept, [B, T]."""
        if self.left == 0:
            return
        self.left -= 1
        for term, overlap in overlaps.items():
            if overlap.any():
                where = f"in sample {idx[overlap][0].item()} the loss term `{term}` covers kept tokens"
                self.say(term, f"{where}; restrict it to the generated ones, or write `over all` if it is meant")
        if generated and not torch.stack([mask.any(1) for mask in generated]).any(0).all():
            self.say("", "some samples have no generated token, so nothing is learnt from them")

    def say(self, key: str, text: str):
        """Warns, once for each key."""
        if key not in self.said:
            self.said.add(key)
            logger.warning(text)
