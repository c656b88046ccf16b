"""
The reference is noised a little, so that the model takes from it what is there and does not copy its flaws.

Made by ltxc … from noise_augmented_reference.strategy (sha256 cc2ad90a5638). Change that file, not this one. To
train with the official trainer:

    accelerate launch ltxc_noise_augmented_reference.py train.yaml

Validation is the official trainer's own and does not call this strategy. What its samples are given is written as their
`conditions`. It knows no noised references. `expect` is for `ltxc test` and not part of this file.
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
from pydantic import Field
from torch import Tensor

from ltx_core.model.transformer.modality import Modality
from ltx_trainer import logger
from ltx_trainer.training_strategies.base_strategy import ModelInputs, TrainingStrategy, TrainingStrategyConfigBase


class NoiseAugmentedReferenceConfig(TrainingStrategyConfigBase):
    """The section training_strategy of a run config whose strategy is noise_augmented_reference."""

    name: Literal["noise_augmented_reference"] = "noise_augmented_reference"
    strength: float = Field(default=0.3, ge=0, le=1, description="Largest noise level of the reference")

    def directories(self) -> dict[str, str]:
        """The directory of each source, below data.preprocessed_data_root."""
        return {"latents": "latents", "draft": "reference_latents", "conditions": "conditions"}

    def batch_keys(self) -> dict[str, str]:
        """Where each source lies in a batch."""
        return keys_of(self.directories(), "conditions")

    def get_data_sources(self) -> dict[str, str]:
        """The directories that the trainer reads, and where it puts what it reads in a batch."""
        keys = self.batch_keys()
        return {directory: keys[source] for source, directory in self.directories().items()}


@dataclass
class NoiseAugmentedReferenceInputs(ModelInputs):
    """What the model gets, and what the loss needs besides."""

    video_tokens: int = 0


class NoiseAugmentedReferenceStrategy(TrainingStrategy):
    """
    The reference is noised a little, so that the model takes from it what is there and does not copy its flaws.

        latents     video_latents in latents
        draft       video_latents in reference_latents
        conditions  text_embeddings in conditions
    """

    SOURCE = {
        "strategy": "noise_augmented_reference",
        "version": "…",
        "source_hash": "cc2ad90a56380f7a4231fce8513cf0d0f980e52ad233a5adc60e3308db8d80ff",
    }
    KINDS = {"latents": "video_latents", "draft": "video_latents", "conditions": "text_embeddings"}

    def __init__(self, config):
        super().__init__(config)
        self.keys, self.first_batches = config.batch_keys(), FirstBatches()
        self.place, self.batch_idx, self.terms, self.metadata = None, None, {}, {}

    @torch.no_grad()
    def prepare_training_inputs(self, batch, timestep_sampler):
        """What the model gets of a batch, and what the loss needs of it."""
        params = self.config
        idx = self.batch_idx = batch["idx"]  # [batch]
        latents = latents_of(batch[self.keys["latents"]])  # [batch, channel, frame, height, width]
        draft = latents_of(batch[self.keys["draft"]])  # [batch, channel, frame, height, width]
        conditions = batch[self.keys["conditions"]]
        batch_size = len(latents)
        frames, height, width = latents.shape[2:]
        video_tokens = frames * height * width
        video_channels = latents.shape[1]
        device = latents.device
        draws = Draws(self.place, timestep_sampler, device)

        video_sigma = draws.sampled("video.sigma", (batch_size,), video_tokens)  # [batch]
        video_timesteps = video_sigma[:, None].expand(-1, video_tokens)  # [batch, token:video]
        # video.clean: latents
        video_clean = to_video_tokens(latents.float())  # [batch, token:video, channel]
        # [batch, token:video, channel]
        video_noise = draws.randn("video.noise", (batch_size, video_tokens, video_channels), latents.dtype)
        # [batch, token:video, channel]
        video_noisy = (1 - video_sigma)[:, None, None] * video_clean + video_sigma[:, None, None] * video_noise
        video_target = rounded(video_noise - video_clean, latents.dtype)  # [batch, token:video, channel]
        # [batch, token:video]
        video_generated = torch.ones((batch_size, video_tokens), dtype=torch.bool, device=device)
        # video.references:
        #   - {source: draft, sigma: "uniform(0, strength)"}
        # latents with their frames per second, in the order of the sequence
        video_references = [(draft, fps_of(batch[self.keys["draft"]]))]
        video_fps = fps_of(batch[self.keys["latents"]])  # [batch]
        video_parts = [*(part for part, _ in video_references), latents]  # latents of references and target
        video_keyframes = (
            in_sequence(video_parts, lambda token, frames, height, width: token // (height * width)) < 1
        )[None].expand(batch_size, -1).float()  # [batch, sequence:video]
        # draft.sigma: uniform(0, strength)
        draft_sigma = 0 + draws.rand("video.references[0].sigma", (batch_size,)) * params.strength  # [batch]
        draft_noise = draws.randn(
            "video.references[0].noise", (batch_size, token_count([draft]), video_channels), draft.dtype
        )  # [batch, token:draft, channel]
        draft_noisy = (
            (1 - draft_sigma)[:, None, None] * to_video_tokens(draft.float()) + draft_sigma[:, None, None] * draft_noise
        )  # [batch, token:draft, channel]
        draft_timesteps = draft_sigma[:, None].expand(-1, token_count([draft]))  # [batch, token:draft]

        # [batch, axis, sequence:video, from and to]
        video_positions = positions_of_video([*video_references, (latents, video_fps)], self.video_scale_factors)
        video = Modality(
            latent=torch.cat(
                [*tokens_of_references([part for part, _ in video_references], (draft, draft_noisy)), video_noisy], 1
            ),
            sigma=video_sigma,
            timesteps=torch.cat(
                [
                    *levels_of_references([part for part, _ in video_references], (draft, draft_timesteps)),
                    video_timesteps,
                ],
                1,
            ),
            positions=video_positions,
            context=context_of(conditions, "video"),
            enabled=True,
            context_mask=conditions["prompt_attention_mask"],
            attention_mask=None,
            keyframes_mask=video_keyframes[:, :, None],
        )
        metadata = check_references(idx, (latents, video_fps), [(draft, fps_of(batch[self.keys["draft"]]))])
        self.metadata = unchanged(idx, self.metadata, metadata)
        self.first_batches.look(idx, {}, [video_generated])
        return NoiseAugmentedReferenceInputs(
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
        video_tokens = inputs.video_tokens
        video_prediction = video_pred[:, -video_tokens:].float()  # [batch, token:video, channel]
        # video: mse(video.prediction, video.target)
        loss_video = (video_prediction - video_target).square().mean((1, 2))
        self.terms = {"video": loss_video.detach()}
        return loss_video  # [batch]

    def get_checkpoint_metadata(self):
        """Text for the checkpoint."""
        return {**self.metadata, **source_metadata(self.SOURCE, self.config)}

