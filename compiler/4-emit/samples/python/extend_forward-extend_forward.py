"""
Continue a video: the first frames are given, the rest is generated.

Made by ltxc … from extend_forward.strategy (sha256 ae418688c496). Change that file, not this one. To train with the
official trainer:

    accelerate launch ltxc_extend_forward.py train.yaml

Validation is the official trainer's own and does not call this strategy. What its samples are given is written as their
`conditions`. `expect` is for `ltxc test` and not part of this file.
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


class ExtendForwardConfig(TrainingStrategyConfigBase):
    """The section training_strategy of a run config whose strategy is extend_forward."""

    name: Literal["extend_forward"] = "extend_forward"
    count: int = Field(default=2, ge=1, description="How much of the video is given")
    given_p: float = Field(default=1, ge=0, le=1, description="Share of the samples with given frames")

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


class ExtendForwardStrategy(TrainingStrategy):
    """
    Continue a video: the first frames are given, the rest is generated.

        latents     video_latents in latents
        conditions  text_embeddings in conditions
    """

    SOURCE = {
        "strategy": "extend_forward",
        "version": "…",
        "source_hash": "ae418688c496d2f54f4f81295074efaafb4a737b6c89b5adec0c82ce68de3fdd",
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
        video_token = torch.arange(video_tokens, device=device)  # [token:video]
        # video.keep: prefix(count) with probability given_p
        video_keep = (
            ((video_token // (height * width)).float() < params.count)
            & (draws.rand("video.keep[0]", (batch_size,)) < params.given_p)[:, None]
        )  # [batch, token:video]
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
        video_fps = fps_of(batch[self.keys["latents"]])  # [batch]
        # [batch, sequence:video]
        video_keyframes = ((video_token // (height * width)).float() < 1)[None].expand(batch_size, -1).float()

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
        video_generated = inputs.video_loss_mask
        video_prediction = video_pred.float()  # [batch, token:video, channel]
        # video: mse(video.prediction, video.target) over video.generated
        loss_video = masked_mean((video_prediction - video_target).square().mean(2), video_generated.float())
        self.terms = {"video": loss_video.detach()}
        return loss_video  # [batch]

    def get_checkpoint_metadata(self):
        """Text for the checkpoint."""
        return {**self.metadata, **source_metadata(self.SOURCE, self.config)}

