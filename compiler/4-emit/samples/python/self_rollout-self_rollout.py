"""
Train on what the model itself makes of a noisier clip, as it meets it when it samples.

Made by ltxc … from self_rollout.strategy (sha256 556b3c225712). Change that file, not this one. To train with the
official trainer:

    accelerate launch ltxc_self_rollout.py train.yaml

Validation is the official trainer's own and does not call this strategy. It knows no another path of noise.
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
from typing import Literal, NamedTuple

import torch
import yaml
from pydantic import Field
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from ltx_core.model.transformer.modality import Modality
from ltx_trainer import logger
from ltx_trainer.training_strategies.base_strategy import ModelInputs, TrainingStrategy, TrainingStrategyConfigBase


class SelfRolloutConfig(TrainingStrategyConfigBase):
    """The section training_strategy of a run config whose strategy is self_rollout."""

    name: Literal["self_rollout"] = "self_rollout"
    stride: float = Field(default=0.1, le=1, gt=0, description="Length of the step that the model takes itself")

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


class SelfRolloutStrategy(TrainingStrategy):
    """
    Train on what the model itself makes of a noisier clip, as it meets it when it samples.

        latents     video_latents in latents
        conditions  text_embeddings in conditions
    """

    SOURCE = {
        "strategy": "self_rollout",
        "version": "…",
        "source_hash": "556b3c2257126d8ed6c6026ae8e54578d20b2d8f015aa2017bebc71c5c9fc91d",
    }
    KINDS = {"latents": "video_latents", "conditions": "text_embeddings"}
    PASSES = {"earlier": "trained"}

    def __init__(self, config):
        super().__init__(config)
        self.keys, self.first_batches = config.batch_keys(), FirstBatches()
        self.place, self.batch_idx, self.terms, self.metadata = None, None, {}, {}
        self.model = None

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
        # earlier.video.sigma: min(1, video.sigma + stride)
        earlier_video_sigma = (video_sigma + params.stride).clamp(max=1)  # [batch]
        # video.clean: latents
        video_clean = to_video_tokens(latents.float())  # [batch, token:video, channel]
        # [batch, token:video, channel]
        video_noise = draws.randn("video.noise", (batch_size, video_tokens, video_channels), latents.dtype)
        # earlier.video.noisy: (1 - sigma) * clean + sigma * noise
        earlier_video_noisy = (
            (1 - earlier_video_sigma)[:, None, None] * video_clean + earlier_video_sigma[:, None, None] * video_noise
        )  # [batch, token:video, channel]
        earlier_video_timesteps = earlier_video_sigma[:, None].expand(-1, video_tokens)  # [batch, token:video]
        video_fps = fps_of(batch[self.keys["latents"]])  # [batch]
        video_token = torch.arange(video_tokens, device=device)  # [token:video]
        # [batch, sequence:video]
        video_keyframes = ((video_token // (height * width)).float() < 1)[None].expand(batch_size, -1).float()
        # [batch, axis, sequence:video, from and to]
        video_positions = positions_of_video([(latents, video_fps)], self.video_scale_factors)
        earlier = self.model(
            "earlier",
            Modality(
                latent=earlier_video_noisy,
                sigma=earlier_video_sigma,
                timesteps=earlier_video_timesteps,
                positions=video_positions,
                context=context_of(conditions, "video"),
                enabled=True,
                context_mask=conditions["prompt_attention_mask"],
                attention_mask=None,
                keyframes_mask=video_keyframes[:, :, None],
            ),
            None,
        )
        earlier_video_prediction = earlier.video.float()  # [batch, token:video, channel]
        # video.noisy: earlier.video.noisy - (earlier.video.sigma - sigma) * earlier.video.prediction
        video_noisy = (
            earlier_video_noisy - (earlier_video_sigma - video_sigma)[:, None, None] * earlier_video_prediction
        ).detach()  # [batch, token:video, channel]
        # video.target: (noisy - clean) / max(sigma, 0.05)
        # [batch, token:video, channel]
        video_target = (video_noisy - video_clean) / video_sigma.clamp(min=0.05)[:, None, None]
        # [batch, token:video]
        video_generated = torch.ones((batch_size, video_tokens), dtype=torch.bool, device=device)

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
        return ModelInputs(
            video=video,
            audio=None,
            video_targets=video_target,
            audio_targets=None,
            video_loss_mask=video_generated,
            audio_loss_mask=None,
        )

    def compute_loss(self, video_pred, audio_pred, inputs):
        """The loss of each sample, [batch]."""
        video_target = inputs.video_targets
        video_prediction = video_pred.float()  # [batch, token:video, channel]
        # velocity: mse(video.prediction, video.target)
        loss_velocity = (video_prediction - video_target).square().mean((1, 2))
        self.terms = {"velocity": loss_velocity.detach()}
        return loss_velocity  # [batch]

    def get_checkpoint_metadata(self):
        """Text for the checkpoint."""
        return {**self.metadata, **source_metadata(self.SOURCE, self.config)}

