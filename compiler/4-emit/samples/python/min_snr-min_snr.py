"""
Weigh samples by their noise level so that easy and hard levels pull equally (Min-SNR-γ).

Made by ltxc … from min_snr.strategy (sha256 1a3eb46b9629). Change that file, not this one. To train with the
official trainer:

    accelerate launch ltxc_min_snr.py train.yaml

Validation is the official trainer's own and does not call this strategy.
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


class MinSnrConfig(TrainingStrategyConfigBase):
    """The section training_strategy of a run config whose strategy is min_snr."""

    name: Literal["min_snr"] = "min_snr"
    gamma: float = Field(default=5, gt=0, description="Largest signal-to-noise ratio that counts")

    def directories(self) -> dict[str, str]:
        """The directory of each source, below data.preprocessed_data_root."""
        return {"latents": "latents", "conditions": "conditions"}

    def batch_keys(self) -> dict[str, str]:
        """Where each source lies in a batch."""
        return keys_of(self.directories(), "conditions")

    def get_data_sources(self) -> dict[str, str]:
        """The directories that the trainer reads, and where it puts what it reads in a batch."""
        keys = self.batch_keys()
        return {directory: keys[source] for source, directory in self.directories().items()}


@dataclass
class MinSnrInputs(ModelInputs):
    """What the model gets, and what the loss needs besides."""

    weight: Tensor = None


class MinSnrStrategy(TrainingStrategy):
    """
    Weigh samples by their noise level so that easy and hard levels pull equally (Min-SNR-γ).

        latents     video_latents in latents
        conditions  text_embeddings in conditions
    """

    SOURCE = {
        "strategy": "min_snr",
        "version": "…",
        "source_hash": "1a3eb46b962924ec74ba81b494ed9c822c447a6ed6a99a1325aa35a676dea814",
    }
    KINDS = {"latents": "video_latents", "conditions": "text_embeddings"}

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
        video_noisy_difference = 1 - video_sigma  # [batch]
        # [batch, token:video, channel]
        video_noisy = video_noisy_difference[:, None, None] * video_clean + video_sigma[:, None, None] * video_noise
        video_target = rounded(video_noise - video_clean, latents.dtype)  # [batch, token:video, channel]
        # [batch, token:video]
        video_generated = torch.ones((batch_size, video_tokens), dtype=torch.bool, device=device)
        video_fps = fps_of(batch[self.keys["latents"]])  # [batch]
        video_token = torch.arange(video_tokens, device=device)  # [token:video]
        # [batch, sequence:video]
        video_keyframes = ((video_token // (height * width)).float() < 1)[None].expand(batch_size, -1).float()
        # weight: min(snr(video.sigma), gamma) * video.sigma^2
        weight = (
            (video_noisy_difference / video_sigma.clamp(min=0.001)).square().clamp(max=params.gamma)
            * video_sigma.square()
        )  # [batch]

        # [batch, axis, sequence:video, from and to]
        video_positions = positions_of_video([(latents, video_fps)], self.video_scale_factors)
        video = Modality(
            latent=video_noisy,
            sigma=video_sigma,
            timesteps=video_timesteps,
            positions=video_positions,
            context=context_of(conditions, "video"),
            enabled=True,
            context_mask=conditions["prompt_attention_mask"],
            attention_mask=None,
            keyframes_mask=video_keyframes[:, :, None],
        )
        self.first_batches.look(idx, {}, [video_generated])
        return MinSnrInputs(
            video=video,
            audio=None,
            video_targets=video_target,
            audio_targets=None,
            video_loss_mask=video_generated,
            audio_loss_mask=None,
            weight=weight,
        )

    def compute_loss(self, video_pred, audio_pred, inputs):
        """The loss of each sample, [batch]."""
        weight = inputs.weight
        video_target = inputs.video_targets
        video_prediction = video_pred.float()  # [batch, token:video, channel]
        # video: weight * mse(video.prediction, video.target)
        loss_video = weight * (video_prediction - video_target).square().mean((1, 2))
        self.terms = {"video": loss_video.detach()}
        return loss_video  # [batch]

    def get_checkpoint_metadata(self):
        """Text for the checkpoint."""
        return {**self.metadata, **source_metadata(self.SOURCE, self.config)}

