"""A transformer of two blocks in place of the real one: everything of a Modality has an influence on what it returns."""
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ltx_trainer.standin_interface import check_modality

HIDDEN = 8


@dataclass(frozen=True)
class Stream:
    """What blocks hand on of one modality."""

    x: Tensor  # [B, T, HIDDEN]
    bias: Tensor | None  # [B, T, T], of the attention mask


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.to_q, self.to_k, self.to_v = (nn.Linear(HIDDEN, HIDDEN) for _ in range(3))

    def forward(self, x: Tensor, context: Tensor, bias: Tensor | None = None) -> Tensor:
        scores = self.to_q(x) @ self.to_k(context).transpose(1, 2) / HIDDEN**0.5
        return (scores if bias is None else scores + bias).softmax(2) @ self.to_v(context)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn1, self.audio_attn1, self.cross = Attention(), Attention(), Attention()
        # Their last axis is the width of the streams, as in the real model.
        self.scale_shift_table = nn.Parameter(torch.zeros(9, HIDDEN))
        self.audio_scale_shift_table = nn.Parameter(torch.zeros(9, HIDDEN))

    def forward(self, video: Stream | None, audio: Stream | None):
        after_video = video and replace(video, x=video.x + self.attn1(video.x, video.x, video.bias))
        after_audio = audio and replace(audio, x=audio.x + self.audio_attn1(audio.x, audio.x, audio.bias))
        if video and audio:
            return (
                replace(after_video, x=after_video.x + self.cross(after_video.x, after_audio.x)),
                replace(after_audio, x=after_audio.x + self.cross(after_audio.x, after_video.x)),
            )
        return after_video, after_audio


class Transformer(nn.Module):
    def __init__(self, channels: dict[str, int], context: dict[str, int]):
        super().__init__()
        self.enter = nn.ModuleDict({name: nn.Linear(size, HIDDEN) for name, size in channels.items()})
        self.leave = nn.ModuleDict({name: nn.Linear(HIDDEN, size) for name, size in channels.items()})
        self.read = nn.ModuleDict({name: nn.Linear(size, HIDDEN) for name, size in context.items()})
        self.place = nn.ModuleDict({"video": nn.Linear(3, HIDDEN), "audio": nn.Linear(1, HIDDEN)})
        self.transformer_blocks = nn.ModuleList([Block(), Block()])
        self.gradient_checkpointing = False

    def stream(self, name: str, inputs) -> Stream | None:
        if inputs is None:
            return None
        check_modality(name, inputs)
        shares = additive(inputs.context_mask, inputs.context).softmax(1)[:, None]
        context = shares @ self.read[name](inputs.context.to(inputs.latent.dtype))
        place = self.place[name](inputs.positions.mean(-1).transpose(1, 2) / 1000)
        level = inputs.timesteps[:, :, None] + inputs.sigma[:, None, None]
        x = self.enter[name](inputs.latent) + level + context + place
        mask = inputs.attention_mask
        bias = None if mask is None else torch.where(mask > 0, mask.log(), lowest(mask))
        return Stream(x if inputs.keyframes_mask is None else x + 0.1 * inputs.keyframes_mask, bias)

    def forward(self, video=None, audio=None, perturbations=None):
        streams = self.stream("video", video), self.stream("audio", audio)
        for block in self.transformer_blocks:
            if self.gradient_checkpointing and self.training:
                streams = checkpoint(block, *streams, use_reentrant=False)
            else:
                streams = block(*streams)
        return tuple(s and self.leave[name](torch.tanh(s.x)) for name, s in zip(("video", "audio"), streams))


def lowest(value: Tensor) -> Tensor:
    return torch.full_like(value, torch.finfo(value.dtype).min)


def additive(mask: Tensor | None, context: Tensor) -> Tensor:
    """[B, S], what is added to scores of attention: integers say which tokens are there, other masks are taken as they are."""
    if mask is None:
        return torch.zeros(context.shape[:2])
    return mask if mask.is_floating_point() else (1 - mask.float()) * torch.finfo(torch.float32).min


class LoraLinear(nn.Module):
    def __init__(self, base: nn.Linear, rank: int, alpha: int):
        super().__init__()
        self.base, self.scale = base, alpha / rank
        self.lora_A, self.lora_B = nn.Linear(base.in_features, rank, bias=False), nn.Linear(rank, base.out_features, bias=False)
        nn.init.zeros_(self.lora_B.weight)
        self.is_on = True

    def forward(self, x: Tensor) -> Tensor:
        if not self.is_on:
            return self.base(x)
        return self.base(x) + self.scale * self.lora_B(self.lora_A(x))


class WithAdapters(nn.Module):
    """The model as PEFT wraps it: `get_base_model` leads to what is wrapped, `disable_adapter` is that for a while."""

    def __init__(self, base: Transformer, targets: list[str], rank: int, alpha: int):
        super().__init__()
        self.base_model = base
        found = [name for name, layer in base.named_modules() if isinstance(layer, nn.Linear) and matches(name, targets)]
        if not found:
            raise ValueError(f"Target modules {targets} not found in the base model")
        for name in found:
            owner, _, own = name.rpartition(".")
            parent = base.get_submodule(owner)
            setattr(parent, own, LoraLinear(getattr(parent, own), rank, alpha))

    def get_base_model(self) -> Transformer:
        return self.base_model

    @contextmanager
    def disable_adapter(self):
        layers = [layer for layer in self.modules() if isinstance(layer, LoraLinear)]
        for layer in layers:
            layer.is_on = False
            layer.lora_A.requires_grad_(False), layer.lora_B.requires_grad_(False)
        yield
        for layer in layers:
            layer.is_on = True
            layer.lora_A.requires_grad_(True), layer.lora_B.requires_grad_(True)

    def forward(self, **inputs):
        return self.base_model(**inputs)


def matches(name: str, targets: list[str]) -> bool:
    return any(name == target or name.endswith(f".{target}") for target in targets)
