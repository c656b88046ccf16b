"""
Inpainting with a reference that the hole may not copy: only the surroundings look at it.

Made by ltxc … from masked_reference.strategy (sha256 1f3a3b484927). Change that file, not this one. To train with
the official trainer:

    accelerate launch ltxc_masked_reference.py train.yaml

Validation is the official trainer's own and does not call this strategy. What its samples are given is written as their
`conditions`. It knows no attention masks. `expect` is for `ltxc test` and not part of this file.
"""
import _thread
import dataclasses
import hashlib
import importlib.metadata
import inspect
import json
import math
import os
import sys
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
import yaml
from torch import Tensor

from ltx_core.model.transformer.modality import Modality
from ltx_trainer import logger
from ltx_trainer.training_strategies.base_strategy import ModelInputs, TrainingStrategy, TrainingStrategyConfigBase


class MaskedReferenceConfig(TrainingStrategyConfigBase):
    """The section training_strategy of a run config whose strategy is masked_reference."""

    name: Literal["masked_reference"] = "masked_reference"

    def directories(self) -> dict[str, str]:
        """The directory of each source, below data.preprocessed_data_root."""
        return {
            "latents": "latents",
            "reference": "reference_latents",
            "hole": "hole_masks",
            "conditions": "conditions",
        }

    def batch_keys(self) -> dict[str, str]:
        """Where each source lies in a batch."""
        return keys_of(self.directories(), "conditions")

    def get_data_sources(self) -> dict[str, str]:
        """The directories that the trainer reads, and where it puts what it reads in a batch."""
        keys = self.batch_keys()
        return {directory: keys[source] for source, directory in self.directories().items()}


@dataclass
class MaskedReferenceInputs(ModelInputs):
    """What the model gets, and what the loss needs besides."""

    video_tokens: int = 0


class MaskedReferenceStrategy(TrainingStrategy):
    """
    Inpainting with a reference that the hole may not copy: only the surroundings look at it.

        latents     video_latents in latents
        reference   video_latents in reference_latents
        hole        video_mask in hole_masks
        conditions  text_embeddings in conditions
    """

    SOURCE = {
        "strategy": "masked_reference",
        "version": "…",
        "source_hash": "1f3a3b484927a4b66f6c54b2e66ced9eee5e8ebeb51749a403e405efa6b5c451",
    }
    KINDS = {
        "latents": "video_latents",
        "reference": "video_latents",
        "hole": "video_mask",
        "conditions": "text_embeddings",
    }

    def __init__(self, config):
        super().__init__(config)
        self.keys, self.first_batches = config.batch_keys(), FirstBatches()
        self.place, self.batch_idx, self.terms, self.metadata = None, None, {}, {}

    @torch.no_grad()
    def prepare_training_inputs(self, batch, timestep_sampler):
        """What the model gets of a batch, and what the loss needs of it."""
        idx = self.batch_idx = batch["idx"]  # [batch]
        latents = latents_of(batch[self.keys["latents"]])  # [batch, channel, frame, height, width]
        reference = latents_of(batch[self.keys["reference"]])  # [batch, channel, frame, height, width]
        hole = mask_of(batch[self.keys["hole"]])  # [batch, token:video]
        conditions = batch[self.keys["conditions"]]
        check_grid(idx, latents, hole=hole)
        batch_size = len(latents)
        frames, height, width = latents.shape[2:]
        video_tokens = frames * height * width
        video_channels = latents.shape[1]
        device = latents.device
        draws = Draws(self.place, timestep_sampler, device)

        video_sigma = draws.sampled("video.sigma", (batch_size,), video_tokens)  # [batch]
        # fill: hole > 0.5
        fill = hole.float() > 0.5  # [batch, token:video]
        # video.noise_mask: fill
        video_keep = ~fill  # [batch, token:video]
        video_timesteps = torch.where(video_keep, 0, video_sigma[:, None])  # [batch, token:video]
        # video.clean: latents
        video_clean = to_video_tokens(latents.float())  # [batch, token:video, channel]
        # [batch, token:video, channel]
        video_noise = draws.randn("video.noise", (batch_size, video_tokens, video_channels), latents.dtype)
        video_noisy = torch.where(
            video_keep[:, :, None],
            video_clean,
            (1 - video_sigma)[:, None, None] * video_clean + video_sigma[:, None, None] * video_noise,
        )  # [batch, token:video, channel]
        video_target = rounded(video_noise - video_clean, latents.dtype)  # [batch, token:video, channel]
        video_generated = ~video_keep  # [batch, token:video]
        # video.references: [reference]
        # latents with their frames per second, in the order of the sequence
        video_references = [(reference, fps_of(batch[self.keys["reference"]]))]
        video_parts = [*(part for part, _ in video_references), latents]  # latents of references and target
        video_sequence = token_count(video_parts)  # tokens
        # video.attention: not (key(from(reference)) and fill)
        video_attention = (
            ~(is_from(reference, video_parts) & after_references(fill, 1, video_sequence)[:, :, None])
        ).float()  # [batch, sequence:video, key:video]
        video_fps = fps_of(batch[self.keys["latents"]])  # [batch]
        video_keyframes = (
            in_sequence(video_parts, lambda token, frames, height, width: token // (height * width)) < 1
        )[None].expand(batch_size, -1).float()  # [batch, sequence:video]
        check_attention(idx, video_attention)

        # [batch, axis, sequence:video, from and to]
        video_positions = positions_of_video([*video_references, (latents, video_fps)], self.video_scale_factors)
        video = Modality(
            latent=torch.cat([*(to_video_tokens(part.float()) for part, _ in video_references), video_noisy], 1),
            sigma=video_sigma,
            timesteps=after_references(video_timesteps, 1, video_sequence),
            positions=video_positions,
            context=context_of(conditions, "video"),
            enabled=True,
            context_mask=conditions["prompt_attention_mask"],
            attention_mask=video_attention,
            keyframes_mask=video_keyframes[:, :, None],
        )
        metadata = check_references(idx, (latents, video_fps), [(reference, fps_of(batch[self.keys["reference"]]))])
        self.metadata = unchanged(idx, self.metadata, metadata)
        self.first_batches.look(idx, {}, [video_generated])
        return MaskedReferenceInputs(
            video=video,
            audio=None,
            video_targets=video_target,
            audio_targets=None,
            video_loss_mask=video_generated,
            audio_loss_mask=None,
            video_tokens=video_tokens,
        )

    def compute_loss(self, video_pred, audio_pred, inputs):
        """The loss of each sample, [batch]."""
        video_target = inputs.video_targets
        video_generated = inputs.video_loss_mask
        video_tokens = inputs.video_tokens
        video_prediction = video_pred[:, -video_tokens:].float()  # [batch, token:video, channel]
        # video: mse(video.prediction, video.target) over video.generated
        loss_video = masked_mean((video_prediction - video_target).square().mean(2), video_generated.float())
        self.terms = {"video": loss_video.detach()}
        return loss_video  # [batch]

    def get_checkpoint_metadata(self):
        """Text for the checkpoint."""
        return {**self.metadata, **source_metadata(self.SOURCE, self.config)}

