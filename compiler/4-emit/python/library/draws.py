"""Random numbers by place: a value depends on seed, step, micro-batch and name, not on what was drawn before it."""
import hashlib
import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Place:
    """Where a run is: seed, optimizer step, micro-batch of the step counted over all ranks, and number of steps."""

    seed: int
    step: int
    micro_batch: int
    steps: int


WORD = 0xFFFFFFFF  # the bits of a 32-bit word


def product(a, b):
    """The upper and the lower word of the product of two words, by halves of 16 bits, so that no int64 overflows."""
    upper, lower = a * (b >> 16), a * (b & 0xFFFF)
    return (upper + (lower >> 16)) >> 16, (((upper & 0xFFFF) << 16) + lower) & WORD


def philox(counter, key):
    """Philox 4x32-10 (Salmon et al. 2011): four random words, numbers or int64 tensors, of four words and a key."""
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(10):
        (high0, low0), (high2, low2) = product(0xD2511F53, c0), product(0xCD9E8D57, c2)
        c0, c1, c2, c3 = high2 ^ c1 ^ k0, low2, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B9) & WORD, (k1 + 0xBB67AE85) & WORD
    return c0, c1, c2, c3


def random_words(place: Place, name: str, count: int, device="cpu") -> Tensor:
    """The first `count` words of the stream of a place and a name: int64 [count]."""
    digest = hashlib.sha256(name.encode()).digest()
    name_words = int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little")
    seed_words = place.seed & WORD, place.seed >> 32 & WORD
    s0, s1, s2, s3 = philox((place.step, place.micro_batch, *name_words), seed_words)
    block = torch.arange(-(-count // 4), device=device)
    return torch.stack(philox((block, 0, s2, s3), (s0, s1)), 1).flatten()[:count]


def uniform_numbers(place: Place, name: str, count: int, device="cpu") -> Tensor:
    """Uniform in [0, 1), the upper 24 bits of a word each: float32 [count]."""
    return (random_words(place, name, count, device) >> 8).float() * 2.0**-24


def normal_numbers(place: Place, name: str, count: int, device="cpu") -> Tensor:
    """Standard normal by Box and Muller, calculated in float64: float32 [count]."""
    first, second = random_words(place, name, count + count % 2, device).double().unflatten(0, (-1, 2)).unbind(1)
    radius = (-2 * ((first + 1) * 2.0**-32).log()).sqrt()
    angle = 2 * math.pi * 2.0**-32 * second
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1).flatten()[:count].float()


def logistic(x: Tensor) -> Tensor:
    """The sigmoid of float32 numbers, calculated in float64, since float32 differs between machines."""
    return (1 / (1 + (-x.double()).exp())).float()


class Draws:
    """The draws of one micro-batch; `sampler` is the trainer's, of which only the parameters are read."""

    def __init__(self, place: Place, sampler, device):
        if place is None:
            raise RuntimeError("no step is under way: run this file itself, `accelerate launch FILE CONFIG`")
        self.place, self.sampler, self.device = place, sampler, torch.device(device)
        # There is no float64 on mps.
        self.origin = torch.device("cpu") if self.device.type == "mps" else self.device

    def randn(self, name: str, shape, storage=None) -> Tensor:
        """Standard normal, rounded to the type `storage`, in float32."""
        drawn = normal_numbers(self.place, name, math.prod(shape), self.origin).to(self.device).reshape(shape)
        return drawn if storage is None else rounded(drawn, storage)

    def rand(self, name: str, shape) -> Tensor:
        """Uniform in [0, 1), in float32."""
        return uniform_numbers(self.place, name, math.prod(shape), self.origin).to(self.device).reshape(shape)

    def chance(self, name: str, probability: float) -> bool:
        """True with this probability, the same for the whole micro-batch."""
        return uniform_numbers(self.place, name, 1).item() < probability

    def sampled(self, name: str, shape, tokens: int) -> Tensor:
        """Noise levels as `flow_matching` of the config has them; `tokens` shifts them."""
        kind = type(self.sampler).__name__
        if kind == "UniformTimestepSampler":
            low, high = self.sampler.min_value, self.sampler.max_value
            return self.rand(f"{name}.uniform", shape) * (high - low) + low
        if kind != "ShiftedLogitNormalTimestepSampler":
            raise RuntimeError(f"this file does not know the sampler {kind}; compile it again with a newer ltxc")
        params = {key: getattr(self.sampler, key) for key in ("std", "eps", "uniform_prob")}
        return self.shifted_logit_normal(name, shape, tokens, **params)

    def shifted_logit_normal(self, name: str, shape, tokens: int, std: float, eps: float, uniform_prob: float):
        """
        A logit-normal level, shifted by the token count and stretched so that its 0.5 % and 99.9 % quantiles become
        0 and 1; values below `eps` are reflected at it. A share `uniform_prob` of the levels is uniform in [eps, 1).
        """
        slope = (2.05 - 0.95) / (4096 - 1024)
        shift = tokens * slope + (0.95 - slope * 1024)
        low, high = logistic(torch.tensor([shift - 2.5758 * std, shift + 3.0902 * std], device=self.device))
        level = (logistic(self.randn(f"{name}.normal", shape) * std + shift) - low) / (high - low)
        level = torch.where(level >= eps, level, 2 * eps - level).clamp(0, 1)
        uniform = self.rand(f"{name}.uniform", shape) * (1 - eps) + eps
        return torch.where(self.rand(f"{name}.mix", shape) > uniform_prob, level, uniform)


def permutation(seed: int, epoch: int, count: int) -> list:
    """The order of the samples in one pass over the data, as `ltxc run` has it: Fisher and Yates, from the end."""
    order = list(range(count))
    words = random_words(Place(seed, epoch, 0, 0), "data.order", count).tolist()
    for i in range(count - 1, 0, -1):
        j = math.floor(words[i] * 2.0**-32 * (i + 1))
        order[i], order[j] = order[j], order[i]
    return order
