"""What the transformer gets of one modality."""
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Modality:
    """T counts references and target, references first."""

    latent: Tensor  # [B, T, C]
    sigma: Tensor  # [B]
    timesteps: Tensor  # [B, T]
    positions: Tensor  # [B, 3, T, 2] or [B, 1, T, 2]
    context: Tensor  # [B, S, D]
    enabled: bool = True
    context_mask: Tensor | None = None  # [B, S]
    attention_mask: Tensor | None = None  # [B, T, T]
    keyframes_mask: Tensor | None = None  # [B, T, 1]
